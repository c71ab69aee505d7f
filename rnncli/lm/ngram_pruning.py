"""Prunes an n-gram model by what each n-gram is worth (Stolcke 1998, Entropy-based Pruning of Backoff Language Models).

Without an n-gram, its word is predicted by the shorter context, which takes over the probability that the n-gram had.
The cost is the relative entropy of the two distributions, times the probability of the context by the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .ngram import NGram, NGramContext
from .ngram_level import UNSEEN, Level
from .ngram_ranges import compact

NGRAMS_PER_PASS = 200_000
Progress = Callable[[float], object]  # is told the fraction that is done


def ngram_count(ngram: NGram) -> int:
    """Return how many n-grams of two words and more a model has."""
    return sum(len(level.words) for level in ngram.levels)


def pruned(ngram: NGram, most: int, progress: Progress = lambda fraction: None) -> NGram:
    """Keep at most so many n-grams of two words and more, those whose loss would cost most.

    An n-gram that is the context of one that is kept is kept, too.
    """
    if ngram_count(ngram) <= most:
        return ngram
    costs = [level.cost for level in _costs(ngram, progress)]
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


@dataclass
class _LevelCosts:
    """What is known of the n-grams of one length."""

    words: np.ndarray  # (N, n)
    log_probability: np.ndarray  # (N,), of all the words of each
    cost: np.ndarray  # (N,)


def _costs(ngram: NGram, progress: Progress) -> Iterator[_LevelCosts]:
    """Yield the costs of the n-grams of each length, in nats for each word of a text."""
    size = len(ngram.unigrams)
    known = _LevelCosts(np.arange(size)[:, None], np.log(ngram.unigrams), np.empty(0))
    done = 0
    for level in ngram.levels:
        contexts = _contexts(level)
        words = np.concatenate([known.words[contexts], level.words[:, None]], axis=1, dtype=np.int32)
        lower = np.empty(len(words))
        for start in range(0, len(words), NGRAMS_PER_PASS):
            part = slice(start, start + NGRAMS_PER_PASS)
            lower[part] = _by_shorter_context(ngram, words[part])
            done += len(words[part])
            progress(done / ngram_count(ngram))
        known = _level_costs(level, contexts, known.log_probability, words, lower)
        yield known


def _by_shorter_context(ngram: NGram, words: np.ndarray) -> np.ndarray:
    """Return the probability of the last of the `words` (N, n) after those between it and the first one."""
    begin = np.full((len(words), ngram.order), UNSEEN)
    context, _ = ngram.advance(words.T[1:], begin, {})
    last = words.T[-1:]
    found: np.ndarray = ngram.probability(last, NGramContext(context.contexts[-1:]))[0]
    return found


def _level_costs(
    level: Level, contexts: np.ndarray, log_probability: np.ndarray, words: np.ndarray, lower: np.ndarray
) -> _LevelCosts:
    """Compute the costs of a level's n-grams, from the probabilities of their last words by the shorter contexts."""
    size = len(log_probability)
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
    probability = np.exp(log_probability[contexts])
    cost = probability * (p * np.log(p / np.maximum(without, tiny)) - gain)
    return _LevelCosts(words, log_probability[contexts] + np.log(p), cost)
