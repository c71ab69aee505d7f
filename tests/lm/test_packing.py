"""Matrices in fewer bits."""

import numpy as np
import pytest

from rnncli.lm.packing import packed, packed_names, stored_value
from rnncli.nn.quantized import Quantized


@pytest.fixture
def values(rng):
    matrix = rng.normal(size=(6, 40)).astype(np.float32) * np.float32([[1e-3], [1], [30], [0], [1], [1e5]])
    return {"matrix": matrix, "vector": rng.normal(size=5).astype(np.float32)}


def unpacked(*stored):
    value = stored_value(*stored)
    return value.dequantized() if isinstance(value, Quantized) else value


def round_trip(values, bits):
    arrays = packed(values, bits)
    return {name: unpacked(arrays, name, value.shape, bits) for name, value in values.items()}


@pytest.mark.parametrize(("bits", "error"), [(8, 0.5 / 127), (16, 2**-11), (32, 0)])
def test_each_number_is_kept_to_the_precision_of_its_row(bits, error, values):
    found = round_trip(values, bits)
    largest = np.abs(values["matrix"]).max(axis=1, keepdims=True)
    if bits == 16:
        largest = np.minimum(np.abs(values["matrix"]), 65504)
        values["matrix"] = np.clip(values["matrix"], -65504, 65504)
    assert (np.abs(found["matrix"] - values["matrix"]) <= error * largest * 1.001 + 1e-7).all()
    assert found["matrix"].dtype == np.float32
    np.testing.assert_array_equal(found["vector"], values["vector"])


@pytest.mark.parametrize("bits", [8, 16])
def test_what_was_packed_once_stays_the_same(bits, values):
    once = round_trip(values, bits)
    arrays, again = packed(values, bits), packed(once, bits)
    assert arrays.keys() == again.keys()
    for name, array in arrays.items():
        assert array.dtype == again[name].dtype
        np.testing.assert_array_equal(again[name], array)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_the_names_are_those_of_the_arrays(bits, values):
    names = packed_names({name: value.shape for name, value in values.items()}, bits)
    assert sorted(names) == sorted(packed(values, bits))


def test_eight_bits_take_a_quarter_of_the_bytes(rng):
    values = {"matrix": rng.normal(size=(100, 256)).astype(np.float32)}
    sizes = {bits: sum(array.nbytes for array in packed(values, bits).values()) for bits in (8, 16, 32)}
    assert sizes == {32: 102_400, 16: 51_200, 8: 25_600 + 400}


@pytest.mark.parametrize(
    ("bits", "changes"),
    [
        (8, {"matrix": np.zeros((6, 40), np.float32)}),
        (8, {"matrix": np.zeros((5, 40), np.int8)}),
        (8, {"matrix.scale": np.zeros(6)}),
        (8, {"matrix.scale": np.zeros(5, np.float32)}),
        (16, {"matrix": np.zeros((6, 40), np.int8)}),
        (32, {"matrix": np.zeros((6, 40), np.float16)}),
    ],
)
def test_arrays_that_make_no_sense_are_refused(bits, changes, values):
    arrays = packed(values, bits) | changes
    with pytest.raises(ValueError, match="and should be"):
        unpacked(arrays, "matrix", (6, 40), bits)
