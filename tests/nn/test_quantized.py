"""Matrices of 8 bits give what float32 gives, before and after they are made float32."""

import numpy as np
import pytest

from rnncli.nn.parameters import Parameter
from rnncli.nn.quantized import NUMBERS_PER_BLOCK, QUANTIZED_USES, Quantized, QuantizedParameter
from rnncli.nn.threads import Threads

V = 3 * NUMBERS_PER_BLOCK // 128 + 5  # rows of 128 numbers: three blocks and some more


@pytest.fixture
def quantized(rng):
    scale = rng.integers(1, 2**16, V).astype(np.float32) / 2**20
    return Quantized(rng.integers(-127, 128, (V, 128), np.int8), scale)


def dequantized(quantized):
    return quantized.numbers.astype(np.float32) * quantized.scale[:, None]


def test_all_of_a_matrix_is_made_float32_where_its_value_is_asked_for(quantized):
    parameter = QuantizedParameter(quantized)
    assert parameter.shape == (V, 128)
    assert parameter.dtype == np.float32
    np.testing.assert_array_equal(parameter.value, dequantized(quantized))
    assert parameter.grad.shape == parameter.shape


def test_threads_that_ask_for_a_value_at_once_get_the_same_array(quantized):
    parameter = QuantizedParameter(quantized)
    values = Threads(8).map(lambda _: parameter.value, range(8))
    assert all(value is values[0] for value in values)


@pytest.mark.parametrize("is_changed", [False, True])
def test_rows_are_taken_and_multiplied_as_from_a_matrix_in_float32(is_changed, quantized, rng):
    parameter, usual = QuantizedParameter(quantized), Parameter(dequantized(quantized))
    if is_changed:
        parameter.value[3] = usual.value[3] = 7
    rows = np.array([[0, 3, V - 1], [3, 3, 1]])
    np.testing.assert_array_equal(
        parameter.take(rows, np.empty((2, 3, 128), np.float32)), usual.take(rows, np.empty((2, 3, 128), np.float32))
    )
    for count in (1, 4):
        vectors = rng.normal(size=(count, 128)).astype(np.float32)
        np.testing.assert_allclose(parameter.products(vectors), usual.products(vectors), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_products_are_the_same_to_the_last_digit_however_often_a_matrix_was_used(count, quantized, rng):
    parameter = QuantizedParameter(quantized)
    vectors = rng.normal(size=(count, 128)).astype(np.float32)
    first = parameter.products(vectors)
    for _ in range(QUANTIZED_USES + 1):
        np.testing.assert_array_equal(parameter.products(vectors), first)


def test_a_matrix_that_is_used_often_is_made_float32_once(quantized):
    parameter = QuantizedParameter(quantized)
    vector = np.ones((1, 128), np.float32)
    for _ in range(QUANTIZED_USES):
        assert parameter.products(vector).any()
    quantized.numbers[:] = 0
    assert not parameter.products(vector).any()  # it was in 8 bits until now
    quantized.numbers[:] = 1
    assert not parameter.products(vector).any()


def test_no_number_is_beyond_the_extremes(quantized):
    low, high = quantized.extremes().min(), quantized.extremes().max()
    assert low <= dequantized(quantized).min()
    assert high >= dequantized(quantized).max()
    assert max(-low, high) < 1.1 * np.abs(dequantized(quantized)).max()
