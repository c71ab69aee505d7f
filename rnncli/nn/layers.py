"""The layers without a memory: Embedding, Linear and locked dropout."""

from collections.abc import Callable

import numpy as np

from .parameters import Parameter

Backward = Callable[[np.ndarray], np.ndarray]


class Embedding:
    """One vector for each word: the rows of a table (V, D)."""

    def __init__(self, weight: Parameter):
        self.weight = weight

    def forward(self, ids: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], None]]:
        """Look up `ids` (T, B), giving (T, B, D)."""

        def backward(d_out: np.ndarray) -> None:
            # Rows of one word side by side, then summed in runs: several times faster than `np.add.at`.
            flat = ids.ravel()
            order = np.argsort(flat, kind="stable")
            words, starts = np.unique(flat[order], return_index=True)
            rows = d_out.reshape(flat.size, -1)[order]
            self.weight.grad[words] += np.add.reduceat(rows, starts, axis=0)

        return self.weight.value[ids], backward


class Linear:
    """y = x W + b, with W (D, H) and b (H,)."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight, self.bias = weight, bias

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Backward]:
        """Map `x` (..., D) to (..., H)."""
        inputs, outputs = self.weight.value.shape
        rows = x.reshape(-1, inputs)  # one large product; (T, B, D) as it stands would be T small ones

        def backward(d_out: np.ndarray) -> np.ndarray:
            d_rows = d_out.reshape(-1, outputs)
            self.weight.grad += rows.T @ d_rows
            self.bias.grad += d_rows.sum(axis=0)
            return (d_rows @ self.weight.value.T).reshape(x.shape)

        y = rows @ self.weight.value
        y += self.bias.value
        return y.reshape(*x.shape[:-1], outputs), backward


def dropout(x: np.ndarray, rate: float, rng: np.random.Generator | None) -> tuple[np.ndarray, Backward]:
    """Hide a share `rate` of the features of `x` (T, B, D), the same ones at every step of a sequence.

    Locked (variational) dropout: Gal and Ghahramani 2016. What stays is scaled up, so that nothing needs to
    change without dropout: when `rng` is None, `x` comes back as it is.
    """
    if rng is None or rate == 0:
        return x, lambda d_out: d_out
    keep = rng.random(x.shape[1:], dtype=np.float32) >= rate
    mask = keep.astype(x.dtype) / x.dtype.type(1 - rate)  # (B, D)
    return x * mask, lambda d_out: d_out * mask
