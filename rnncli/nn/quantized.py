"""Matrices in whole numbers of 8 bits, of which no more is made float32 than is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np

from .parameters import Parameter

NUMBERS_PER_BLOCK = 2**18  # that are made float32 at a time: 1 MB, which stays in the cache
MAX_INT8 = 127
# Of a whole matrix; then it is made float32 for good. With 28,000 rows of 256 numbers that pays after four to eight.
QUANTIZED_USES = 8


class Quantized(NamedTuple):
    """A matrix (N, M) in int8, from -127 to 127, with a `scale` (N,) of each row in float32.

    The scales have few digits, so that products with these numbers are exact in float32.
    """

    numbers: np.ndarray
    scale: np.ndarray

    def dequantized(self) -> np.ndarray:
        """Return the matrix in float32."""
        return self.copied(slice(None), np.empty(self.numbers.shape, np.float32))

    def copied(self, rows: slice | np.ndarray, out: np.ndarray) -> np.ndarray:
        """Copy some rows to `out`, in float32."""
        out[...] = self.numbers[rows]
        out *= self.scale[rows, None]
        return out

    def extremes(self) -> np.ndarray:
        """Return numbers in float32 between which the whole matrix lies."""
        return np.outer(np.array([-MAX_INT8, MAX_INT8], np.float32), self.scale)


def quantized(matrix: np.ndarray) -> Quantized:
    """Quantize a matrix (N, M). One that was quantized before gives the same numbers and scales again."""
    scale = _short(np.abs(matrix).max(axis=1) / np.float32(MAX_INT8))
    divisor = np.where(scale > 0, scale, 1)[:, None]
    return Quantized(np.rint(matrix / divisor).astype(np.int8), scale)


def _short(scale: np.ndarray) -> np.ndarray:
    """Round up (N,) to numbers of 17 significant bits: their products with whole numbers of 7 bits are exact."""
    whole = scale.astype(np.float32).view(np.uint32)
    rounded: np.ndarray = ((whole + 127) & ~np.uint32(127)).view(np.float32)
    return rounded


class QuantizedParameter(Parameter):
    """A quantized matrix. All of it is made float32 where its `value` is asked for, or it is used often.

    Results do not depend on whether that has happened.
    """

    __slots__ = ("_quantized", "_shape", "_uses")
    _value: np.ndarray | None  # type: ignore[assignment]
    _lock = threading.Lock()  # so that of several threads one makes the value of a matrix

    def __init__(self, quantized: Quantized):
        self._quantized: Quantized | None = quantized
        self._shape = quantized.numbers.shape
        self._value = None
        self._uses = 0
        self._reserve(self._shape, self.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self._shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the value's numbers."""
        return np.dtype(np.float32)

    @property
    def value(self) -> np.ndarray:
        """The value. It may be changed in place."""
        with self._lock:
            if self._quantized is not None:
                self._value = self._quantized.dequantized()
                self._quantized = None
            return cast(np.ndarray, self._value)

    def picked(self, rows: np.ndarray | slice) -> Quantized:
        """Return some rows of the matrix: quantized too."""
        own = self._quantized or quantized(self.value)
        return Quantized(own.numbers[rows], own.scale[rows])

    def take(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Copy `rows` of a table (V, D) to `out` (*rows.shape, D)."""
        quantized = self._quantized
        return super().take(rows, out) if quantized is None else quantized.copied(rows, out)

    def products(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply `vectors` (N, D) with each row of a table (V, D): the products (N, V)."""
        self._uses += 1
        found = np.empty((len(vectors), self.shape[0]), np.float32)
        for rows, block in self._blocks():
            np.matmul(vectors, block.T, out=found[:, rows])
        return found

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the rows in blocks, in float32: the same ones before and after the whole value is made."""
        count, width = self.shape
        size = max(1, NUMBERS_PER_BLOCK // width)
        blocks = (slice(start, min(start + size, count)) for start in range(0, count, size))
        quantized = self._quantized
        if quantized is None or self._uses > QUANTIZED_USES:
            value = self.value
            yield from ((rows, value[rows]) for rows in blocks)
            return
        memory = np.empty((min(size, count), width), np.float32)
        for rows in blocks:
            yield rows, quantized.copied(rows, memory[: rows.stop - rows.start])
