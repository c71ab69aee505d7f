"""Counts the n-grams of a text and estimates a Kneser-Ney model from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..text.vocabulary import EOS_ID, UNK_ID
from .ngram_level import UNSEEN, Level


def count_ngrams(ids: np.ndarray, vocabulary_size: int, order: int, prune: bool) -> tuple[np.ndarray, list[Level]]:
    """Estimate the unigrams (V,) and the levels of an n-gram model from a text (N,), whose units end in `<eos>`.

    `prune` leaves out the n-grams of three words and more that occurred once: most of those of a large text.
    """
    levels: list[Level] = []
    is_kept = np.ones(vocabulary_size, bool)  # which of the n-grams one shorter are in the model
    counted = _counted(ids.astype(np.int64), vocabulary_size, order)
    _, _, unigrams = next(counted)
    if not unigrams[UNK_ID]:
        # A new word is as likely as all those together that followed one word only (Good 1953).
        unigrams[UNK_ID] = np.count_nonzero(unigrams == 1)
    for keys, occurrences, counts in counted:
        contexts, words = np.divmod(keys, vocabulary_size)
        has_context = is_kept[contexts]
        size = np.count_nonzero(is_kept)
        contexts = (np.cumsum(is_kept) - 1)[contexts]  # numbered among those in the model
        is_kept = occurrences >= (2 if prune and levels else 1)
        is_pruned = has_context & ~is_kept
        pruned_counts = np.bincount(contexts[is_pruned], counts[is_pruned], size + 1)
        levels.append(
            Level(
                words=_compact(words[is_kept]),
                counts=_compact(counts[is_kept]),
                starts=_compact(np.searchsorted(contexts[is_kept], np.arange(size + 1))),
                pruned_counts=_compact(pruned_counts.astype(np.int64)),
                discounts=discounts(counts),
            )
        )
    return _unigram_probabilities(unigrams), levels


def _counted(ids: np.ndarray, vocabulary_size: int, order: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield for each length the n-grams of a text in order, as context * V + word; their occurrences; their counts.

    An n-gram below the full length counts the different words before it (Kneser and Ney 1995), unless no word can
    stand there.
    """
    before = np.concatenate([[EOS_ID], ids])[:-1]
    lengths = context_lengths(ids)
    keys = np.arange(vocabulary_size)
    occurrences = np.bincount(ids, minlength=vocabulary_size)
    ends = ids  # of each place, the number of the n-gram that ends there
    for n in range(2, order + 1):
        contexts = before if n == 2 else np.concatenate([[UNSEEN], ends[:-1]])
        inside = np.flatnonzero(lengths >= n - 1)
        longer, first, numbers, longer_occurrences = np.unique(
            contexts[inside] * vocabulary_size + ids[inside],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        different_before = np.bincount(ends[inside[first]], minlength=len(keys))
        yield keys, occurrences, np.where(different_before, different_before, occurrences)
        keys = longer
        occurrences = longer_occurrences
        ends = np.full(len(ids), UNSEEN)
        ends[inside] = numbers
    yield keys, occurrences, occurrences


def context_lengths(ids: np.ndarray) -> np.ndarray:
    """Count the words (N,) before each word of a text (N,) in its unit, with the `<eos>` before the unit."""
    places = np.arange(len(ids))
    begins = np.concatenate([[True], ids == EOS_ID])[:-1]
    return 1 + places - np.maximum.accumulate(np.where(begins, places, 0))


def discounts(counts: np.ndarray) -> np.ndarray:
    """Estimate the discount for a count of 0, 1, 2, and 3 or more, (4,), from all `counts` (Chen and Goodman 1998).

    A text too small for that discounts half of the count, at most one and a half. No discount is below a tenth, so
    that unseen words keep some probability.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[:5]
    if not n[1:].all():
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n[1] / (n[1] + 2 * n[2])
    k = np.arange(1, 4)
    return np.concatenate([[0.0], np.clip(k - (k + 1) * y * n[2:] / n[1:4], 0.1, k)])


def _unigram_probabilities(counts: np.ndarray) -> np.ndarray:
    """Return the probabilities (V,) of words without context; all words share the discounts evenly."""
    p = np.maximum(counts - discounts(counts)[np.minimum(counts, 3)], 0) / counts.sum()
    smoothed: np.ndarray = p + (1 - p.sum()) / len(p)
    return smoothed


def _compact(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)))
