"""The recurrent language model: the wiring of its layers. The arithmetic is in `rnncli.nn`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..declaration import declarations
from ..nn.buffers import Empty
from ..nn.cells import LayerState
from ..nn.layers import Embedding, Linear, dropout
from ..nn.parameters import Parameter
from ..nn.quantized import Quantized, QuantizedParameter
from ..nn.recurrent import Recurrent
from ..nn.softmax import Softmax
from ..text.vocabulary import EOS_ID
from .interface import Part, PartLearner, StoredParts
from .network_config import NetworkConfig
from .packing import SIZES, packed, packed_names, stored_value

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..nn.sampling import Sample
    from .noise import StepNoise

NetworkState = tuple[LayerState, ...]  # one for each layer, the first layer first
BatchBackward = Callable[..., None]  # back-propagates a loss, scaled by its argument (1 by default), into the gradients
BITS = "bits"  # in the configuration of a model file
SHOWN_FIRST = ("cell", "layers", "embedding_size", "hidden_size", "tied")  # by `info`
MIN_WORDS_TO_SHARE = 64  # of a pass, from which on it pays to find those that occur twice
MAX_PARAMETER = 1e6  # larger ones do not occur in a sound model, and sums of them might overflow


class Network(Part):
    """A recurrent language model. Its context is the features (T, B, D) from which the softmax predicts."""

    name: ClassVar[str] = "network"
    prior_weight: ClassVar[float] = 0.7
    least_weight: ClassVar[float] = 1e-3  # the network alone gives every word a probability that fits its context

    def __init__(self, config: NetworkConfig, values: Mapping[str, np.ndarray | Quantized], bits: int = 32):
        """Wire the `values` (by the names of `config.shapes()`) together; they are used, not copied.

        A file holds each number of a matrix in so many `bits`: see `rnncli.lm.packing`.
        """
        self.config = config
        self.bits = bits
        self.parameters = {name: _parameter(values[name]) for name in config.shapes()}
        p = self.parameters
        cell = config.make_cell()
        self.embedding = Embedding(p["embedding.weight"])
        self.layers = [
            Recurrent(
                cell,
                p[f"recurrent.{i}.input_weight"],
                p[f"recurrent.{i}.recurrent_weight"],
                p[f"recurrent.{i}.bias"],
            )
            for i in range(config.layers)
        ]
        is_projected = config.is_projected
        self.projection = Linear(p["projection.weight"], p["projection.bias"]) if is_projected else None
        self.softmax = Softmax(p["embedding.weight" if config.tied else "softmax.weight"], p["softmax.bias"])

    def values(self) -> dict[str, np.ndarray]:
        """Return the value of every parameter by name, not copied; a shared one once."""
        return {name: parameter.value for name, parameter in self.parameters.items()}

    # Predicting.

    def zero_state(self, batch: int) -> NetworkState:
        """Return the state before anything was read."""
        return tuple(layer.zero_state(batch) for layer in self.layers)

    def initial_state(self, batch: int) -> NetworkState:
        """Return the state at the beginning of a unit: after `<eos>`."""
        return self._outputs(np.full((1, batch), EOS_ID), self.zero_state(batch))[1]

    def advance(
        self, words: np.ndarray, state: NetworkState, before: Mapping[str, Any]
    ) -> tuple[np.ndarray, NetworkState]:
        """Read `words` (T, B): return the features (T, B, D) before each of them, and the state after them."""
        outputs, after = self._outputs(words, state)
        return self._projected(np.concatenate([state[-1].h[None], outputs[:-1]])), after

    def read(self, words: np.ndarray, state: NetworkState) -> NetworkState:
        """Return the state after reading `words` (T, B)."""
        return self._outputs(words, state)[1]

    def context(self, state: NetworkState, before: Mapping[str, Any]) -> np.ndarray:
        """Return the features (1, B, D) after the last word that was read."""
        return self._projected(state[-1].h)[None]

    def probability(self, words: np.ndarray, context: np.ndarray, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B); the softmax of equal contexts is shared."""
        features = context.reshape(words.size, -1)
        nll = np.empty(words.size)
        if prefixes is None:
            nll[:] = self.softmax.score(features, words.ravel())
        else:
            _, first, rows = np.unique(prefixes, return_index=True, return_inverse=True)
            order = np.argsort(rows, axis=None, kind="stable")
            nll[order] = self.softmax.score(features[first], words.ravel()[order], rows.ravel()[order])
        p: np.ndarray = np.exp(-nll).reshape(words.shape)
        return p

    def score(self, words: np.ndarray, state: NetworkState) -> tuple[np.ndarray, NetworkState]:
        """Return minus the log-probability (T, B) of each of the `words`, however large, and the state after them."""
        context, after = self.advance(words, state, {})
        nll = self.softmax.score(context.reshape(words.size, -1), words.ravel())
        return nll.reshape(words.shape), after

    def add_to(self, p: np.ndarray, context: np.ndarray, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        p += self.weighted(context, weight, p.shape[2])

    def examine(self, p: np.ndarray, context: np.ndarray, weight: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Do `add_to`, and return the probability (T, B) of each of the `words`: the softmax is computed once."""
        own = self.weighted(context, np.ones_like(weight), p.shape[2])
        probability = np.take_along_axis(own, words[..., None], axis=2)[..., 0]
        np.maximum(probability, np.finfo(own.dtype).tiny, out=probability)  # none would have no logarithm
        own *= weight[..., None]
        p += own
        return probability

    def weighted(self, context: np.ndarray, weight: np.ndarray, vocabulary_size: int) -> np.ndarray:
        """Return the probabilities of all words, times `weight` (T, B), in a new array (T, B, V)."""
        features = context.reshape(weight.size, -1)
        p = self.softmax.probabilities(features, weight.ravel().astype(features.dtype))
        return p.reshape(*weight.shape, vocabulary_size)

    def _outputs(self, words: np.ndarray, state: NetworkState) -> tuple[np.ndarray, NetworkState]:
        if words.size < MIN_WORDS_TO_SHARE:
            x, _ = self.embedding.forward(words)
            x, last, _ = self.layers[0].forward(x, state[0])
        else:
            distinct, places = np.unique(words, return_inverse=True)
            rows, _ = self.embedding.forward(distinct)
            x, last = self.layers[0].read(rows, places.reshape(words.shape), state[0])
        after = [last]
        for layer, before in zip(self.layers[1:], state[1:], strict=True):
            x, last, _ = layer.forward(x, before)
            after.append(last)
        return x, tuple(after)

    def _projected(self, h: np.ndarray) -> np.ndarray:
        return h if self.projection is None else self.projection.forward(h)[0]

    # Training.

    def replica(self) -> Network:
        """Return a network with the same values (shared, not copied), and gradients of its own."""
        return Network(self.config, self.values())

    def clear(self) -> None:
        """Begin all gradients anew, with zeros."""
        for parameter in self.parameters.values():
            parameter.clear()

    def use(self, inputs: np.ndarray, sample: Sample | None) -> None:
        """Begin the gradients of the word tables for a step: only of the rows that it touches."""
        if sample is not None:
            for table in {
                self.embedding.weight,
                self.softmax.weight,
                self.softmax.bias,
            }:  # a set: tied layers share one
                table.use(sample.words)
        elif not self.config.tied:
            self.embedding.weight.use(np.unique(inputs))

    def loss(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        state: NetworkState,
        noise: StepNoise | None = None,
        empty: Empty = np.empty,
    ) -> tuple[float, NetworkState, BatchBackward]:
        """Compute the mean loss in nats of predicting `targets` (T, B), each after the input in its place (T, B).

        Returns the loss, the state after the inputs, and `backward`, which adds the loss's derivative to the gradients
        of all parameters, times its argument: the fraction of the batch that this network is given. It is for one
        call. Without `noise` nothing is hidden, and the softmax is over all words.
        """
        masks = iter(noise.masks if noise else ())
        state_masks = iter(noise.state_masks if noise else ())
        backwards: list[Callable[[np.ndarray], np.ndarray]] = []
        x, embedding_backward = self.embedding.forward(inputs, empty)
        x, word_backward = dropout(x, noise.word_mask if noise else None, empty)
        backwards.append(word_backward)
        after = []
        for layer, before in zip(self.layers, state, strict=True):
            x, mask_backward = dropout(x, next(masks, None), empty)
            x, last, layer_backward = layer.forward(x, before, empty, next(state_masks, None))
            backwards += [mask_backward, _input_only(layer_backward)]
            after.append(last)
        x, mask_backward = dropout(x, next(masks, None), empty)
        backwards.append(mask_backward)
        if self.projection is not None:
            x, projection_backward = self.projection.forward(x, empty)
            backwards.append(projection_backward)
        rows = x.reshape(targets.size, -1)
        nll, softmax_backward = self.softmax.forward(rows, targets.ravel(), noise.sample if noise else None, empty)

        def backward(batch_fraction: float = 1.0) -> None:
            d_nll = np.full(targets.size, batch_fraction / targets.size, x.dtype)
            d_x = softmax_backward(d_nll).reshape(x.shape)
            for step_back in reversed(backwards):
                d_x = step_back(d_x)
            embedding_backward(d_x)

        return float(nll.mean(dtype=np.float64)), tuple(after), backward

    def learner(self, state: NetworkState | None) -> PartLearner:
        """Return what makes a copy of this network learn from the text it reads."""
        from .network_learner import NetworkLearner

        copy = LearnedNetwork(self.config, {name: value.copy() for name, value in self.values().items()})
        return NetworkLearner(copy, self.config.vocabulary_size, state)

    # Storing and showing.

    def with_bits(self, bits: int) -> Network:
        """Return the network as it is after a file has held it in so many bits."""
        arrays = packed(self.values(), bits)
        values = {name: stored_value(arrays, name, shape, bits) for name, shape in self.config.shapes().items()}
        return Network(self.config, values, bits)

    def stored_config(self) -> dict[str, Any]:
        """Return the shape, the dropouts, and the bits if they are not 32."""
        return {self.name: asdict(self.config) | ({BITS: self.bits} if self.bits < 32 else {})}

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return every parameter under its name, packed."""
        return packed(self.values(), self.bits)

    def stored_names(self) -> list[str]:
        """Return the names of these arrays, without packing them."""
        return packed_names(self.config.shapes(), self.bits)

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the network of a model file."""
        if cls.name not in stored.config:
            return None
        config = NetworkConfig.from_json(stored.config[cls.name])
        if config.vocabulary_size != stored.vocabulary_size:
            raise ValueError(f"its vocabulary is not one of {config.vocabulary_size} different words")
        bits = stored.config[cls.name].get(BITS, 32)
        if bits not in SIZES:
            raise ValueError(f"its numbers have {bits!r:.40} bits")
        values = {}
        for name, shape in config.shapes().items():
            values[name] = value = stored_value(stored.arrays, name, shape, bits)
            if not is_moderate(value.extremes() if isinstance(value, Quantized) else value):
                raise ValueError(f"{name} holds values that are not finite, or huge")
        return cls(config, values, bits)

    def facts(self) -> dict[str, Any]:
        """Return the shape, the dropouts and the number of parameters."""
        others = [name for name in declarations(self.config) if name not in (*SHOWN_FIRST, "activation")]
        facts = {name: getattr(self.config, name) for name in (*SHOWN_FIRST, *others)}
        if self.config.cell == "elman":
            facts["cell"] = f"elman ({self.config.activation})"
        facts["parameters"] = sum(map(math.prod, self.config.shapes().values()))
        return facts | ({BITS: self.bits} if self.bits < 32 else {})


class LearnedNetwork(Network):
    """A copy of a network that learns from what it reads."""

    name = "learned"


def _parameter(value: np.ndarray | Quantized) -> Parameter:
    return QuantizedParameter(value) if isinstance(value, Quantized) else Parameter(value)


def is_moderate(value: np.ndarray) -> bool:
    """Whether all numbers of a value are finite, and none is huge."""
    return bool(value.min() > -MAX_PARAMETER and value.max() < MAX_PARAMETER)


def _input_only(
    backward: Callable[..., tuple[np.ndarray, LayerState]],
) -> Callable[[np.ndarray], np.ndarray]:
    """Drop the gradient of a layer's first state: back-propagation is truncated there."""
    return lambda d_out: backward(d_out)[0]
