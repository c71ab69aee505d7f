"""The places between two tokens of a text, side by side as arrays, and the parts that a long text is looked at in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .vocabulary import EOS_ID, Tokens

MAX_LEARNING_TOKENS = 1_000_000
SLICES = 20  # of a longer text, from all over it
TOKENS_PER_PASS = 2**17
PASSES_PER_UNIT = 16  # at most; a longer unit is cut
Closes = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Places(NamedTuple):
    """The places between two tokens of a unit, all as arrays (N,): numbers of tokens, and of gaps."""

    at: np.ndarray  # where b stands in the text
    a: np.ndarray
    b: np.ndarray
    before: np.ndarray  # the token before a; <eos> at the beginning of a unit
    after: np.ndarray  # the token after b; <eos> at its end
    gap: np.ndarray
    a_gap: np.ndarray  # the number of the gap before a, and one; 0 at the beginning of a unit
    a_closes: np.ndarray  # whether the last one of these tokens before a opened something; of marks
    b_closes: np.ndarray

    @classmethod
    def of(cls, tokens: Tokens, closes_of: Closes, may_matter: np.ndarray | None = None) -> Places:
        """Find the places of a text. `closes_of` tells which tokens close something.

        `may_matter` (types,) leaves the places between two tokens of other types out.
        """
        ids = np.concatenate([[EOS_ID, EOS_ID], tokens.ids, [EOS_ID]], dtype=np.int32)
        gaps = np.concatenate([[0, 0], tokens.gaps, [0]], dtype=np.int32)
        closes = closes_of(ids, gaps)
        is_place = (ids[1:-2] != EOS_ID) & (ids[2:-1] != EOS_ID)
        if may_matter is not None:
            matters = may_matter[ids]
            is_place &= matters[1:-2] | matters[2:-1]
        b = 2 + np.flatnonzero(is_place)
        a_gap = np.where(ids[b - 2] == EOS_ID, 0, gaps[b - 1] + 1)
        return cls(b - 2, ids[b - 1], ids[b], ids[b - 2], ids[b + 1], gaps[b], a_gap, closes[b - 1], closes[b])

    @classmethod
    def joined(cls, parts: list[Places]) -> Places:
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


def passes(tokens: Tokens) -> Iterator[tuple[Tokens, int]]:
    """Cut a text at ends of units into parts of some size; yields each with the place of its beginning."""
    begin = 0
    while begin < len(tokens):
        end = _end_of_unit(tokens.ids, begin + TOKENS_PER_PASS)
        yield tokens.part(begin, end), begin
        tokens.release()
        begin = end


def _end_of_unit(ids: np.ndarray, least: int) -> int:
    """Return the first end of a unit from a place on; that of the text, or just the place if a unit is very long."""
    for begin in range(least, min(len(ids), least + PASSES_PER_UNIT * TOKENS_PER_PASS), TOKENS_PER_PASS):
        ends = np.flatnonzero(ids[begin - 1 : begin - 1 + TOKENS_PER_PASS] == EOS_ID)
        if len(ends):
            return begin + int(ends[0])
    return min(least, len(ids))


def excerpt(tokens: Tokens) -> list[Tokens]:
    """Choose what is learned from: the whole text, or slices from all over it."""
    if len(tokens) <= MAX_LEARNING_TOKENS:
        return [tokens]
    begins = np.linspace(0, len(tokens) - MAX_LEARNING_TOKENS // SLICES, SLICES).astype(int)
    return [tokens.part(begin, begin + MAX_LEARNING_TOKENS // SLICES) for begin in begins.tolist()]


def last_of_kind(ids: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return for each of the tokens `at` some places (K,) the place of the last one of its kind in its unit.

    It is -1 if there is none before it.
    """
    unit = np.cumsum(ids == EOS_ID)
    keys = ids[at].astype(np.int64) * (unit[-1] + 1) + unit[at]
    order = np.argsort(keys, kind="stable")
    is_first = np.diff(keys[order], prepend=-1) != 0
    last = np.empty(len(at), np.int64)
    last[order] = np.where(is_first, -1, np.roll(at[order], 1))
    return last
