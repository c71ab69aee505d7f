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
    weight_masks: tuple[np.ndarray, ...] = ()  # (G, H, H), one for each layer: which recurrent weights are hidden
    sample: Sample | None = None  # the words that the softmax is over; None: all

    def for_sequences(self, sequences: slice) -> StepNoise:
        """Return the noise of some of the batch's sequences."""
        word_mask = None if self.word_mask is None else self.word_mask[:, sequences]
        return StepNoise([mask[sequences] for mask in self.masks], word_mask, self.weight_masks, self.sample)


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
    sizes = [config.embedding_size, *[config.hidden_size] * config.layers]
    masks = [dropout_mask(rng, config.dropout, (batch, size), dtype) for size in sizes]
    word_mask = None
    if config.word_dropout:
        different, index = np.unique(inputs, return_inverse=True)
        mask = dropout_mask(rng, config.word_dropout, (len(different),), dtype)
        word_mask = mask[index].reshape(*inputs.shape, 1)
    weight_masks: tuple[np.ndarray, ...] = ()
    if config.recurrent_dropout:
        shape = (config.make_cell().gates, config.hidden_size, config.hidden_size)
        weight_masks = tuple(dropout_mask(rng, config.recurrent_dropout, shape, dtype) for _ in range(config.layers))
    # All words of the window: the first inputs, and all targets, which contain the other inputs.
    sample = sampler.sample(np.concatenate([inputs[:1], targets]), rng) if sampler else None
    return StepNoise(masks if config.dropout else [], word_mask, weight_masks, sample)
