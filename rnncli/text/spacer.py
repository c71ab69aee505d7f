"""Writes the tokens of a unit as text, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from .annotation import NOTABLE_GAPS, annotated, can_be_annotated, is_mark, parts
from .characters import is_unspaced
from .detokenizer import HIGH_QUOTE, LOW_QUOTE, START, Detokenizer, Place, opens, token_class
from .tokenizers import Segments, Tokenizer

_CLITICS = frozenset({"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"})  # as the Penn Treebank cuts them
_PREPARED_MARKS = {"@-@": "-", "@,@": ",", "@.@": "."}  # as WikiText writes marks inside of words and numbers


class Spacer:
    """Writes the tokens of one unit. The space before a mark may depend on the token after it, so that a mark waits."""

    def __init__(self, detokenizer: Detokenizer, tokenizer: Tokenizer):
        self.detokenizer = detokenizer
        self.is_char = tokenizer.is_char
        self.is_prepared = tokenizer.is_pretokenized
        self._waiting: str | None = None  # a token, with its notes
        self._before = ""  # the token before the last one
        self._last = ""  # the last token that was written; "" at the beginning
        self._gap = START  # the gap before it
        self._last_closes = ""  # see `Place.a_closes`
        self._noted: str | None = None  # the gap after it, if it is noted
        self._is_dense = False  # whether the last word is of a script without spaces
        self._open: dict[str, bool] = {}  # by mark: whether the last one opened something

    def read(self, segments: Segments) -> None:
        """Take the tokens of a text, as they are written there."""
        if segments.gaps:
            for token, gap in zip(segments.tokens, segments.gaps, strict=True):
                self.take(token, gap)
        else:
            for token in segments.tokens:
                self.take(token, self.gap_before(token))

    def note(self, gap: str | None) -> None:
        """Note the gap after the last token, if it is known."""
        self._noted = gap

    def push(self, token: str) -> list[str]:
        """Take the next token; return the pieces of text that are certain now: tokens, each after its gap."""
        pieces = self._written(parts(token)[1])
        self._waiting = token
        return pieces + (self._written("") if self.is_char or not is_mark(parts(token)[1]) else [])

    def flush(self) -> list[str]:
        """Return the piece that waits for the next token."""
        return self._written("")

    def write(self, tokens: Iterable[str]) -> list[str]:
        """Write tokens: return each after its gap."""
        pieces = [piece for token in tokens for piece in self.push(token)]
        return pieces + self.flush()

    def gap_before(self, token: str, after: str = "") -> str:
        """Return the gap before a token that may come next, with the token `after` it."""
        if self.is_char or not self._last:
            return ""
        if self._noted is not None:
            return self._noted
        if self.is_prepared and (token in _CLITICS or (token == "'" and self._last.endswith("s"))):
            return ""  # it 's, the dogs ' bones
        return self.detokenizer.gap(self._place(token, after))

    def _written(self, after: str) -> list[str]:
        """Write the token that waits."""
        if self._waiting is None:
            return []
        left, token, right = parts(self._waiting)
        self._waiting = None
        gap = left if left is not None and self._last else self.gap_before(token, after)
        form = self.detokenizer.form(token, gap if self._last else START, self._closes(token))
        self.take(token, gap, right)
        return [gap + (_PREPARED_MARKS.get(token, token) if self.is_prepared else form)]

    def take(self, token: str, gap: str, noted: str | None = None) -> None:
        """Take a token that is written after a gap, and what is noted of the gap after it."""
        gap = gap if self._last else START
        self._last_closes = self._closes(token)
        if is_mark(token):
            is_dense = self._is_dense and not gap
            self._open[token] = (
                not self._last_closes if is_dense else opens(token_class(self._last, True), self._gap, gap)
            )
        if token == LOW_QUOTE:
            self._open[HIGH_QUOTE] = True
        if not is_mark(token) or is_unspaced(token):
            self._is_dense = is_unspaced(token[-1])
        self._before = self._last
        self._last = token
        self._gap = gap
        self._noted = noted

    def _closes(self, mark: str) -> str:
        return "1" if self._open.get(mark) else ""

    def _place(self, b: str, after: str) -> Place:
        a = self._last
        place = Place(a, b, token_class(a, True), token_class(b, False))
        if is_mark(a):
            before_class = token_class(self._before, True)
            place = place._replace(
                a_gap=self._gap, a_closes=self._last_closes, before=self._before, before_class=before_class
            )
        if is_mark(b):
            place = place._replace(b_closes=self._closes(b), after=after, after_class=token_class(after, False))
        return place


def noted_tokens(detokenizer: Detokenizer, tokenizer: Tokenizer, segments: Segments) -> list[str]:
    """Return the tokens of a unit with notes on its marks, as `rnncli.text.spacing.annotate` does for a whole text."""
    tokens = segments.tokens
    notes: list[list[str | None]] = [[None, None] for _ in tokens]
    spacer = Spacer(detokenizer, tokenizer)
    carries = list(map(can_be_annotated, tokens))
    for place, (token, gap) in enumerate(zip(tokens, segments.gaps, strict=True)):
        is_between = place > 0 and (carries[place] or carries[place - 1]) and gap in NOTABLE_GAPS
        if is_between:
            after = tokens[place + 1] if is_mark(token) and place + 1 < len(tokens) else ""
            if gap != spacer.gap_before(token, after):
                notes[place - (not carries[place])][not carries[place]] = gap
        spacer.take(token, gap)
    return [annotated(token, left, right) for token, (left, right) in zip(tokens, notes, strict=True)]
