"""Writes one step of some networks as a graph of ONNX: a word and the state before it in, probabilities out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from .network import Network
from .state_dict import by_gates

OPSET = 17
IR_VERSION = 8  # of the files that OPSET came with
# By cell: the operator, and the gates in its order as numbers of ours. ONNX has the update gate of a GRU first.
OPERATORS: dict[str, tuple[str, tuple[int, ...]]] = {
    "elman": ("RNN", (0,)),
    "gru": ("GRU", (1, 0, 2)),
    "lstm": ("LSTM", (0, 2, 1, 3)),
}
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}


def onnx_step(
    networks: Sequence[Network], words: Sequence[str], about: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """Return the file of a graph: the step of a batch (B,) of `word` numbers, by networks of one shape.

    The state `h` (N, L, B, H), for N networks of L layers, and that of an LSTM's memory, `c`, begin as zeros. Outputs
    are the mean `probabilities` (B, V), and the state after the word, `h_after` and `c_after`. The `words` of the
    numbers are in the metadata, as JSON, and so is what is told `about` the networks, as text.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    config = networks[0].config
    shape: list[str | int | None] = [len(networks), config.layers, "batch", config.hidden_size]
    fields = ["h", "c"] if config.cell == "lstm" else ["h"]
    of_networks = [_add_network(graph, network, number, fields) for number, network in enumerate(networks)]
    graph.add("Mean", [p for p, _ in of_networks], ["probabilities"])
    for place, field in enumerate(fields):
        graph.add("Concat", [states[place] for _, states in of_networks], [f"{field}_after"], axis=0)
    state = [helper.make_tensor_value_info(field, TensorProto.FLOAT, shape) for field in fields]
    after = [helper.make_tensor_value_info(f"{field}_after", TensorProto.FLOAT, shape) for field in fields]
    p = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", config.vocabulary_size])
    word = helper.make_tensor_value_info("word", TensorProto.INT64, ["batch"])
    built = helper.make_graph(graph.nodes, "step", [word, *state], [p, *after], graph.values)
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, {"words": json.dumps(list(words)), **about})
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


class _Graph:
    """The nodes of a graph, and the values that it holds."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.values: list[Any] = []

    def add(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> str:
        """Add a node; returns the name of its first output that has one."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), **attributes))
        return next(filter(None, outputs))

    def value(self, name: str, value: np.ndarray) -> str:
        """Hold a value; returns its name."""
        from onnx import numpy_helper

        self.values.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name


def _add_network(graph: _Graph, network: Network, number: int, fields: Sequence[str]) -> tuple[str, list[str]]:
    """Add a network to the graph: returns the names of its probabilities and of its state, (1, L, B, H) each."""
    config = network.config
    values = network.values()
    own = f"network{number}"
    table = graph.value(f"{own}.embedding", values["embedding.weight"])
    first = graph.value(f"{own}.first", np.zeros(1, np.int64))
    x = graph.add("Gather", [table, "word"], [f"{own}.vectors"])
    x = graph.add("Unsqueeze", [x, first], [f"{own}.input"])  # a sequence of one word
    before = []
    for field in fields:
        place = graph.value(f"{own}.{field}.place", np.array(number))
        before.append(graph.add("Gather", [field, place], [f"{own}.{field}"], axis=0))
    after: list[list[str]] = [[] for _ in fields]
    for layer in range(config.layers):
        x, states = _add_layer(graph, network, f"{own}.{layer}", layer, x, before)
        for of_field, state in zip(after, states, strict=True):
            of_field.append(state)
    x = graph.add("Squeeze", [x, first], [f"{own}.features"])
    if config.is_projected:
        weight = graph.value(f"{own}.projection.weight", values["projection.weight"])
        bias = graph.value(f"{own}.projection.bias", values["projection.bias"])
        x = graph.add("Gemm", [x, weight, bias], [f"{own}.projected"])
    decoder = table if config.tied else graph.value(f"{own}.decoder", values["softmax.weight"])
    bias = graph.value(f"{own}.decoder.bias", values["softmax.bias"])
    x = graph.add("Gemm", [x, decoder, bias], [f"{own}.logits"], transB=1)
    p = graph.add("Softmax", [x], [f"{own}.probabilities"], axis=1)
    joined = [
        graph.add(
            "Unsqueeze",
            [graph.add("Concat", states, [f"{own}.{field}.layers"], axis=0), first],
            [f"{own}.{field}.after"],
        )
        for field, states in zip(fields, after, strict=True)
    ]
    return p, joined


def _add_layer(
    graph: _Graph, network: Network, own: str, layer: int, x: str, before: Sequence[str]
) -> tuple[str, list[str]]:
    """Add a recurrent layer: returns the names of its output (1, B, H) and of its state after the word."""
    config = network.config
    operator, gates = OPERATORS[config.cell]
    values = {name: value for name, value in network.values().items() if name.startswith(f"recurrent.{layer}.")}
    ordered = {name.rpartition(".")[2]: by_gates(value, gates) for name, value in values.items()}
    weight = graph.value(f"{own}.weight", ordered["input_weight"].T[None])
    recurrent = graph.value(f"{own}.recurrent", ordered["recurrent_weight"].T[None])
    bias = graph.value(f"{own}.bias", np.concatenate([ordered["bias"], np.zeros_like(ordered["bias"])])[None])
    place = graph.value(f"{own}.place", np.array([layer]))
    states = [graph.add("Gather", [field, place], [f"{own}.{n}.before"], axis=0) for n, field in enumerate(before)]
    outputs = [f"{own}.{n}.after" for n in range(len(states))]
    attributes: dict[str, Any] = {"hidden_size": config.hidden_size}
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    if config.cell == "elman":
        attributes["activations"] = [ACTIVATIONS[config.activation]]
    graph.add(operator, [x, weight, recurrent, bias, "", *states], ["", *outputs], **attributes)
    return outputs[0], outputs
