"""Parameters and their initial values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .buffers import Empty


class Parameter:
    """A value that is learned, and the gradient of the loss with respect to it.

    A step sets the gradient to zero with `clear` or `use`, the layers add to it with `add` and `add_product`, and an
    optimizer overwrites it. Two layers that share one `Parameter` are tied.

    `grad` has the shape of `value`. Where a step touches few rows of a large table, `use` makes it row-sparse: row i of
    `grad` is then the gradient of row `rows[i]` of `value`, and the cost of a step does not depend on the table's size.
    """

    __slots__ = ("_cleared", "_grad", "_memory", "_value", "rows")

    def __init__(self, value: np.ndarray):
        self._value = value
        self._reserve(value.shape, value.dtype)

    def _reserve(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._memory = np.empty(shape, dtype)
        self._grad = self._memory
        self._cleared = True  # whether the gradient counts as zero, whatever its memory holds
        self.rows: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self._value.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the value's numbers."""
        return self._value.dtype

    @property
    def value(self) -> np.ndarray:
        """The value. It may be changed in place."""
        return self._value

    def picked(self, rows: np.ndarray | slice) -> Any:
        """Return some rows of the value: what a parameter of the same kind is made of."""
        return self.value[rows]

    def take(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Copy `rows` of a table (V, D) to `out` (*rows.shape, D)."""
        return np.take(self.value, rows, axis=0, out=out, mode="clip")

    def products(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply `vectors` (N, D) with each row of a table (V, D): the products (N, V)."""
        found: np.ndarray = vectors @ self.value.T
        return found

    @property
    def grad(self) -> np.ndarray:
        """The gradient so far. It may be changed in place."""
        if self._cleared:
            self._grad.fill(0)
            self._cleared = False
        return self._grad

    def clear(self) -> None:
        """Set the gradient to zero. This costs nothing: the first addition overwrites the memory."""
        self._cleared = True

    def use(self, rows: np.ndarray) -> None:
        """Set the gradient to zero, and restrict it to the `rows` of `value`: row numbers, sorted, each once."""
        if self.rows is None or len(self._memory) < len(rows):
            self._memory = np.empty((len(rows) + len(rows) // 8, *self.value.shape[1:]), self.value.dtype)
        self.rows = rows
        self._grad = self._memory[: len(rows)]
        self.clear()

    def grad_rows(self, rows: np.ndarray) -> np.ndarray:
        """Find the rows of `grad` that belong to `rows` of `value`. All of them must be in use."""
        return rows if self.rows is None else np.searchsorted(self.rows, rows)

    def add(self, amount: np.ndarray) -> None:
        """Add to the gradient."""
        grad = self.grad
        grad += amount

    def add_product(self, a: np.ndarray, b: np.ndarray, empty: Empty = np.empty) -> None:
        """Add the matrix product a @ b to the gradient."""
        if self._cleared:
            np.matmul(a, b, out=self._grad)
            self._cleared = False
        else:
            self.add(np.matmul(a, b, out=empty(self._grad.shape, self._grad.dtype)))


def uniform(rng: np.random.Generator, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Draw values uniformly from [-limit, limit)."""
    return rng.uniform(-limit, limit, shape)


def glorot(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Draw a matrix (inputs, outputs) that keeps the variance of its inputs (Glorot and Bengio 2010)."""
    return uniform(rng, (inputs, outputs), (6 / (inputs + outputs)) ** 0.5)


def orthogonal(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw an orthogonal matrix (size, size), which keeps lengths over many steps (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    # With the signs of r's diagonal the distribution is uniform, whatever signs the QR routine chooses.
    return q * np.sign(np.diag(r))
