import numpy as np
import pytest

from rnncli.lm.mixture import Mixture, MixtureState
from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig

V = 7  # words


@pytest.fixture
def network_config():
    """Make the configuration of a small network; what is not named is the usual, without dropout."""

    def make(**changes) -> NetworkConfig:
        sizes = {"vocabulary_size": V, "embedding_size": 5, "hidden_size": 4}
        dropouts = {"dropout": 0.0, "word_dropout": 0.0, "recurrent_dropout": 0.0}
        return NetworkConfig(**{**sizes, **dropouts, **changes})

    return make


@pytest.fixture
def random_network(rng, network_config):
    """Make a small network, every parameter of it random."""

    def make(scale: float = 1.0, dtype: type = np.float32, **changes) -> Network:
        config = network_config(**changes)
        values = {name: rng.normal(scale=scale, size=size).astype(dtype) for name, size in config.shapes().items()}
        return Network(config, values)

    return make


@pytest.fixture
def network(random_network):
    return random_network()


@pytest.fixture
def text(rng):
    """Words that mostly go on by one."""
    return np.cumsum(rng.random(600) < 0.8) % V


@pytest.fixture
def exact_distribution():
    """Give the probabilities (B, V) of all words after a state, in double precision."""

    def distribution(mixture: Mixture, state: MixtureState) -> np.ndarray:
        context = mixture.context(state)
        p = np.zeros((1, state.batch, mixture.vocabulary_size))
        for part, weight in zip(mixture.parts, context.weights, strict=True):
            part.add_to(p, context.contexts[part.name], weight)
        return p[0]

    return distribution
