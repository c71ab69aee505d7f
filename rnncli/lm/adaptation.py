"""Dynamic evaluation: a model goes on learning from the text it reads (Krause et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..nn.threads import one_thread
from .mixture import Mixture, MixtureContext, MixtureState

if TYPE_CHECKING:
    from ..callbacks import OnProgress

# Chosen on validation texts: see docs/experiments.md.
WINDOW_WORDS = 32  # that are read before the parts learn from them
TUNED_WORDS = 100.0  # of evidence that the tuned weights of a mixture count as, in each group of contexts


class Learner:
    """A mixture that learns from the text it reads; the original stays as it is.

    It has one more part: a copy of the network that learns. Its weights learn as well: the better a part predicts the
    text, the more weight it gets. So a text from which there is nothing to learn does little harm.
    """

    def __init__(self, mixture: Mixture):
        beginning = mixture.beginning
        parts = list(mixture.parts)
        states = list(beginning.states) if beginning else [None] * len(parts)
        weights = list(mixture.weights.T)
        self.learners = []
        for place, part in enumerate(mixture.parts):
            learner = part.learner(states[place])
            if not learner:
                continue
            if learner.part.name == part.name:  # it has learned from an earlier text
                parts[place] = learner.part
            elif learner.part.name in mixture.names:
                continue
            else:
                weights[place] = weights[place] / 2
                parts.append(learner.part)
                states.append(states[place])
                weights.append(weights[place])
            self.learners.append(learner)
        beginning = beginning and MixtureState(1, tuple(states))
        self.mixture = Mixture(parts, mixture.vocabulary_size, np.stack(weights, axis=1), beginning)
        self.earned = TUNED_WORDS * self.mixture.weights  # by each part (groups, parts), in probability of words
        self.claimed = np.full(self.mixture.weights.shape, TUNED_WORDS)  # for each unit of its weight

    def learn(self, words: np.ndarray, context: MixtureContext, probabilities: np.ndarray) -> None:
        """Learn from the next `words` (T, 1) of a text, after they were predicted.

        The parts gave them these `probabilities` (parts, T, 1) in this `context`. A part earns its fraction of the
        probability of each word. What it claims is the mass of its probabilities: one that claims little in most
        places, as the cache does, may have a large weight. Weights that are best for a text are in proportion to what
        the parts have earned over what each would have claimed alone.
        """
        earned = context.weights * probabilities
        earned /= np.maximum(earned.sum(axis=0), np.finfo(float).tiny)
        masses = np.stack(
            [np.broadcast_to(part.mass(context.contexts[part.name]), words.shape) for part in self.mixture.parts]
        )
        claimed = masses * context.weights.sum(axis=0)  # weights sum to one before they are divided by the whole mass
        groups = context.groups[:, 0]
        np.add.at(self.earned, groups, earned[:, :, 0].T)
        np.add.at(self.claimed, groups, claimed[:, :, 0].T)
        weights = self.earned / self.claimed
        self.mixture.weights[...] = weights / weights.sum(axis=1, keepdims=True)
        with one_thread():
            for learner in self.learners:
                learner.learn(words)


def adapted(mixture: Mixture, words: np.ndarray, progress: OnProgress = lambda fraction: None) -> Mixture:
    """Return the mixture after it has read, and learned from, the `words` (N,) of a text: it begins where that ended.

    Each window is read before it is learned from, as in a dynamic evaluation. `progress` is told the fraction of the
    words that is done, now and then.
    """
    learner = Learner(mixture)
    lm = learner.mixture
    state = lm.initial_state(1)
    for start in range(0, len(words), WINDOW_WORDS):
        window = words[start : start + WINDOW_WORDS, None]
        with one_thread():
            context, state = lm.advance(window, state)
        learner.learn(window, context, lm.probabilities(window, context))
        progress(min(1.0, (start + WINDOW_WORDS) / len(words)))
    return Mixture(lm.parts, lm.vocabulary_size, lm.weights, state)
