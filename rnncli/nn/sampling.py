"""Which words a step of training is over, where all words would be too many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Some words, and how they came to be among them."""

    words: np.ndarray  # (S,), each once, in order
    log_probability: np.ndarray  # (S,), the log of each one's probability to be in the sample


class Sampler:
    """Draws words by their frequency in a text, smoothed by one more occurrence of each.

    The softmax over a step's own words and such a sample, each word standing for as many as it was unlikely to come,
    estimates the softmax over all words (Bengio and Senecal 2008; Jean et al. 2015). The sum over a sample varies least
    where words are drawn by the probabilities that a network gives them, and these grow about as their frequencies.
    """

    def __init__(self, counts: np.ndarray, size: int):
        """Draw about `size` of the words that occurred `counts` (V,) times; the most frequent ones always."""
        weights, size = counts + 1.0, min(size, len(counts))
        self.log_absent = np.log1p(-weights / weights.sum())  # of each word from any one place of a text
        order = np.argsort(-weights, kind="stable")
        weights = weights[order]
        # As many as would each get a chance of one or more, of what is left when all more frequent ones are taken.
        rest = np.cumsum(weights[::-1])[::-1]
        sure = int(np.argmin(np.append((size - np.arange(len(weights))) * weights >= rest, False)))
        self.sure, self.unsure, self.darts = order[:sure], order[sure:], size - sure
        # Laid end to end, each as long as its chance, the others make a line on which one dart is thrown at each unit.
        self.ends = np.cumsum(weights[sure:]) * (self.darts / max(1.0, weights[sure:].sum()))
        self.ends[-1:] = self.darts  # whatever the sum was rounded to
        starts = np.concatenate([[0], self.ends])[:-1]
        unit = np.floor(self.ends)
        one, two = 1 - (self.ends - starts), (1 - (unit - starts)) * (1 - (self.ends - unit))
        self.log_missed = np.full(len(counts), -np.inf)  # by all darts
        self.log_missed[self.unsure] = np.log(np.where(starts >= unit, one, two))

    def sample(self, words: np.ndarray, rng: np.random.Generator) -> Sample:
        """The `words` of a step, of any shape, together with those that are drawn."""
        hit = np.searchsorted(self.ends, np.arange(self.darts) + rng.random(self.darts))
        together = np.unique(np.concatenate([words.ravel(), self.sure, self.unsure[hit]]))
        log_missing = words.size * self.log_absent[together] + self.log_missed[together]
        return Sample(together, np.log(-np.expm1(log_missing)))
