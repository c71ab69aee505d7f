"""Matrices whose numbers take fewer bits, of which no more is unpacked at a time than is used."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .parameters import Parameter

NUMBERS_PER_BLOCK = 2**18  # that are unpacked at a time: 1 MB in float32, which stays in the cache
PACKED_USES = 8  # of a whole matrix; by then, it pays to unpack it for good


class Packed(NamedTuple):
    """A matrix (N, M) in float16, or in int8 and with a `scale` (N,) of each row in float32."""

    numbers: np.ndarray
    scale: np.ndarray | None = None

    def unpacked(self) -> np.ndarray:
        """Return the matrix in float32."""
        return self.copied(slice(None), np.empty(self.numbers.shape, np.float32))

    def extremes(self) -> np.ndarray:
        """Return numbers in float32 between which all of the matrix lie."""
        if self.scale is None:
            return np.array([self.numbers.min(), self.numbers.max()], np.float32)
        return np.outer(np.array([-128, 127], np.float32), self.scale)

    def copied(self, rows: slice | np.ndarray, out: np.ndarray) -> np.ndarray:
        """Copy some rows to `out`, in float32."""
        out[...] = self.numbers[rows]
        if self.scale is not None:
            out *= self.scale[rows, None]
        return out


class PackedParameter(Parameter):
    """A packed matrix. It is unpacked as a whole where its `value` is asked for, or it is used often."""

    __slots__ = ("_uses", "packed")
    _value: np.ndarray | None  # type: ignore[assignment]

    def __init__(self, packed: Packed):
        self.packed = packed
        self._value = None
        self._uses = 0
        self._reserve(packed.numbers.shape, np.dtype(np.float32))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.packed.numbers.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers once they are unpacked."""
        return np.dtype(np.float32)

    @property
    def value(self) -> np.ndarray:
        """The value. It may be changed in place."""
        if self._value is None:
            self._value = self.packed.unpacked()
        return self._value

    def take(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Unpack `rows` of a table (V, D) to `out` (*rows.shape, D)."""
        return super().take(rows, out) if self._value is not None else self.packed.copied(rows, out)

    def products(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply `vectors` (N, D) with each row of a table (V, D): the products (N, V)."""
        self._uses += 1
        if self._value is not None or self._uses > PACKED_USES:
            return super().products(vectors)
        count, width = self.shape
        found = np.empty((len(vectors), count), np.float32)
        size = max(1, NUMBERS_PER_BLOCK // width)
        memory = np.empty((min(size, count), width), np.float32)
        for start in range(0, count, size):
            rows = slice(start, min(start + size, count))
            block = memory[: rows.stop - start]
            block[...] = self.packed.numbers[rows]
            np.matmul(vectors, block.T, out=found[:, rows])
            if self.packed.scale is not None:
                found[:, rows] *= self.packed.scale[rows]
        return found
