"""Draws the words that a sampled softmax is over, where the whole vocabulary would be too large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Some words of the vocabulary, and the probability with which each came into the sample."""

    words: np.ndarray  # (S,), sorted, each once
    log_probability: np.ndarray  # (S,), the log of each word's probability to be in the sample


class Sampler:
    """Draws words by their smoothed frequency (one more occurrence of each) in a text.

    The softmax over the words of a step and such a sample, with each word weighted by the inverse of its probability
    to be in the sample, estimates the softmax over all words (Bengio and Senecal 2008; Jean et al. 2015). The variance
    is least where words are drawn by the network's own probabilities, which are roughly proportional to frequencies.
    """

    def __init__(self, counts: np.ndarray, size: int):
        """Draw about `size` of the words that occurred `counts` (V,) times. The most frequent ones are always in."""
        weights = counts + 1.0
        size = min(size, len(counts))
        self.log_absent = np.log1p(-weights / weights.sum())  # of each word, from one position of the text
        order = np.argsort(-weights, kind="stable")
        weights = weights[order]
        count = _always_drawn(weights, size)
        self.always = order[:count]
        self.sampled = order[count:]
        self.draws = size - count
        # Systematic sampling: the sampled words lie end to end on a line, each as long as its expected number of
        # draws, and one point is drawn in each unit of the line.
        self.ends = np.cumsum(weights[count:]) * (self.draws / max(1.0, weights[count:].sum()))
        self.ends[-1:] = self.draws  # without the rounding error of the sum
        self.log_missed = np.full(len(counts), -np.inf)  # of each word, the log-probability that no draw hits it
        self.log_missed[self.sampled] = _log_missed(self.ends)

    def sample(self, words: np.ndarray, rng: np.random.Generator) -> Sample:
        """Draw a sample, and add to it the `words` of a step, of any shape."""
        hit = np.searchsorted(self.ends, np.arange(self.draws) + rng.random(self.draws))
        union = np.unique(np.concatenate([words.ravel(), self.always, self.sampled[hit]]))
        log_missing = words.size * self.log_absent[union] + self.log_missed[union]
        return Sample(union, np.log(-np.expm1(log_missing)))


def _always_drawn(weights: np.ndarray, size: int) -> int:
    """Count the words that are always in a sample of `size`, of words with `weights` (V,) in descending order.

    They are the first ones, as long as each would be drawn at least once in a sample of what they leave over.
    """
    remaining = np.cumsum(weights[::-1])[::-1]  # the weight of each word and of all less frequent ones
    certain = (size - np.arange(len(weights))) * weights >= remaining
    return int(np.argmin(np.append(certain, False)))


def _log_missed(ends: np.ndarray) -> np.ndarray:
    """The log-probability that a word is hit by no draw, for words that end at `ends` of the line.

    No word is longer than a unit, so it lies in one unit or in two.
    """
    starts = np.concatenate([[0], ends])[:-1]
    unit = np.floor(ends)
    in_one_unit = 1 - (ends - starts)
    in_two_units = (1 - (unit - starts)) * (1 - (ends - unit))
    missed: np.ndarray = np.log(np.where(starts >= unit, in_one_unit, in_two_units))
    return missed
