"""Annotated marks: punctuation with a note of how it is joined to its neighbours, where rules do not foresee that.

A text may write `word -- word` in one place and `word--word` in another. The mark that is written as the rules of its
`Detokenizer` foresee stays plain. The other one is a word of its own: a network learns when to write which. This is the
joiner annotation of OpenNMT (Klein et al. 2017), for those marks only that need it. The notes are two characters that
Unicode keeps for the internal use of programs; in a text that is read they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .characters import is_unspaced

JOINER = "\ufdd0"  # there is no space on this side of the mark
SPACE = "\ufdd1"  # there is one
GAPS = {JOINER: "", SPACE: " "}
NOTABLE_GAPS = frozenset(GAPS.values())
SIGNS = {gap: sign for sign, gap in GAPS.items()}


@lru_cache(2**16)
def is_mark(token: str) -> bool:
    """Whether a token is punctuation, a symbol or an emoji: it holds no letter and no digit."""
    return not any(map(str.isalnum, token))


@lru_cache(2**16)
def can_be_annotated(token: str) -> bool:
    """Whether a token may carry a note: marks may, and characters of scripts without spaces between words."""
    return is_mark(token) or is_unspaced(token)


def annotated(token: str, left: str | None, right: str | None) -> str:
    """Note on a token the gap on its left and on its right, "" or " "; None: as the rules foresee."""
    return ("" if left is None else SIGNS[left]) + token + ("" if right is None else SIGNS[right])


def parts(token: str) -> tuple[str | None, str, str | None]:
    """Return what is noted on the left of a token, the token itself, and what is noted on its right."""
    left = GAPS.get(token[:1])
    right = GAPS.get(token[-1:])
    return left, token.strip(JOINER + SPACE), right


def plain(token: str) -> str:
    """Return a token without its notes."""
    return token if token.isascii() else token.strip(JOINER + SPACE)


def without_notes(text: str) -> str:
    """Return a text without the characters that are kept for notes."""
    return text if text.isascii() else text.replace(JOINER, "").replace(SPACE, "")


def combinations(tokens: Iterable[str]) -> set[str]:
    """Return each mark with all combinations of the notes that it carries in `tokens`."""
    lefts: dict[str, set[str | None]] = {}
    rights: dict[str, set[str | None]] = {}
    for left, word, right in map(parts, tokens):
        lefts.setdefault(word, {None}).add(left)
        rights.setdefault(word, {None}).add(right)
    found = {annotated(word, left, right) for word in lefts for left in lefts[word] for right in rights[word]}
    return found - lefts.keys()
