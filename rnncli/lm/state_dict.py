"""Writes networks as PyTorch names and lays out the parameters of its layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from .network import Network

# By cell: the gates in our order, as numbers of PyTorch's.
TORCH_GATES = {"elman": (0,), "gru": (0, 1, 2), "lstm": (0, 1, 3, 2)}


def state_dict(networks: Sequence[Network]) -> dict[str, np.ndarray]:
    """Return the parameters of some networks as the `state_dict` of a `ModuleList` of PyTorch has them.

    `embedding`, `rnn`, `projection` and `decoder` are the modules of a network. Tied tables are there once, as
    `embedding.weight`. Raises `ModelError` for a cell that PyTorch lacks.
    """
    return {f"{n}.{name}": value for n, own in enumerate(networks) for name, value in _of_network(own).items()}


def _of_network(network: Network) -> dict[str, np.ndarray]:
    config = network.config
    if config.activation == "sigmoid":
        raise ModelError("PyTorch has no Elman cell with a sigmoid: use the format onnx")
    values = network.values()
    named = {"embedding.weight": values["embedding.weight"]}
    for layer in range(config.layers):
        own = {kind: values[f"recurrent.{layer}.{kind}"] for kind in ("input_weight", "recurrent_weight", "bias")}
        ordered = {kind: by_gates(value, TORCH_GATES[config.cell]) for kind, value in own.items()}
        named[f"rnn.weight_ih_l{layer}"] = ordered["input_weight"].T
        named[f"rnn.weight_hh_l{layer}"] = ordered["recurrent_weight"].T
        named[f"rnn.bias_ih_l{layer}"] = ordered["bias"]
        named[f"rnn.bias_hh_l{layer}"] = np.zeros_like(ordered["bias"])
    if config.is_projected:
        named["projection.weight"] = values["projection.weight"].T
        named["projection.bias"] = values["projection.bias"]
    if not config.tied:
        named["decoder.weight"] = values["softmax.weight"]
    named["decoder.bias"] = values["softmax.bias"]
    return {name: np.ascontiguousarray(value, np.float32) for name, value in named.items()}


def by_gates(value: np.ndarray, gates: Sequence[int]) -> np.ndarray:
    """Return an array (..., G*H) with the blocks (..., H) of the gates in another order."""
    blocks = np.split(value, len(gates), axis=-1)
    return np.concatenate([blocks[gate] for gate in gates], axis=-1)
