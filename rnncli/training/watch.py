"""The held-out words that a training is watched by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..lm.mixture import WORDS_PER_PASS, Mixture
from ..lm.ngram import NGram
from ..lm.perplexity import SEQUENCES_PER_JOB, Scorer, mean_loss
from ..text.batches import excerpts

MAX_TEXTS = 32  # that a whole text is cut into, where units begin, to be read side by side
WORDS_PER_SAMPLE = 16  # that are predicted in one place
RUN_UP_WORDS = 48  # that are read before them, so that the network knows what they follow
MAX_WORDS_OF_WHOLE = 2**20  # of a very long text, that the n-grams read instead of the whole
WORDS_PER_PIECE = 256  # of those
SAMPLES_PER_JOB = 8 * SEQUENCES_PER_JOB
Map = Callable[..., Any]


def ngram_loss(ngram: NGram, ids: np.ndarray, side_by_side: Map = map) -> float:
    """Return the mean loss in nats of n-grams on a held-out text (N,): they read the whole of it soon."""
    words = min(len(ids), MAX_WORDS_OF_WHOLE)
    return mean_loss(
        Mixture([ngram], len(ngram.unigrams)), excerpts(ids, words, words // WORDS_PER_PIECE), side_by_side
    )


class Watch:
    """Estimates the mean loss of a network, or another language model, on a held-out text (N,).

    Read whole, the text is cut into a few pieces. Else some words are predicted in many places all over it. How much
    less likely they are than the whole text is to the n-grams, which read all of it soon, is taken off.
    """

    def __init__(self, ids: np.ndarray, words: int, ngram: NGram | None, side_by_side: Map = map):
        """Watch about so many words. Several threads may work: see `mean_loss`."""
        self.side_by_side = side_by_side
        # In many places, a word takes about twice as long, as more words are read than are predicted.
        self.is_whole = 2 * words >= len(ids) or len(ids) < RUN_UP_WORDS + WORDS_PER_SAMPLE
        if self.is_whole:
            self.texts = excerpts(ids, len(ids), min(MAX_TEXTS, len(ids) // WORDS_PER_PASS))
            self.words = len(ids)
            return
        samples = max(1, words // WORDS_PER_SAMPLE)
        starts = ((np.arange(samples) + 0.5) * len(ids) / samples).astype(np.int64) - WORDS_PER_SAMPLE // 2
        starts = np.clip(starts, RUN_UP_WORDS, len(ids) - WORDS_PER_SAMPLE)
        self.samples = ids[starts + np.arange(-RUN_UP_WORDS, WORDS_PER_SAMPLE)[:, None]]  # (T, samples)
        self.words = samples * WORDS_PER_SAMPLE
        self.excess = 0.0
        if ngram is not None:
            alone = Mixture([ngram], len(ngram.unigrams))
            self.excess = self._mean_loss(alone) - ngram_loss(ngram, ids, side_by_side)

    def loss(self, lm: Scorer) -> float:
        """Return the mean loss in nats of a language model on the text, or an estimate of it."""
        if self.is_whole:
            return mean_loss(lm, self.texts, self.side_by_side)
        return self._mean_loss(lm) - self.excess

    def _mean_loss(self, lm: Scorer) -> float:
        def loss(first: int) -> float:
            words = self.samples[:, first : first + SAMPLES_PER_JOB]
            with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged predicts nothing
                state = lm.read(words[:RUN_UP_WORDS], lm.initial_state(words.shape[1]))
                nll, _ = lm.score(words[RUN_UP_WORDS:], state)
            return float(nll.sum(dtype=np.float64))

        losses = self.side_by_side(loss, range(0, self.samples.shape[1], SAMPLES_PER_JOB))
        return float(sum(losses)) / self.words
