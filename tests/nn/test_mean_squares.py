import numpy as np
import pytest

from rnncli.nn.mean_squares import MeanSquares

GRADIENTS = 4000


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_gradients_of_any_size_become_about_one(rng, shape):
    scale = rng.uniform(0.01, 10, (4, 1)) * rng.uniform(0.01, 10, 3) if len(shape) == 2 else rng.uniform(0.01, 10, 4)
    squares = MeanSquares(shape)
    found = []
    for _ in range(GRADIENTS):
        grad = rng.normal(size=shape) * scale
        squares.add(grad)
        squares.divide(grad)
        found.append(grad)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(found), axis=0)), 1, rtol=0.1)


def test_the_first_gradient_of_a_vector_becomes_its_sign(rng):
    grad = rng.normal(size=5)
    sign = np.sign(grad)
    squares = MeanSquares((5,))
    squares.add(grad)
    squares.divide(grad)
    np.testing.assert_allclose(grad, sign, rtol=1e-6)


def test_rows_without_a_gradient_count_as_zeros(rng):
    rows = np.array([0, 3])
    sparse = MeanSquares((5, 3))
    dense = MeanSquares((5, 3))
    for _ in range(3):
        grad = rng.normal(size=(2, 3))
        whole = np.zeros((5, 3))
        whole[rows] = grad
        sparse.add(grad, rows)
        dense.add(whole)
        sparse.divide(grad, rows)
        dense.divide(whole)
        np.testing.assert_allclose(grad, whole[rows])
