import numpy as np

from rnncli.nn.layers import Embedding, Linear, dropout, dropout_mask
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


def test_the_gradient_of_an_embedding_goes_to_the_rows_in_use(rng):
    table, ids = rng.normal(size=(7, 5)), np.array([[3, 0, 3], [6, 3, 0]])
    dense, sparse = Embedding(Parameter(table)), Embedding(Parameter(table))
    sparse.weight.use(np.array([0, 2, 3, 6]))
    weights = rng.normal(size=(2, 3, 5))
    for layer in (dense, sparse):
        layer.forward(ids)[1](weights)
    np.testing.assert_array_equal(sparse.weight.grad, dense.weight.grad[[0, 2, 3, 6]])


def test_without_a_mask_nothing_is_dropped(rng):
    x = rng.normal(size=(4, 3, 5))
    y, backward = dropout(x, None)
    assert y is x
    assert backward(x) is x


def test_a_mask_hides_its_share_and_keeps_the_mean(rng):
    mask = dropout_mask(rng, 0.25, (30, 40), np.float32)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((mask == 0).mean() - 0.25) < 0.04


def test_a_mask_of_rate_zero_drops_nothing(rng):
    assert (dropout_mask(rng, 0.0, (2**20,), np.float32) == 1).all()


def test_dropout_hides_the_same_features_at_every_step(rng):
    mask = dropout_mask(rng, 0.25, (3, 4), np.float64)
    y, _ = dropout(np.ones((6, 3, 4)), mask)
    np.testing.assert_array_equal(y, np.broadcast_to(mask, y.shape))


def test_the_gradient_of_dropout_passes_where_the_input_did(rng):
    x = rng.normal(size=(6, 3, 4))
    y, backward = dropout(x, dropout_mask(rng, 0.5, (3, 4), np.float64))
    np.testing.assert_array_equal(backward(np.ones_like(x)), y / x)
