"""What is random in a step of training, drawn before it: so a step is a function of its arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..nn.layers import dropout_mask
from ..nn.sampling import Sample, Sampler
from .network_config import NetworkConfig


@dataclass(frozen=True)
class StepNoise:
    """The dropout masks and the sampled words of one step; without any, the step is exact."""

    masks: list[np.ndarray] = field(default_factory=list)  # (B, features): for the input of each layer and the softmax
    word_mask: np.ndarray | None = None  # (T, B, 1): which inputs are hidden as a whole
    state_masks: list[np.ndarray] = field(default_factory=list)  # (B, H): for the state of each layer
    sample: Sample | None = None  # the words that the softmax is over; None: all

    def for_sequences(self, sequences: slice) -> StepNoise:
        """Return the noise of some of the batch's sequences."""
        word_mask = None if self.word_mask is None else self.word_mask[:, sequences]
        masks, state_masks = ([mask[sequences] for mask in masks] for masks in (self.masks, self.state_masks))
        return StepNoise(masks, word_mask, state_masks, self.sample)

    def for_window(self, steps: slice) -> StepNoise:
        """Return the noise of some of the steps through time."""
        word_mask = None if self.word_mask is None else self.word_mask[steps]
        return StepNoise(self.masks, word_mask, self.state_masks, self.sample)


def draw_noise(
    config: NetworkConfig,
    inputs: np.ndarray,
    targets: np.ndarray,
    rng: np.random.Generator,
    sampler: Sampler | None = None,
    dtype: type = np.float32,
) -> StepNoise:
    """Draw the noise of a step on `inputs` and `targets` (T, B): the inputs moved on by one word."""
    batch = inputs.shape[1]
    sizes = [config.hidden_size] * config.layers

    def masks(rate: float, sizes: list[int]) -> list[np.ndarray]:
        return [dropout_mask(rng, rate, (batch, size), dtype) for size in sizes] if rate else []

    hidden = masks(config.dropout, [config.embedding_size, *sizes])
    word_mask = None
    if config.word_dropout:
        different, index = np.unique(inputs, return_inverse=True)
        mask = dropout_mask(rng, config.word_dropout, (len(different),), dtype)
        word_mask = mask[index].reshape(*inputs.shape, 1)
    state_masks = masks(config.recurrent_dropout, sizes)
    # All words of the window: the first inputs, and all targets, which contain the other inputs.
    sample = sampler.sample(np.concatenate([inputs[:1], targets]), rng) if sampler else None
    return StepNoise(hidden, word_mask, state_masks, sample)
