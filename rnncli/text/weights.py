"""Several texts of one training, each of which is read as often in an epoch as it weighs."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import SettingError

MAX_WEIGHT = 1000.0
# Of several texts, so many words are read in a row: far more than a network remembers. Short texts have shorter blocks.
WORDS_PER_BLOCK = range(256, 2049)
BLOCKS = 1024
_WITH_WEIGHT = re.compile(r"(.+):(\d+\.?\d*|\.\d+)", re.DOTALL)


class Weighted(NamedTuple):
    """One of the texts: where its words begin and end among those of all, and its weight."""

    begin: int
    end: int
    weight: float = 1.0

    @property
    def read_words(self) -> int:
        """How many words an epoch reads of it."""
        return max(1, round(self.weight * (self.end - self.begin)))


def weighted_source(named: str | Path) -> tuple[str | Path, float]:
    """Part a text such as A.txt:3 from its weight. One without a weight weighs 1, and so does a file A.txt:3.

    Raises `SettingError` for a weight that is not above 0, or huge.
    """
    found = _WITH_WEIGHT.fullmatch(named) if isinstance(named, str) else None
    if found is None or os.path.lexists(named):
        return named, 1.0
    weight = float(found[2])
    if not 0 < weight <= MAX_WEIGHT:
        raise SettingError(f"the weight in {named} is {found[2]}, and must be above 0 and at most {MAX_WEIGHT:g}")
    return found[1], weight


def weighted_sources(named: Iterable[str | Path]) -> tuple[list[str | Path], list[float]]:
    """Part several texts from their weights."""
    pairs = [weighted_source(each) for each in named]
    return [source for source, _ in pairs], [weight for _, weight in pairs]


def laid_out(ends: Sequence[int], weights: Sequence[float]) -> tuple[Weighted, ...]:
    """Return texts that stand one after the other, by where each ends; without empty ones."""
    texts = (Weighted(*each) for each in zip([0, *ends[:-1]], ends, weights, strict=True))
    return tuple(text for text in texts if text.end > text.begin)


class TrainingText:
    """The words (N,) of a training text as its epochs read them: each of the `texts` as often as it weighs.

    Of a text of weight 0.5 the first epoch reads the first half, the second one the other half, and so on.

    Several texts are read in blocks, in a random order: another one in each epoch, but the same one in all trainings.
    In the order of the texts, a batch would hold all readings of a text of weight 3 at once, since its sequences are
    read side by side.
    """

    def __init__(self, ids: np.ndarray, texts: Sequence[Weighted] = ()):
        self.ids = ids
        texts = texts or [Weighted(0, len(ids))]
        self._begins = np.array([text.begin for text in texts])
        self._sizes = np.array([max(1, text.end - text.begin) for text in texts])
        self._read = np.array([text.read_words for text in texts]) if len(ids) else np.zeros(len(texts), np.int64)
        self._starts = np.cumsum(self._read) - self._read  # in an epoch
        self._block_size = min(max(len(self) // BLOCKS, WORDS_PER_BLOCK[0]), WORDS_PER_BLOCK[-1])
        self._ordered_epoch = -1  # whose order of blocks is known

    def __len__(self) -> int:
        """How many words an epoch reads."""
        return int(self._read.sum())

    def words(self, places: np.ndarray, epoch: int) -> np.ndarray:
        """Return the words in some places, from 0 on, of an epoch."""
        if len(self._begins) > 1:
            places = self._in_order(places, epoch)
        text = np.searchsorted(self._starts, places, side="right") - 1
        within = places - self._starts[text] + epoch * self._read[text]
        found: np.ndarray = self.ids[self._begins[text] + within % self._sizes[text]]
        return found

    def _in_order(self, places: np.ndarray, epoch: int) -> np.ndarray:
        """Return where the words stand that are read in some places of an epoch."""
        block, within = np.divmod(places, self._block_size)
        found: np.ndarray = self._order(epoch)[block] * self._block_size + within
        return found

    def _order(self, epoch: int) -> np.ndarray:
        """Return which block is read in the place of each one; the last one, which is shorter, stays where it is."""
        if self._ordered_epoch != epoch:
            whole = len(self) // self._block_size
            self._blocks = np.append(np.random.default_rng(epoch).permutation(whole), whole)
            self._ordered_epoch = epoch
        return self._blocks


def first_parts(texts: Iterable[Weighted]) -> list[tuple[int, int]]:
    """Return where the part of each text that its weight asks for begins and ends; all of one that weighs 1 or more."""
    return [
        (text.begin, text.end if text.weight >= 1 else text.begin + math.ceil(text.weight * (text.end - text.begin)))
        for text in texts
    ]


def is_weighted(texts: Iterable[Weighted]) -> bool:
    """Whether some of the texts weigh more or less than 1."""
    return any(text.weight != 1 for text in texts)
