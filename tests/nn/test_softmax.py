import numpy as np
import pytest

from rnncli.nn.parameters import Parameter
from rnncli.nn.sampling import Sample
from rnncli.nn.softmax import LOGITS_PER_BLOCK, LOGITS_PER_PRODUCT, Softmax

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


def log_softmax(layer: Softmax, features: np.ndarray) -> np.ndarray:
    """The log-probabilities (N, V) of all words, by the definition."""
    logits = features @ layer.weight.value.T + layer.bias.value
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_probabilities_sum_to_the_weight_of_their_row(layer, features, rng):
    weights = rng.random(N)
    p = layer.probabilities(features, weights)
    assert p.shape == (N, V)
    np.testing.assert_allclose(p.sum(axis=1), weights)


def test_probabilities_follow_the_definition(layer, features):
    np.testing.assert_allclose(layer.probabilities(features, np.ones(N)), np.exp(log_softmax(layer, features)))


def test_the_loss_is_minus_the_log_probability_of_the_target(layer, features, targets):
    expected = -log_softmax(layer, features)[np.arange(N), targets]
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


@pytest.mark.parametrize("words", [LOGITS_PER_BLOCK + 1, LOGITS_PER_BLOCK // 2])
def test_a_batch_of_many_blocks_is_computed_as_its_rows(words, rng):
    layer = Softmax(Parameter(rng.normal(size=(words, 2))), Parameter(rng.normal(size=words)))
    n = LOGITS_PER_PRODUCT // words + 3  # rows: a second product has few of them
    features, targets, d_nll = rng.normal(size=(n, 2)), rng.integers(0, words, n), rng.normal(size=n)
    expected = log_softmax(layer, features)
    nll, backward = layer.forward(features, targets)
    for computed in (nll, layer.score(features, targets)):
        np.testing.assert_allclose(computed, -expected[np.arange(n), targets])
    d_logits = np.exp(expected)
    np.testing.assert_allclose(layer.probabilities(features, d_nll), d_logits * d_nll[:, None], atol=1e-12)
    d_logits[np.arange(n), targets] -= 1
    np.testing.assert_allclose(backward(d_nll), (d_logits * d_nll[:, None]) @ layer.weight.value)


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
        chances = zip(SAMPLE.words, np.exp(SAMPLE.log_probability), strict=True)
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


def test_huge_logits_neither_overflow_nor_lose_the_sum(layer, features, targets):
    layer.weight.value[...] *= 1e5
    np.testing.assert_allclose(layer.probabilities(features, np.ones(N)).sum(axis=1), 1)
    nll = layer.score(features, targets)
    assert np.isfinite(nll).all()
    np.testing.assert_allclose(layer.forward(features, targets)[0], nll)


def test_several_targets_may_follow_the_same_features(layer, features):
    rows, targets = np.array([0, 0, 2, 5, 5, 5]), np.array([3, 1, 3, 0, 6, 2])
    np.testing.assert_allclose(layer.score(features, targets, rows), layer.score(features[rows], targets))


def test_several_targets_may_follow_the_same_features_in_any_block(rng):
    words = LOGITS_PER_BLOCK // 2
    layer = Softmax(Parameter(rng.normal(size=(words, 1))), Parameter(rng.normal(size=words)))
    features = rng.normal(size=(LOGITS_PER_PRODUCT // words + 3, 1))
    rows = np.array([0, 1, 1, 2, 2, 2, 4, 7, 7, 8, 9, 9])
    targets = rng.integers(0, words, len(rows))
    expected = -log_softmax(layer, features)[rows, targets]
    np.testing.assert_allclose(layer.score(features, targets, rows), expected)
