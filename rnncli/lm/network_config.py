"""The shape of a network: its parameters, and the values that training starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..declaration import declarations
from ..errors import SettingError
from ..network_options import NetworkOptions
from ..nn.cells import Cell, make_cell
from ..nn.parameters import glorot, orthogonal, uniform
from ..text.vocabulary import UNK_ID

WORD_TABLES = ("embedding.weight", "softmax.weight", "softmax.bias")  # parameters with a row for each word
MAX_VOCABULARY = 10**8
VECTOR_RMS = 0.08  # the root mean square of the numbers in the vector of a word at first
RANDOM_FRACTION = 0.5  # of the usual random vectors, which is added: it tells words apart that have the same neighbours
OLD_DEFAULTS = {  # of options that a model file may lack
    "hidden_size": 256,
    "embedding_size": 256,
    "dropout": 0.0,
    "word_dropout": 0.0,
    "recurrent_dropout": 0.0,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class NetworkConfig(NetworkOptions):
    """Everything that decides a network's shape, and the dropout it is trained with; nothing is left open."""

    vocabulary_size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        open_options = [name for name in declarations(self) if getattr(self, name) is None]
        if open_options:
            raise SettingError(f"{open_options[0]} is None, and must have a value")
        if not isinstance(self.vocabulary_size, int) or not 1 <= self.vocabulary_size <= MAX_VOCABULARY:
            raise SettingError(
                f"vocabulary_size is {self.vocabulary_size}, and must be a whole number from 1 to {MAX_VOCABULARY:,}"
            )
        check_activation(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Read a configuration from a model file; what an older file does not tell is as it was then."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{**OLD_DEFAULTS, **{name: value for name, value in values.items() if name in known}})

    def make_cell(self) -> Cell:
        """Make the cell that this network's layers run."""
        return make_cell(self.cell, self.activation)

    @property
    def width(self) -> int:
        """How many features the softmax sees."""
        return self.embedding_size if self.tied else self.hidden_size

    @property
    def is_projected(self) -> bool:
        """Whether features are projected to the embedding's size before they meet the tied table."""
        return self.tied and self.embedding_size != self.hidden_size

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every parameter."""
        embedding_size = self.embedding_size
        hidden_size = self.hidden_size
        width = self.make_cell().gates * hidden_size
        shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (self.vocabulary_size, embedding_size)}
        for layer in range(self.layers):
            inputs = embedding_size if layer == 0 else hidden_size
            shapes[f"recurrent.{layer}.input_weight"] = (inputs, width)
            shapes[f"recurrent.{layer}.recurrent_weight"] = (hidden_size, width)
            shapes[f"recurrent.{layer}.bias"] = (width,)
        if self.is_projected:
            shapes["projection.weight"] = (hidden_size, embedding_size)
            shapes["projection.bias"] = (embedding_size,)
        if not self.tied:
            shapes["softmax.weight"] = (self.vocabulary_size, hidden_size)
        shapes["softmax.bias"] = (self.vocabulary_size,)
        return shapes


def check_activation(options: NetworkOptions) -> None:
    """Raise `SettingError` where an activation is chosen for a cell that has its own."""
    if options.activation != "tanh" and options.cell != "elman":
        raise SettingError(f"activation={options.activation} is for the elman cell; {options.cell} has its own")


def initial_values(
    config: NetworkConfig,
    rng: np.random.Generator,
    counts: np.ndarray | None = None,
    vectors: np.ndarray | None = None,
    dtype: type = np.float32,
) -> dict[str, np.ndarray]:
    """Draw the values that training starts from, by parameter name.

    Word tables are small and uniform, input matrices Glorot's, each gate's recurrent matrix is orthogonal. With the
    `counts` (V,) of the training text's words, the output bias is the log of their frequencies, so that training need
    not begin by learning those. With `vectors` (V, D) of length 1, words whose vectors are alike begin alike.
    """
    values = {name: _initial_value(config, name, shape, rng, counts) for name, shape in config.shapes().items()}
    if vectors is not None:
        rotation = orthogonal(rng, config.embedding_size)  # so that all features matter alike to dropout
        table = values["embedding.weight"]
        table *= RANDOM_FRACTION
        table += vectors @ (VECTOR_RMS * config.embedding_size**0.5 * rotation)
    return {name: np.ascontiguousarray(value, dtype) for name, value in values.items()}


def _initial_value(
    config: NetworkConfig, name: str, shape: tuple[int, ...], rng: np.random.Generator, counts: np.ndarray | None
) -> np.ndarray:
    cell = config.make_cell()
    hidden_size = config.hidden_size
    kind = name.rpartition(".")[2]
    if name in ("embedding.weight", "softmax.weight"):
        return uniform(rng, shape, 0.1)
    if kind == "recurrent_weight":
        return np.concatenate([orthogonal(rng, hidden_size) for _ in range(cell.gates)], axis=1)
    if kind == "input_weight":
        return np.concatenate([glorot(rng, shape[0], hidden_size) for _ in range(cell.gates)], axis=1)
    if name == "projection.weight":
        return glorot(rng, *shape)
    if name.startswith("recurrent"):
        return cell.initial_bias(hidden_size)
    if name == "softmax.bias" and counts is not None:
        log_frequencies: np.ndarray = np.log((counts + 1) / (counts.sum() + counts.size))
        return log_frequencies
    return np.zeros(shape)


def extended_values(values: Mapping[str, np.ndarray], counts: np.ndarray) -> dict[str, np.ndarray]:
    """Extend a network's values by rows for new words: those of `<unk>`, whose probability they divide among them.

    `counts` (V,) are how often each word occurs in a text, the new ones last.
    """
    old = len(values["softmax.bias"])
    weights = np.append(counts[old:], counts[UNK_ID]) + 1.0
    extended = dict(values)
    for name in WORD_TABLES:
        if name in values:
            new = np.repeat(values[name][[UNK_ID]], len(weights) - 1, axis=0)
            extended[name] = np.concatenate([values[name], new])
    extended["softmax.bias"][[*range(old, len(counts)), UNK_ID]] += np.log(weights / weights.sum())
    return extended
