"""The marks that corpora which were prepared elsewhere keep for themselves: `<unk>`, and the ends of sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tokenizers import Segments, Tokenizer

EOS = "<eos>"  # the end of a unit
UNK = "<unk>"  # any word that is not in the vocabulary
EOS_ID = 0
UNK_ID = 1
# In a prepared corpus all rare words are <unk>: one word in 20 of Penn Treebank, one in 40 of WikiText-2, one in 250 of
# WikiText-103. Where it is rarer than one in this many, somebody wrote of it.
MAX_WORDS_PER_UNK = 500
BEGINNING = "<s>"
ENDS = (EOS, "</s>")


def unit_segments(tokenizer: Tokenizer, text: str) -> Segments:
    """Cut a whole unit into tokens, without the marks of its own beginning and end: every unit has an end anyway."""
    segments = tokenizer.segment(text)
    if tokenizer.is_pretokenized:
        without_ends(segments.tokens)
    return segments


def without_ends(tokens: list[str], *, is_first: bool = True, is_last: bool = True) -> list[str]:
    """Remove the marks of the beginning and the end of a unit from its tokens, or from those of a part of it."""
    if is_last and tokens and tokens[-1] in ENDS:
        tokens.pop()
    if is_first and tokens[:1] == [BEGINNING]:
        del tokens[0]
    return tokens


def marks_unknown(words: int, unknown: int) -> bool:
    """Whether a text of so many words marks its unknown ones itself, as a prepared corpus does."""
    return unknown * MAX_WORDS_PER_UNK >= words > 0


class MarkCounter:
    """Counts the reserved marks in a text."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count the marks in a piece of the text."""
        if "s>" in text:
            for mark in (BEGINNING, *ENDS):
                self._counts[mark] += text.count(mark)

    def warnings(self, tokenizer: Tokenizer, words: int, unknown: int) -> list[str]:
        """Say what becomes of the marks, in a text of so many words, some of them `<unk>`."""
        found = []
        if unknown and not marks_unknown(words, unknown):
            found.append(
                f"{UNK} is written {_times(unknown)}, too rarely for a corpus that marks its unknown words:"
                " it is read as an unknown word, and the vocabulary is that of any text"
            )
        written = [f"{mark} {_times(self._counts[mark])}" for mark in (EOS, *ENDS[1:], BEGINNING) if self._counts[mark]]
        if written and tokenizer.is_pretokenized:
            found.append(
                f"the text holds {', '.join(written)}: at the beginning or end of a line they are left out, since every"
                " line has its own end"
            )
        elif written:
            found.append(
                f"the text holds {', '.join(written)}, and they are read as ordinary characters:"
                ' a tokenized corpus needs tokenizer="whitespace"'
            )
        return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
