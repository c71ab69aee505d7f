"""Our networks against PyTorch's: the same weights, the same words, the same answers."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rnncli.lm.mixture import Mixture, MixtureState
from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig

HERE = Path(__file__).parent
SHAPES = {
    "elman_tanh": {"cell": "elman", "activation": "tanh", "tied": False},
    "elman_relu": {"cell": "elman", "activation": "relu", "tied": False},
    "gru": {"cell": "gru", "tied": False},
    "lstm": {"cell": "lstm", "tied": False},
    "lstm_tied": {"cell": "lstm", "tied": True},
}
every_shape = pytest.mark.parametrize("name", SHAPES)


@pytest.fixture(scope="module")
def oracle() -> dict[str, np.ndarray]:
    with np.load(HERE / "oracle.npz", allow_pickle=False) as file:
        return dict(file)


def entries(oracle: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): value for key, value in oracle.items() if key.startswith(prefix)}


def config(name: str) -> NetworkConfig:
    sizes = {"vocabulary_size": 11, "embedding_size": 5, "hidden_size": 4, "layers": 2}
    dropouts = {"dropout": 0.0, "word_dropout": 0.0, "recurrent_dropout": 0.0}
    return NetworkConfig(**sizes, **dropouts, **SHAPES[name])


@every_shape
def test_outputs_losses_and_every_gradient_are_those_of_pytorch(oracle, exact_distribution, name):
    expected = entries(oracle, f"{name}/")
    network = Network(config(name), entries(expected, "values."))
    lm = Mixture([network], 11)
    state = network.zero_state(3)
    for window, words in enumerate(expected["words"]):
        inputs = words[:-1]
        loss, after, backward = network.loss(inputs, words[1:], state)
        np.testing.assert_allclose(loss, expected[f"loss.{window}"])
        reading = MixtureState(3, (state,))
        for t in range(len(inputs)):
            reading = lm.read(inputs[t : t + 1], reading)
            np.testing.assert_allclose(np.log(exact_distribution(lm, reading)), expected[f"log_p.{window}"][t])
        state = after
    backward()
    gradients = entries(expected, "grad.")
    assert set(gradients) == set(network.parameters)
    for key, parameter in network.parameters.items():
        np.testing.assert_allclose(parameter.grad, gradients[key], rtol=1e-9, atol=1e-12)


@every_shape
def test_pytorch_still_says_the_same_where_it_is_installed(oracle, name):
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("make_oracle", HERE / "make_oracle.py")
    make_oracle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_oracle)
    expected = entries(oracle, f"{name}/")
    assert make_oracle.CONFIGS[name] == config(name)
    for key, value in make_oracle.answers(config(name), entries(expected, "values."), expected["words"]).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-9, atol=1e-12)
