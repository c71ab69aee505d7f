"""Dynamic evaluation: a model goes on learning from the text it reads (Krause et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..nn.optimizers import clip_by_global_norm
from ..nn.threads import one_thread
from ..text.vocabulary import EOS_ID
from .mixture import Mixture
from .network import Network, NetworkState

WINDOW_WORDS = 20  # that are read before the network learns from them
# Chosen on validation texts: see docs/experiments.md.
RATE = 0.25
DECAY = 1e-3
CLIP = 1.0


class NetworkLearner:
    """A copy of a network that learns.

    After each window of words, a step of gradient descent goes down the loss of their prediction; then a little of the
    way back to the first values, so that the network does not drift off.
    """

    def __init__(self, network: Network, state: NetworkState | None = None, rate: float = RATE, decay: float = DECAY):
        self.first_values = network.values()
        self.rate = rate
        self.decay = decay
        self.part = Network(network.config, {name: value.copy() for name, value in self.first_values.items()})
        # The last word, and the network's state before it. After a text that was read before, only the state after
        # the last word is known.
        self.last_word = np.full((1, 1), EOS_ID) if state is None else np.empty((0, 1), np.int32)
        self.carried = self.part.zero_state(1) if state is None else state

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1); after an earlier text, the first word only shows the way."""
        inputs = np.concatenate([self.last_word, words[:-1]])
        self.last_word = words[-1:]
        if not len(inputs):
            return
        network = self.part
        network.clear()
        _, self.carried, backward = network.loss(inputs, words[-len(inputs) :], self.carried)
        backward()
        if np.isfinite(clip_by_global_norm(network.parameters, CLIP)):
            self._step()

    def _step(self) -> None:
        for name, parameter in self.part.parameters.items():
            grad = parameter.grad
            value = parameter.value
            grad *= self.rate
            value -= grad
            np.subtract(self.first_values[name], value, out=grad)  # the way back
            grad *= self.decay
            value += grad


class Learner:
    """A mixture of which every part that can learns; the one it is made from stays as it is."""

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
