"""Lets a network learn from the text it reads, for dynamic evaluation (Krause et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..nn.mean_squares import MeanSquares
from ..nn.parameters import Parameter
from ..nn.sampling import Sample, Sampler
from ..text.vocabulary import EOS_ID
from .interface import Part
from .noise import StepNoise

# Chosen on validation texts: see docs/experiments.md.
RATE = 2e-3
DECAY = 5e-3
SAMPLES = 1000  # words that the softmax of a step is over, besides those of the window
ZIPF_OFFSET = 10  # added to the rank of a word: its inverse is then about proportional to the word's frequency


class Trainable(Part, Protocol):
    """A part with parameters and a loss: a `Network`."""

    parameters: dict[str, Parameter]

    def zero_state(self, batch: int) -> Any:
        """Return the state before anything was read."""

    def clear(self) -> None:
        """Begin all gradients anew, with zeros."""

    def use(self, inputs: np.ndarray, sample: Sample | None) -> None:
        """Begin the gradients of the word tables: only of the rows that a step touches."""

    def loss(
        self, inputs: np.ndarray, targets: np.ndarray, state: Any, noise: StepNoise | None
    ) -> tuple[float, Any, Callable[..., None]]:
        """Return the mean loss, the state after the inputs, and what adds the derivative to the gradients."""


class NetworkLearner:
    """A copy of a network that learns.

    After each window of words, a step goes down the gradient of the loss of their prediction, divided by the root of
    its mean squares so far; then a little of the way back to the first values, so that the network does not drift off.
    Of the word tables, a step touches the rows of the window and of a sample.
    """

    def __init__(
        self,
        copy: Trainable,
        vocabulary_size: int,
        state: Any | None = None,
        rate: float = RATE,
        decay: float = DECAY,
    ):
        """Take a copy of a network, and the state after a text that was read before, if there is one."""
        self.part = copy
        self.first_values = {name: parameter.value.copy() for name, parameter in copy.parameters.items()}
        self.squares = {name: MeanSquares(value.shape) for name, value in self.first_values.items()}
        self.rate = rate
        self.decay = decay
        # The last word, and the network's state before it. After a text that was read before, only the state after
        # the last word is known.
        self.last_word = np.full((1, 1), EOS_ID) if state is None else np.empty((0, 1), np.int32)
        self.carried = self.part.zero_state(1) if state is None else state
        self.rng = np.random.default_rng(0)
        self.sampler = None
        if vocabulary_size > 2 * SAMPLES:
            self.sampler = Sampler(vocabulary_size / (ZIPF_OFFSET + np.arange(vocabulary_size)), SAMPLES)

    def learn(self, words: np.ndarray) -> None:
        """Learn from the next `words` (T, 1); after an earlier text, the first word is only an input."""
        inputs = np.concatenate([self.last_word, words[:-1]])
        self.last_word = words[-1:]
        if not len(inputs):
            return
        targets = words[-len(inputs) :]
        network = self.part
        noise = None
        network.clear()
        if self.sampler:
            noise = StepNoise(sample=self.sampler.sample(np.concatenate([inputs[:1], targets]), self.rng))
            network.use(inputs, noise.sample)
        _, self.carried, backward = network.loss(inputs, targets, self.carried, noise)
        backward()
        if all(np.isfinite(parameter.grad).all() for parameter in network.parameters.values()):
            self._step()

    def _step(self) -> None:
        for name, parameter in self.part.parameters.items():
            rows = parameter.rows
            where = slice(None) if rows is None else rows
            step = parameter.grad
            self.squares[name].add(step, rows)
            self.squares[name].divide(step, rows)
            step *= -self.rate
            step += self.decay * (self.first_values[name][where] - parameter.value[where])
            parameter.value[where] += step
