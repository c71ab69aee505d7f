"""Parameters, and the values that they start from."""

import numpy as np

from .buffers import Empty


class Parameter:
    """A value that is learned, and the gradient of the loss with respect to it.

    Layers add to `grad`; whoever optimizes sets it to zero. Two layers that share one `Parameter` are tied.

    `grad` has the shape of `value`. But where a step touches few rows of a large table, `use` keeps it to those: then
    `rows` says which rows of `value` the rows of `grad` belong to, and a step costs the same however large the table.
    """

    __slots__ = ("_memory", "grad", "rows", "value")

    def __init__(self, value: np.ndarray):
        self.value = value
        self.grad = self._memory = np.zeros(value.shape, value.dtype)
        self.rows: np.ndarray | None = None

    def use(self, rows: np.ndarray) -> None:
        """Begin a gradient, zero so far, of the `rows` alone: numbers of rows of `value`, each once, in order."""
        if self.rows is None or len(self._memory) < len(rows):
            self._memory = np.empty((len(rows) + len(rows) // 8, *self.value.shape[1:]), self.value.dtype)
        self.rows = rows
        self.grad = self._memory[: len(rows)]
        self.grad.fill(0)

    def places(self, words: np.ndarray) -> np.ndarray:
        """Where the rows of `words` stand in `grad`: all of them must be in use."""
        return words if self.rows is None else np.searchsorted(self.rows, words)

    def add_product(self, a: np.ndarray, b: np.ndarray, empty: Empty = np.empty) -> None:
        """Add the matrix product a @ b to the gradient."""
        self.grad += np.matmul(a, b, out=empty(self.grad.shape, self.grad.dtype))


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
