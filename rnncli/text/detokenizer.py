"""Writes tokens as the corpus wrote them: with its spaces, its quotation marks and its apostrophes.

What is between two tokens is decided by rules that were learned from the corpus (see `rnncli.text.spacing`), from the
most specific one that applies to the most general one; where none applies, by rules that hold for most languages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from .annotation import is_mark
from .characters import SPECIAL_SPACES, is_unspaced
from .folding import composed, folded

GAPS = frozenset(["", " ", *SPECIAL_SPACES])  # that are written
START = "^"  # the gap before the first token of a unit, as a feature
# The features that the rules of each level ask for (see `Place`), from general to specific.
LEVELS = (
    ("a_class", "b_class"),
    ("a_class", "a_gap", "a_closes", "b_class", "b_closes"),
    ("a_class", "a_gap", "a_closes", "b_class", "b_closes", "after_class"),
    ("before_class", "a_class", "a_gap", "a_closes", "b_class", "b_closes", "after_class"),
    ("a_class", "a_gap", "b", "b_closes", "after"),
    ("before", "a", "a_gap", "b_class"),
    ("a", "b"),
    ("a", "a_gap", "a_closes", "b", "b_closes"),
    ("a", "a_gap", "b", "after"),
    ("before", "a", "a_gap", "b", "after"),
)
Rule = tuple[str, ...]  # the values of a level's features, in their order
_CLOSING = frozenset(".,;:!?)]}%…’”»›°。、，．：；！？）」』】》〉،؛؟।॥") | {"..."}
_OPENING = frozenset("([{$£€¥#@„“‘«‹¿¡（「『【《〈")
_JOINING = frozenset({"/", "—", "_", "\\", "@-@", "@,@", "@.@"})
MAX_FORM_CHARACTERS = 1000  # the time to normalise combining marks grows with the square of their number
LOW_QUOTE = "„"
HIGH_QUOTE = "“"  # which opens a quotation in English, and closes one in German
_STRAIGHT_QUOTES = frozenset("\"'")
_QUOTES = _STRAIGHT_QUOTES | {"`"}
_EMPHASIS = frozenset("*_~")
_DASHES = frozenset("-–") | {"--"}
_BEFORE_OPENING = _OPENING | _DASHES | frozenset("—/=")  # what may be joined to an opening quote after it
USUAL = ("a_class", "a_gap", "a_closes", "before_class", "b_class", "b_closes")  # what `usual_gap` asks for


class Place(NamedTuple):
    """The features of the place between two tokens, a and b. Those that do not apply are empty.

    The classes are "w" for words, "W" for words with a capital, "9" for numbers, "U" for characters of scripts without
    spaces, "E" for emoji; every other mark is a class of its own.
    """

    a: str
    b: str
    a_class: str  # of its end
    b_class: str  # of its beginning
    a_gap: str = ""  # the gap before a, if a is a mark
    a_closes: str = ""  # "1" if a is a mark, and the last one of these marks before it opened something
    b_closes: str = ""
    before: str = ""  # the token before a, if a is a mark
    before_class: str = ""
    after: str = ""  # the token after b, if b is a mark
    after_class: str = ""


@lru_cache(2**16)
def token_class(token: str, at_end: bool) -> str:
    """Return the class of a token's beginning, or of its end (see `Place`); "" of no token."""
    if not token or token == "<eos>":
        return ""
    character = token[-1] if at_end else token[0]
    if is_mark(token):
        return "E" if character >= "\U0001f000" or "\u2300" <= character <= "\u2bff" else token
    if is_unspaced(character):
        return "U"
    if character.isdigit():
        return "9"
    return "W" if token[0].isupper() else "w"


@lru_cache(2**16)
def is_unspaced_class(name: str) -> bool:
    """Whether a class is that of a script without spaces, or a mark of such scripts."""
    return name == "U" or (name != "" and is_unspaced(name))


def opens(before_class: str, before_gap: str, gap: str) -> bool:
    """Whether a mark opens something, by the gap before it, and by the token and the gap before that.

    Where a script writes no spaces, that cannot be told: there, a mark opens what the last one has not opened.
    """
    if gap:
        return True
    return before_class in _BEFORE_OPENING or (before_class in _QUOTES | _EMPHASIS and before_gap != "")


