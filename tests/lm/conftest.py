import numpy as np
import pytest

from rnncli.lm.network import Config, Network

V = 7  # words


@pytest.fixture
def network(rng):
    config = Config(V, embedding_size=5, hidden_size=4)
    return Network(config, {name: rng.normal(size=size).astype(np.float32) for name, size in config.shapes().items()})


@pytest.fixture
def text(rng):
    """Words that mostly go on by one."""
    return np.cumsum(rng.random(600) < 0.8) % V
