"""Dynamic evaluation: a model goes on learning from the text it reads (Krause et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..nn.threads import one_thread
from .mixture import Mixture

WINDOW_WORDS = 20  # that are read before the parts learn from them; chosen on validation texts


class Learner:
    """A mixture whose trainable parts learn from the text it reads; the original stays as it is."""

    def __init__(self, mixture: Mixture):
        beginning = mixture.beginning
        states = beginning.states if beginning else [None] * len(mixture.parts)
        learners = [part.learner(state) for part, state in zip(mixture.parts, states, strict=True)]
        parts = [learner.part if learner else part for part, learner in zip(mixture.parts, learners, strict=True)]
        self.learners = [learner for learner in learners if learner]
        self.mixture = Mixture(parts, mixture.vocabulary_size, mixture.weights, beginning)

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1) of a text, after they were predicted."""
        for learner in self.learners:
            learner.learn(words)


def adapted(
    mixture: Mixture, words: np.ndarray, progress: Callable[[float], object] = lambda fraction: None
) -> Mixture:
    """Return the mixture after it has read, and learned from, the `words` (N,) of a text: it begins where that ended.

    Each window is read before it is learned from, as in a dynamic evaluation. `progress` is told the fraction of the
    words that is done, now and then.
    """
    learner = Learner(mixture)
    state = learner.mixture.initial_state(1)
    with one_thread():
        for start in range(0, len(words), WINDOW_WORDS):
            window = words[start : start + WINDOW_WORDS, None]
            state = learner.mixture.read(window, state)
            learner.learn(window)
            progress(min(1.0, (start + WINDOW_WORDS) / len(words)))
    adapted_mixture = learner.mixture
    return Mixture(adapted_mixture.parts, mixture.vocabulary_size, mixture.weights, state)
