import numpy as np
import pytest

from rnncli.nn import softmax as module
from rnncli.nn.parameters import Parameter
from rnncli.nn.sampling import Sample
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
    monkeypatch.setattr(module, "CACHED", 4 * V)
    np.testing.assert_allclose(layer.score(features, targets), whole)
    blocked, backward = layer.forward(features, targets)
    np.testing.assert_allclose(blocked, whole)
    np.testing.assert_allclose(backward(np.ones(N)), d_whole)


def test_a_sample_of_all_words_gives_the_full_softmax(layer, features, targets, rng):
    weights, sampled = rng.normal(size=N), Softmax(Parameter(layer.weight.value), Parameter(layer.bias.value))
    sampled.weight.use(np.arange(V))
    sampled.bias.use(np.arange(V))
    nll, backward = layer.forward(features, targets)
    estimate, backward_of_estimate = sampled.forward(features, targets, Sample(np.arange(V), np.zeros(V)))
    np.testing.assert_allclose(estimate, nll)
    np.testing.assert_allclose(backward_of_estimate(weights), backward(weights))
    np.testing.assert_allclose(sampled.weight.grad, layer.weight.grad)
    np.testing.assert_allclose(sampled.bias.grad, layer.bias.grad)


SAMPLE = Sample(np.array([0, 1, 2, 5, 6]), np.log([1, 0.5, 0.9, 0.2, 0.3]))  # the targets, and 0


def test_in_a_sampled_loss_each_word_stands_for_as_many_as_it_was_unlikely_to_come(layer, features, targets):
    weights = np.exp(features @ layer.weight.value.T + layer.bias.value)
    for n, target in enumerate(targets):
        chances = zip(SAMPLE.words, np.exp(SAMPLE.log_chance), strict=True)
        others = sum(weights[n, word] / chance for word, chance in chances if word != target)
        expected = np.log(weights[n, target] + others) - np.log(weights[n, target])
        assert layer.forward(features, targets, SAMPLE)[0][n] == pytest.approx(expected)


def test_every_gradient_of_a_sampled_loss_is_right(layer, features, targets, rng, check_gradient):
    weights = rng.normal(size=N)
    layer.weight.use(SAMPLE.words)
    layer.bias.use(SAMPLE.words)
    d_features = layer.forward(features, targets, SAMPLE)[1](weights)
    dense = {}
    for name, parameter in (("weight", layer.weight), ("bias", layer.bias)):
        dense[name] = np.zeros_like(parameter.value)
        dense[name][SAMPLE.words] = parameter.grad

    def loss():
        return layer.forward(features, targets, SAMPLE)[0] @ weights

    check_gradient(loss, features, d_features)
    check_gradient(loss, layer.weight.value, dense["weight"])
    check_gradient(loss, layer.bias.value, dense["bias"])


def test_huge_logits_neither_overflow_nor_lose_the_sum(layer, features):
    layer.weight.value *= 1e5
    np.testing.assert_allclose(np.exp(layer.log_prob(features)).sum(axis=1), 1)


@pytest.mark.parametrize("size", [100, 2])
def test_several_targets_may_come_after_the_same_features(layer, features, monkeypatch, size):
    monkeypatch.setattr(module, "BLOCK", size * V)
    monkeypatch.setattr(module, "CACHED", size * V)
    rows, targets = np.array([0, 0, 2, 5, 5, 5]), np.array([3, 1, 3, 0, 6, 2])
    np.testing.assert_allclose(layer.score(features, targets, rows), layer.score(features[rows], targets))
