"""Parameters, and the values that they start from."""

import numpy as np


class Parameter:
    """A value that is learned, and the gradient of the loss with respect to it (same shape).

    Layers add to `grad`; whoever optimizes sets it to zero. Two layers that share one `Parameter` are tied.
    """

    __slots__ = ("grad", "value")

    def __init__(self, value: np.ndarray):
        self.value = value
        self.grad = np.zeros(value.shape, value.dtype)


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
