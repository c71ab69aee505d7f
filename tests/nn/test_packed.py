"""Matrices that stay packed give what the unpacked ones give."""

import numpy as np
import pytest

from rnncli.nn.packed import NUMBERS_PER_BLOCK, PACKED_USES, Packed, PackedParameter
from rnncli.nn.parameters import Parameter

V = 3 * NUMBERS_PER_BLOCK // 128 + 5  # rows of 128 numbers: three blocks and some more


@pytest.fixture(params=["int8", "float16"])
def packed(request, rng):
    if request.param == "float16":
        return Packed(rng.normal(size=(V, 128)).astype(np.float16))
    return Packed(rng.integers(-127, 128, (V, 128), np.int8), rng.random(V, np.float32))


def unpacked(packed):
    scale = 1 if packed.scale is None else packed.scale[:, None]
    return packed.numbers.astype(np.float32) * scale


def test_all_of_a_matrix_is_unpacked_where_its_value_is_asked_for(packed):
    parameter = PackedParameter(packed)
    assert parameter.shape == (V, 128)
    assert parameter.dtype == np.float32
    np.testing.assert_array_equal(parameter.value, unpacked(packed))
    assert parameter.value is parameter.value
    assert parameter.grad.shape == parameter.shape


@pytest.mark.parametrize("is_used", [False, True])
def test_rows_are_taken_and_multiplied_as_from_an_unpacked_matrix(is_used, packed, rng):
    parameter, usual = PackedParameter(packed), Parameter(unpacked(packed))
    if is_used:
        parameter.value[3] = usual.value[3] = 7
    rows = np.array([[0, 3, V - 1], [3, 3, 1]])
    np.testing.assert_array_equal(
        parameter.take(rows, np.empty((2, 3, 128), np.float32)), usual.take(rows, np.empty((2, 3, 128), np.float32))
    )
    for count in (1, 4):
        vectors = rng.normal(size=(count, 128)).astype(np.float32)
        np.testing.assert_allclose(parameter.products(vectors), usual.products(vectors), rtol=1e-4, atol=1e-3)


def test_a_matrix_that_is_used_often_is_unpacked_once(packed):
    parameter = PackedParameter(packed)
    vector = np.ones((1, 128), np.float32)
    for _ in range(PACKED_USES):
        expected = parameter.products(vector)
    packed.numbers[:] = 0
    assert not parameter.products(vector).any()  # it was packed until now
    packed.numbers[:] = 1
    assert not parameter.products(vector).any()
    assert expected.any()


def test_no_number_is_beyond_the_extremes(packed):
    low, high = packed.extremes().min(), packed.extremes().max()
    assert low <= unpacked(packed).min()
    assert high >= unpacked(packed).max()
    assert max(-low, high) < 1.1 * np.abs(unpacked(packed)).max()
