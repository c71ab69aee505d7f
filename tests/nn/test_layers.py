import numpy as np
import pytest

from rnncli.nn.layers import Embedding, Linear, dropout
from rnncli.nn.parameters import Parameter


def test_an_embedding_gives_each_word_its_row(rng):
    table = rng.normal(size=(7, 5))
    vectors, _ = Embedding(Parameter(table)).forward(np.array([[3, 0], [6, 3]]))
    assert vectors.shape == (2, 2, 5)
    np.testing.assert_array_equal(vectors[1, 0], table[6])


def test_the_gradient_of_an_embedding_is_right_where_words_repeat(rng, check_gradient):
    layer, ids = Embedding(Parameter(rng.normal(size=(7, 5)))), np.array([[3, 0, 3], [6, 3, 0]])
    weights = rng.normal(size=(2, 3, 5))
    _, backward = layer.forward(ids)
    backward(weights)
    check_gradient(lambda: (layer.forward(ids)[0] * weights).sum(), layer.weight.value, layer.weight.grad)


def test_the_gradients_of_a_linear_layer_are_right(rng, check_gradient):
    layer = Linear(Parameter(rng.normal(size=(5, 2))), Parameter(rng.normal(size=2)))
    x, weights = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 3, 2))
    y, backward = layer.forward(x)
    assert y.shape == (4, 3, 2)
    d_x = backward(weights)

    def loss():
        return (layer.forward(x)[0] * weights).sum()

    check_gradient(loss, layer.weight.value, layer.weight.grad)
    check_gradient(loss, layer.bias.value, layer.bias.grad)
    check_gradient(loss, x, d_x)


def test_gradients_add_up_over_passes(rng):
    layer = Linear(Parameter(rng.normal(size=(5, 2))), Parameter(rng.normal(size=2)))
    x, weights = rng.normal(size=(3, 5)), rng.normal(size=(3, 2))
    layer.forward(x)[1](weights)
    once = layer.weight.grad.copy()
    layer.forward(x)[1](weights)
    np.testing.assert_allclose(layer.weight.grad, 2 * once)


@pytest.mark.parametrize(("rate", "with_rng"), [(0.0, True), (0.5, False)])
def test_without_a_generator_or_a_rate_nothing_is_dropped(rng, rate, with_rng):
    x = rng.normal(size=(4, 3, 5))
    y, backward = dropout(x, rate, rng if with_rng else None)
    assert y is x
    assert backward(x) is x


def test_dropout_hides_the_same_features_at_every_step(rng):
    y, _ = dropout(np.ones((6, 30, 40)), 0.25, rng)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert (y == y[0]).all()
    assert not (y[:, :1] == y).all()  # but not in every sequence
    assert abs((y == 0).mean() - 0.25) < 0.04


def test_the_gradient_of_dropout_passes_where_the_input_did(rng):
    x = rng.normal(size=(6, 3, 4))
    y, backward = dropout(x, 0.5, rng)
    np.testing.assert_array_equal(backward(np.ones_like(x)), y / x)
