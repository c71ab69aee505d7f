import numpy as np
import pytest

from rnncli.nn import softmax as module
from rnncli.nn.parameters import Parameter
from rnncli.nn.softmax import Softmax

N, D, V = 6, 3, 7


@pytest.fixture
def layer(rng) -> Softmax:
    return Softmax(Parameter(rng.normal(size=(V, D))), Parameter(rng.normal(size=V)))


@pytest.fixture
def features(rng) -> np.ndarray:
    return rng.normal(size=(N, D))


@pytest.fixture
def targets(rng) -> np.ndarray:
    return np.array([2, 0, 6, 2, 5, 1])


def test_probabilities_sum_to_one(layer, features):
    log_p = layer.log_prob(features)
    assert log_p.shape == (N, V)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)


def test_probabilities_follow_the_definition(layer, features):
    weights = np.exp(features @ layer.weight.value.T + layer.bias.value)
    np.testing.assert_allclose(np.exp(layer.log_prob(features)), weights / weights.sum(axis=1, keepdims=True))


def test_the_loss_is_minus_the_log_probability_of_the_target(layer, features, targets):
    expected = -layer.log_prob(features)[np.arange(N), targets]
    np.testing.assert_allclose(layer.score(features, targets), expected)
    np.testing.assert_allclose(layer.forward(features, targets)[0], expected)


def test_every_gradient_is_right(layer, features, targets, rng, check_gradient):
    weights = rng.normal(size=N)
    _, backward = layer.forward(features, targets)
    d_features = backward(weights)

    def loss():
        return layer.score(features, targets) @ weights

    check_gradient(loss, features, d_features)
    check_gradient(loss, layer.weight.value, layer.weight.grad)
    check_gradient(loss, layer.bias.value, layer.bias.grad)


def test_the_size_of_blocks_changes_nothing(layer, features, targets, monkeypatch):
    whole, backward = layer.forward(features, targets)
    d_whole = backward(np.ones(N))
    monkeypatch.setattr(module, "BLOCK", 4 * V)  # blocks of four rows, and one of two
    np.testing.assert_allclose(layer.score(features, targets), whole)
    blocked, backward = layer.forward(features, targets)
    np.testing.assert_allclose(blocked, whole)
    np.testing.assert_allclose(backward(np.ones(N)), d_whole)


def test_huge_logits_neither_overflow_nor_lose_the_sum(layer, features):
    layer.weight.value *= 1e5
    np.testing.assert_allclose(np.exp(layer.log_prob(features)).sum(axis=1), 1)
