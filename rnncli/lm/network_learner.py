"""Lets a network learn from the text it reads, for dynamic evaluation (Krause et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..nn.optimizers import clip_by_global_norm
from ..nn.parameters import Parameter
from ..text.vocabulary import EOS_ID
from .interface import Part

# Chosen on validation texts: see docs/experiments.md.
RATE = 0.25
DECAY = 1e-3
CLIP = 1.0


class Trainable(Part, Protocol):
    """A part with parameters and a loss: a `Network`."""

    parameters: dict[str, Parameter]

    def zero_state(self, batch: int) -> Any:
        """Return the state before anything was read."""

    def clear(self) -> None:
        """Begin all gradients anew, with zeros."""

    def loss(self, inputs: np.ndarray, targets: np.ndarray, state: Any) -> tuple[float, Any, Callable[..., None]]:
        """Return the mean loss, the state after the inputs, and what adds the derivative to the gradients."""


class NetworkLearner:
    """A copy of a network that learns.

    After each window of words, a step of gradient descent goes down the loss of their prediction; then a little of the
    way back to the first values, so that the network does not drift off.
    """

    def __init__(self, copy: Trainable, state: Any | None = None, rate: float = RATE, decay: float = DECAY):
        """Take a copy of a network, and the state after a text that was read before, if there is one."""
        self.part = copy
        self.first_values = {name: parameter.value.copy() for name, parameter in copy.parameters.items()}
        self.rate = rate
        self.decay = decay
        # The last word, and the network's state before it. After a text that was read before, only the state after
        # the last word is known.
        self.last_word = np.full((1, 1), EOS_ID) if state is None else np.empty((0, 1), np.int32)
        self.carried = self.part.zero_state(1) if state is None else state

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1); after an earlier text, the first word is only an input."""
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
