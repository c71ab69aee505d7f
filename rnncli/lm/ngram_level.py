"""The n-grams of one length, in arrays: how they are found, counted and listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import ModelError

UNSEEN = -1  # the number of an n-gram that there is not
STORED_NAMES = {"pruned_counts": "rest"}  # of a level's arrays in a file, where they differ
DAMAGED = "the model's n-grams make no sense: its file is damaged"


@dataclass(frozen=True)
class Level:
    """The n-grams of one length, n > 1. Each is a context, which is an n-gram one shorter, and a word.

    Those of context k have the numbers from `starts[k]` to `starts[k + 1]`, in the order of their words.
    """

    words: np.ndarray  # the last word of each n-gram
    counts: np.ndarray  # of each n-gram; in lower orders the number of different words before it
    starts: np.ndarray  # of each context, and the end
    pruned_counts: np.ndarray  # of each context, the counts of its n-grams that were left out; then a 0
    discounts: np.ndarray  # (4,), by count, the last one for all larger counts

    def _bounds(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the n-grams of each of the `contexts` begin and end."""
        starts = self.starts[contexts].astype(np.int64)
        ends = np.where(contexts == UNSEEN, starts, self.starts[contexts + 1])
        if (ends < starts).any() or ends.max(initial=0) > len(self.words):
            raise ModelError(DAMAGED)
        return starts, ends

    def find(self, contexts: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Return the number of the n-gram of each of the `contexts` and `words`, of one shape, or `UNSEEN`."""
        starts, ends = self._bounds(contexts)
        last = starts - 1  # of the n-grams before the one that is looked for
        for power in reversed(range(int((ends - starts).max(initial=0)).bit_length())):  # a binary search, all at once
            probe = last + 2**power
            np.copyto(last, probe, where=(probe < ends) & (self.words.take(probe, mode="clip") < words))
        found = last + 1
        is_there = found < ends
        is_there[is_there] = self.words[found[is_there]] == words[is_there]
        return np.where(is_there, found, UNSEEN)

    def find_one(self, context: int, word: int) -> int:
        """Do `find` for one n-gram, in a tenth of the time."""
        own = self._slice(context)
        place = own.start + int(np.searchsorted(self.words[own], word))
        return place if place < own.stop and self.words[place] == word else UNSEEN

    def is_context(self, number: int) -> bool:
        """Whether any n-gram begins with this context."""
        own = self._slice(number)
        return bool(own.start < own.stop)

    def _slice(self, context: int) -> slice:
        """Return the numbers of the n-grams of a context; none of `UNSEEN`."""
        if context == UNSEEN:
            return slice(0, 0)
        start = int(self.starts[context])
        end = int(self.starts[context + 1])
        if not 0 <= start <= end <= len(self.words):
            raise ModelError(DAMAGED)
        return slice(start, end)

    def discounted_probability(self, numbers: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Return (count - discount) / `total` of each n-gram (N,); 0 for `UNSEEN`."""
        is_seen = numbers != UNSEEN
        counts = self.counts[numbers[is_seen]]
        p = np.zeros(len(numbers))
        p[is_seen] = (counts - self.discounts.take(counts, mode="clip")) / total[is_seen]
        return p

    def followers(self, context: int) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Do `expand` for one context: return its words, their counts less the discounts, their total, the backoff."""
        own = self._slice(context)
        counts = self.counts[own]
        if own.start == own.stop:
            return self.words[own], counts, 1.0, 1.0
        discounted = counts - self.discounts.take(counts, mode="clip")
        total = float(counts.sum(dtype=np.int64) + self.pruned_counts[context])
        if not total:
            raise ModelError(DAMAGED)
        return self.words[own], discounted, total, 1 - float(discounted.sum()) / total

    def expand(self, contexts: np.ndarray) -> Expansion:
        """Return all n-grams of the `contexts` (K,)."""
        starts, ends = self._bounds(contexts)
        sizes = ends - starts
        filled = np.flatnonzero(sizes)
        sizes = sizes[filled]
        begins = np.cumsum(sizes) - sizes  # of each context that is not empty, in what follows
        context_index = np.repeat(filled, sizes)
        numbers = np.repeat(starts[filled] - begins, sizes)
        numbers += np.arange(len(numbers))
        counts = self.counts[numbers]
        total = np.ones(len(contexts))
        backoff = np.ones(len(contexts))
        discounted = counts - self.discounts.take(counts, mode="clip")
        if len(filled):
            total[filled] = np.add.reduceat(counts, begins, dtype=np.int64) + self.pruned_counts[contexts[filled]]
            if not total.all():
                raise ModelError(DAMAGED)
            backoff[filled] -= np.add.reduceat(discounted, begins) / total[filled]
        return Expansion(context_index, self.words[numbers], discounted, total, backoff)


class Expansion(NamedTuple):
    """The n-grams of K contexts, M in all, in the order of the contexts and, in each, of the words."""

    context_index: np.ndarray  # (M,), the place of each one's context among the contexts
    words: np.ndarray  # (M,), the last word of each
    discounted: np.ndarray  # (M,), the count of each, less the discount
    total: np.ndarray  # (K,), the sum of the counts of each context
    backoff: np.ndarray  # (K,), the weight of the lower order in each context


def array_name(n: int, field: str) -> str:
    """Name an array of the n-grams of length `n` as a model file does."""
    return f"ngram.{n}.{STORED_NAMES.get(field, field)}"
