"""Which words a step of training is over, where all words would be too many."""

from dataclasses import dataclass

import numpy as np

SMOOTHING = 0.75  # the power of a word's count by which it is drawn: rare words more often than they occur


@dataclass(frozen=True)
class Sample:
    """Some words, and how they came to be among them."""

    words: np.ndarray  # (S,), each once, in order
    log_chance: np.ndarray  # (S,), the log of each one's probability to be in the sample


class Sampler:
    """Draws words from a smoothed unigram distribution.

    The softmax over a step's own words and such a sample, with every logit lowered by the log of its word's chance to
    be there, estimates the softmax over all words (Bengio and Senecal 2008; Jean et al. 2015).
    """

    def __init__(self, counts: np.ndarray, draws: int):
        """Draw `draws` times from the words that occurred `counts` (V,) times; frequent words come more than once."""
        counts = counts + 1.0
        self.draws = draws
        self.log_absent = np.log1p(-counts / counts.sum())  # of each word from any one place of a text
        self.ends = np.cumsum(counts**SMOOTHING)
        self.ends *= draws / self.ends[-1]  # word w is on the line from ends[w - 1] to ends[w]

    def sample(self, words: np.ndarray, rng: np.random.Generator) -> Sample:
        """The `words` of a step, of any shape, and those that are hit by one dart thrown at each unit of the line."""
        darts = np.searchsorted(self.ends, np.arange(self.draws) + rng.random(self.draws))
        together = np.unique(np.concatenate([words.ravel(), np.minimum(darts, len(self.ends) - 1)]))
        log_missing = words.size * self.log_absent[together] + self._log_missed(together)
        return Sample(together, np.log(-np.expm1(log_missing)))

    def _log_missed(self, words: np.ndarray) -> np.ndarray:
        """The log of the probability (S,) that no dart hits a word; minus infinity where one must."""
        start, end = self.ends[words - 1], self.ends[words]
        start[words == 0] = 0
        first, last = np.floor(start), np.floor(end)
        # Within one unit; or the rest of the first and the beginning of the last, and none that is all its own between.
        one = 1 - (end - start)
        two = (start - first) * (last + 1 - end)
        with np.errstate(divide="ignore"):
            return np.log(np.where(first == last, one, np.where(last == first + 1, two, 0)))