def usual_gap(a_class: str, a_gap: str, a_closes: str, before_class: str, b_class: str, b_closes: str) -> str:
    """Return the gap between two tokens that most languages write (see `Place`)."""
    if b_class == HIGH_QUOTE and b_closes:
        return ""  # „so“
    if a_class == HIGH_QUOTE and a_closes:
        return "" if b_class in _CLOSING else " "
    if b_class in _CLOSING or a_class in _OPENING or a_class in _JOINING or b_class in _JOINING:
        return ""
    if a_class in _QUOTES and (a_gap or (not a_closes and before_class in _BEFORE_OPENING | _QUOTES)):
        return ""
    if b_class in _QUOTES and b_closes:
        return ""
    if a_class == b_class and (a_class == "E" or (is_mark(a_class) and a_class not in _STRAIGHT_QUOTES)):
        return ""  # ███, ___
    if (
        a_class in _EMPHASIS
        and b_class in ("w", "W", *_QUOTES)
        and (a_gap == " " or (before_class == a_class and a_closes))
    ):
        return ""  # *so*, but 2 * 3
    if b_class in _EMPHASIS and b_closes:
        return ""
    if (a_class in _DASHES and a_gap == "") or (a_class == "9" and b_class == "–"):
        return ""
    is_dense = is_unspaced_class(a_class) and (b_class == "9" or b_class in _QUOTES or is_unspaced_class(b_class))
    return "" if is_dense or (is_unspaced_class(b_class) and a_class in ("9", *_QUOTES)) else " "


@dataclass(frozen=True)
class Detokenizer:
    """How a corpus writes its tokens.

    `rules` holds for each of the `LEVELS` the gap by the values of its features. `forms` holds the preferred form of a
    token that has lookalikes: by token, or by token, whether it is joined to the token before it, and whether the last
    one of these marks opened something.
    """

    rules: Sequence[Mapping[Rule, str]] = field(default_factory=lambda: [{} for _ in LEVELS])
    forms: Mapping[Rule, str] = field(default_factory=dict)

    def gap(self, place: Place) -> str:
        """Return the white space at a place."""
        for features, rules in zip(_REVERSED_INDICES, reversed(self.rules), strict=True):
            if rules and (gap := rules.get(tuple([place[index] for index in features]))) is not None:
                return gap
        return usual_gap(*(place[index] for index in _USUAL_INDICES))

    def form(self, token: str, gap: str, closes: str) -> str:
        """Return the form of a token that the corpus prefers after a gap."""
        if not self.forms:
            return token
        return self.forms.get((token, "" if gap else "1", closes)) or self.forms.get((token,), token)

    def text(self) -> bytes:
        """Return what was learned, as JSON."""
        rules = [[[*values, gap] for values, gap in level.items()] for level in self.rules]
        forms = [[*values, form] for values, form in self.forms.items()]
        return json.dumps({"rules": rules, "forms": forms}, ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def from_text(cls, text: bytes) -> Detokenizer:
        """Read what `text` gave. Raises `ValueError` for anything else."""
        stored = json.loads(text.decode("utf-8", "surrogatepass"))
        rules = [{_rule(values, len(level)): values[-1] for values in found} for level, found in _levels(stored)]
        if not all(gap in GAPS for level in rules for gap in level.values()):
            raise ValueError("its rules for spaces write more than spaces")
        forms = {_rule(values, 1, 3): values[-1] for values in stored["forms"]}
        forms = {rule: form for rule, form in forms.items() if len(form) <= MAX_FORM_CHARACTERS}
        if not all(folded(composed(form)) == rule[0] for rule, form in forms.items()):
            raise ValueError("its forms of words are those of other words")
        return cls(rules, forms)


_REVERSED_INDICES = tuple(tuple(map(Place._fields.index, features)) for features in reversed(LEVELS))
_USUAL_INDICES = tuple(map(Place._fields.index, USUAL))


def _levels(stored: Mapping[str, Sequence[Sequence[Sequence[str]]]]) -> Iterable[tuple[Rule, Sequence[Sequence[str]]]]:
    if len(stored["rules"]) != len(LEVELS):
        raise ValueError(f"its rules for spaces have {len(stored['rules'])} levels")
    return zip(LEVELS, stored["rules"], strict=True)


def _rule(values: Sequence[str], *lengths: int) -> Rule:
    if not all(isinstance(value, str) for value in values) or len(values) - 1 not in lengths:
        raise ValueError("its rules for spaces make no sense")
    return tuple(values[:-1])
