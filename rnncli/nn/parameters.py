"""Parameters, and the values that they start from."""

from __future__ import annotations

import numpy as np

from .buffers import Empty


class Parameter:
    """A value that is learned, and the gradient of the loss with respect to it.

    A step begins it anew by `clear` or `use`, the layers add to it by `add` and `add_product`, and an optimizer uses it
    up. Two layers that share one `Parameter` are tied.

    `grad` has the shape of `value`. But where a step touches few rows of a large table, `use` keeps it to those: then
    `rows` says which rows of `value` the rows of `grad` belong to, and a step costs the same however large the table.
    """

    __slots__ = ("_cleared", "_grad", "_memory", "rows", "value")

    def __init__(self, value: np.ndarray):
        self.value = value
        self._grad = self._memory = np.empty(value.shape, value.dtype)
        self._cleared = True  # whether the gradient is zero, whatever its memory still holds
        self.rows: np.ndarray | None = None

    @property
    def grad(self) -> np.ndarray:
        """The gradient as it stands; its numbers may be changed in place."""
        if self._cleared:
            self._grad.fill(0)
            self._cleared = False
        return self._grad

    def clear(self) -> None:
        """Begin a new gradient, of zeros. That costs nothing: what is added first is written in their place."""
        self._cleared = True

    def use(self, rows: np.ndarray) -> None:
        """Begin a gradient, zero so far, of the `rows` alone: numbers of rows of `value`, each once, in order."""
        if self.rows is None or len(self._memory) < len(rows):
            self._memory = np.empty((len(rows) + len(rows) // 8, *self.value.shape[1:]), self.value.dtype)
        self.rows = rows
        self._grad = self._memory[: len(rows)]
        self.clear()

    def places(self, words: np.ndarray) -> np.ndarray:
        """Where the rows of `words` stand in `grad`: all of them must be in use."""
        return words if self.rows is None else np.searchsorted(self.rows, words)

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
    """Values drawn evenly from [-limit, limit), of the given shape."""
    return rng.uniform(-limit, limit, shape)


def glorot(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """A matrix (inputs, outputs) that keeps the variance of what passes (Glorot and Bengio 2010)."""
    return uniform(rng, (inputs, outputs), (6 / (inputs + outputs)) ** 0.5)


def orthogonal(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random rotation (size, size), which keeps lengths over many steps (Saxe, McClelland and Ganguli 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    # Without the signs of r's diagonal the rotation would depend on the habits of the QR routine.
    return q * np.sign(np.diag(r))
