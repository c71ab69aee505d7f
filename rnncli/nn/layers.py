"""The layers without a memory: Embedding, Linear and locked dropout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .buffers import Empty
from .parameters import Parameter

Backward = Callable[[np.ndarray], np.ndarray]


class Embedding:
    """One vector for each word: the rows of a table (V, D)."""

    def __init__(self, weight: Parameter):
        self.weight = weight

    def forward(self, ids: np.ndarray, empty: Empty = np.empty) -> tuple[np.ndarray, Callable[[np.ndarray], None]]:
        """Look up `ids` (T, B), giving (T, B, D)."""
        table = self.weight.value
        out = np.take(table, ids, axis=0, out=empty((*ids.shape, table.shape[1]), table.dtype), mode="clip")

        def backward(d_out: np.ndarray) -> None:
            # Rows of one word side by side, then summed in runs: several times faster than `np.add.at`.
            flat = ids.ravel()
            order = np.argsort(flat, kind="stable")
            words, starts = np.unique(flat[order], return_index=True)
            rows = d_out.reshape(flat.size, -1)[order]
            self.weight.grad[self.weight.places(words)] += np.add.reduceat(rows, starts, axis=0)

        return out, backward


class Linear:
    """y = x W + b, with W (D, H) and b (H,)."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight, self.bias = weight, bias

    def forward(self, x: np.ndarray, empty: Empty = np.empty) -> tuple[np.ndarray, Backward]:
        """Map `x` (..., D) to (..., H)."""
        inputs, outputs = self.weight.value.shape
        rows = x.reshape(-1, inputs)  # one large product; (T, B, D) as it stands would be T small ones

        def backward(d_out: np.ndarray) -> np.ndarray:
            d_rows = d_out.reshape(-1, outputs)
            self.weight.add_product(rows.T, d_rows, empty)
            self.bias.add(d_rows.sum(axis=0))
            return (d_rows @ self.weight.value.T).reshape(x.shape)

        y = rows @ self.weight.value
        y += self.bias.value
        return y.reshape(*x.shape[:-1], outputs), backward


def dropout_mask(rng: np.random.Generator, rate: float, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """A mask that hides a share `rate`, to a 65,536th, of what it is multiplied with, and scales up what stays.

    So nothing needs to change without dropout.
    """
    return (rng.integers(0, 2**16, shape, dtype=np.uint16) >= round(rate * 2**16)) / dtype(1 - rate)


def dropout(x: np.ndarray, mask: np.ndarray | None, empty: Empty = np.empty) -> tuple[np.ndarray, Backward]:
    """Hide what a `mask` says of `x` (T, B, D): by (B, D) the same features at every step, by (T, B, 1) whole words.

    Locked (variational) dropout: Gal and Ghahramani 2016. Without a mask `x` comes back as it is.
    """
    if mask is None:
        return x, lambda d_out: d_out

    def hide(features: np.ndarray) -> np.ndarray:
        return np.multiply(features, mask, out=empty(x.shape, x.dtype))

    return hide(x), hide
