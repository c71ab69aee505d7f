"""Vectors for words before any training: the words beside a word tell what it means.

Words with the same neighbours get similar vectors, so a network need not learn from scratch which words are alike, and
a rare word begins near the frequent words that are used as it is. What a pair of a word and a neighbour tells is its
positive pointwise mutual information; of that, the vectors hold the principal components (Bullinaria and Levy 2007;
Levy et al. 2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MAX_NEIGHBOURS = 1000  # the most frequent words, on each side
ROWS_PER_BLOCK = 1024


def word_vectors(ids: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """Return vectors (V, size) of length 1 for the words of a text `ids` (N,), where they occur `counts` (V,) times.

    The vector of a word of which the text tells nothing is zero. Where the text tells of all words less than `size`
    numbers can hold, the last numbers are zeros.
    """
    associations = _associate(ids, counts)
    covariance = np.zeros((associations.width, associations.width), np.float32)
    for block in associations.blocks():
        covariance += block.T @ block
    _, components = np.linalg.eigh(covariance)
    components = components[:, ::-1][:, :size]
    vectors = np.zeros((len(counts), size), np.float32)
    vectors[:, : components.shape[1]] = np.concatenate([block @ components for block in associations.blocks()])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors


class _Associations(NamedTuple):
    """A sparse matrix (V, width): how much oftener than by chance a word stands after, or before, a frequent one."""

    starts: np.ndarray  # (V + 1,): where the entries of each row begin
    columns: np.ndarray
    values: np.ndarray
    width: int

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield some rows at a time, as a dense matrix."""
        for first in range(0, len(self.starts) - 1, ROWS_PER_BLOCK):
            starts = self.starts[first : first + ROWS_PER_BLOCK + 1]
            entries = slice(starts[0], starts[-1])
            block = np.zeros((len(starts) - 1, self.width), np.float32)
            block[np.repeat(np.arange(len(block)), np.diff(starts)), self.columns[entries]] = self.values[entries]
            yield block


def _associate(ids: np.ndarray, counts: np.ndarray) -> _Associations:
    """Look at all pairs of a word and a frequent neighbour. The first half of the columns is for those before it."""
    frequent = np.argsort(-counts, kind="stable")[:MAX_NEIGHBOURS]
    width = 2 * len(frequent)
    column = np.full(len(counts), -1)
    column[frequent] = np.arange(len(frequent))
    ids = ids.astype(np.int64)
    pairs = []
    for words, neighbours, first in ((ids[1:], ids[:-1], 0), (ids[:-1], ids[1:], len(frequent))):
        columns = column[neighbours]
        is_frequent = columns >= 0
        pairs.append(words[is_frequent] * width + columns[is_frequent] + first)
    pair, n = np.unique(np.concatenate(pairs), return_counts=True)
    words, columns = np.divmod(pair, width)
    by_chance = np.bincount(words, n)[words] * np.bincount(columns, n)[columns] / n.sum()
    values = np.maximum(np.log(n / by_chance), 0)
    values *= n / (n + 1)  # a pair that occurs once may be chance (Pantel and Lin 2002)
    return _Associations(np.searchsorted(words, np.arange(len(counts) + 1)), columns, values, width)
