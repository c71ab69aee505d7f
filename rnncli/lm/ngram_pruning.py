"""Prunes an n-gram model by what each n-gram is worth (Stolcke 1998, Entropy-based Pruning of Backoff Language Models).

Without an n-gram, its word is predicted by the shorter context, which takes over the probability that the n-gram had.
The cost is the relative entropy of the two distributions, times the frequency of the context in the training text. That
is not its probability by the model, which goes by how many words stood before an n-gram, not by how often it occurred
(Chelba et al. 2010, Study on Interaction between Entropy Pruning and Kneser-Ney Smoothing).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..callbacks import OnProgress
from .ngram import NGram
from .ngram_level import UNSEEN, Level
from .ngram_ranges import compact

NGRAMS_PER_PASS = 200_000


def ngram_count(ngram: NGram) -> int:
    """Return how many n-grams of two words and more a model has."""
    return sum(len(level.words) for level in ngram.levels)


def pruned(ngram: NGram, most: int, progress: OnProgress = lambda fraction: None) -> NGram:
    """Keep at most so many n-grams of two words and more, those whose loss would cost most.

    An n-gram that is the context of one that is kept is kept, too.
    """
    if ngram_count(ngram) <= most:
        return ngram
    costs = list(_costs(ngram, progress))
    for cost, longer_cost, longer in zip(costs[-2::-1], costs[:0:-1], ngram.levels[:0:-1], strict=True):
        np.maximum.at(cost, _contexts(longer), longer_cost)
    ranked = np.argsort(-np.concatenate(costs), kind="stable")
    is_kept = np.zeros(len(ranked), bool)
    is_kept[ranked[:most]] = True
    by_level = np.split(is_kept, np.cumsum([len(cost) for cost in costs])[:-1])
    levels = []
    are_contexts_kept = np.ones(len(ngram.unigrams), bool)
    for level, are_kept in zip(ngram.levels, by_level, strict=True):
        levels.append(_without(level, are_kept, are_contexts_kept))
        are_contexts_kept = are_kept
    return NGram(ngram.unigrams, levels)


def _contexts(level: Level) -> np.ndarray:
    """Return the number of the context of each n-gram."""
    return np.repeat(np.arange(len(level.starts) - 1), np.diff(level.starts.astype(np.int64)).astype(np.int64))


def _without(level: Level, are_kept: np.ndarray, are_contexts_kept: np.ndarray) -> Level:
    """Return a level with the n-grams and the contexts that are kept; the others' counts go to the pruned ones."""
    contexts = _contexts(level)
    size = len(are_contexts_kept)
    lost = np.bincount(contexts[~are_kept], level.counts[~are_kept], size)
    counts = level.pruned_counts[:-1] + lost.astype(np.int64)
    sizes = np.bincount(contexts[are_kept], minlength=size)
    counts[sizes == 0] = 0  # it has no n-grams any more, and is never asked
    starts = np.zeros(int(are_contexts_kept.sum()) + 1, np.min_scalar_type(int(are_kept.sum())))
    np.cumsum(sizes[are_contexts_kept], dtype=starts.dtype, out=starts[1:])
    return Level(
        words=level.words[are_kept],
        counts=level.counts[are_kept],
        starts=starts,
        pruned_counts=compact(np.append(counts[are_contexts_kept], 0)),
        discounts=level.discounts,
    )


def _occurrences(ngram: NGram) -> list[np.ndarray]:
    """Return how often each context (N,) of each level occurred.

    Only the longest n-grams, and those that begin a unit, are counted by that. Another one occurred as often as all
    that begin with it, and as all that end in it; where some of these were pruned, the larger number is the better one.
    """
    contexts = list(map(_contexts, ngram.levels))
    ends = [np.arange(len(ngram.unigrams))]  # of each n-gram, the number of that without its first word
    for n, level in enumerate(ngram.levels):
        own = level.words.astype(np.int64)
        ends.append(own if n == 0 else ngram.levels[n - 1].find(ends[n][contexts[n]], own))
    found: list[np.ndarray] = []
    counts = ngram.levels[-1].counts
    for n, level in reversed(list(enumerate(ngram.levels))):
        of_contexts = np.bincount(contexts[n], counts, len(level.starts) - 1) + level.pruned_counts[:-1]
        found.insert(0, of_contexts)
        if n:
            is_there = ends[n + 1] != UNSEEN
            of_ends = np.bincount(ends[n + 1][is_there], counts[is_there], len(of_contexts))
            counts = np.maximum.reduce([ngram.levels[n - 1].counts, of_contexts, of_ends])
    return found


def _costs(ngram: NGram, progress: OnProgress) -> Iterator[np.ndarray]:
    """Yield the costs (N,) of the n-grams of each length, in nats for each word of a text."""
    occurrences = _occurrences(ngram)
    text_words = occurrences[0].sum()
    words = np.arange(len(ngram.unigrams))[:, None]
    done = 0
    for level, of_contexts in zip(ngram.levels, occurrences, strict=True):
        contexts = _contexts(level)
        words = np.concatenate([words[contexts], level.words[:, None]], axis=1, dtype=np.int32)
        lower = np.empty(len(words))
        for start in range(0, len(words), NGRAMS_PER_PASS):
            part = slice(start, start + NGRAMS_PER_PASS)
            lower[part] = ngram.probability_by_shorter_context(words[part])
            done += len(words[part])
            progress(done / ngram_count(ngram))
        yield _level_costs(level, contexts, of_contexts / text_words, lower)


def _level_costs(level: Level, contexts: np.ndarray, frequencies: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the costs (N,) of a level's n-grams.

    `contexts` (N,) are theirs, and `frequencies` tell how frequent these are. `lower` (N,) are the probabilities of the
    last words by the shorter contexts.
    """
    size = len(frequencies)
    discounted = level.counts - level.discounts.take(level.counts, mode="clip")
    total = np.bincount(contexts, level.counts, size) + level.pruned_counts[:-1]
    total[total == 0] = 1  # of what is no context
    own = discounted / total[contexts]
    backoff = (1 - np.bincount(contexts, own, size))[contexts]
    seen = np.bincount(contexts, lower, size)[contexts]  # the probability of all seen words by the shorter context
    p = own + backoff * lower
    without = (backoff + own) * lower
    tiny = np.finfo(float).tiny
    # What other words gain: those that were never seen after the context, and those that were, to first order.
    unseen_gain = backoff * (1 - seen) * np.log1p(own / np.maximum(backoff, tiny))
    gain = np.maximum(unseen_gain, 0) + own * np.maximum(seen - lower, 0)
    cost: np.ndarray = frequencies[contexts] * (p * np.log(p / np.maximum(without, tiny)) - gain)
    return cost
