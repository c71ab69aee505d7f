"""The layers without a state: Embedding, Linear and locked dropout."""

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
        out = self.weight.take(ids, empty((*ids.shape, self.weight.shape[1]), self.weight.dtype))

        def backward(d_out: np.ndarray) -> None:
            # Sort the rows by word, then sum each run: several times faster than `np.add.at`.
            flat = ids.ravel()
            order = np.argsort(flat, kind="stable")
            words, starts = np.unique(flat[order], return_index=True)
            rows = d_out.reshape(flat.size, -1)[order]
            self.weight.grad[self.weight.grad_rows(words)] += np.add.reduceat(rows, starts, axis=0)

        return out, backward


class Linear:
    """y = x W + b, with W (D, H) and b (H,)."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight = weight
        self.bias = bias

    def forward(self, x: np.ndarray, empty: Empty = np.empty) -> tuple[np.ndarray, Backward]:
        """Map `x` (..., D) to (..., H)."""
        inputs, outputs = self.weight.value.shape
        rows = x.reshape(-1, inputs)  # one large product: (T, B, D) would be T small ones

        def backward(d_out: np.ndarray) -> np.ndarray:
            d_rows = d_out.reshape(-1, outputs)
            self.weight.add_product(rows.T, d_rows, empty)
            self.bias.add(d_rows.sum(axis=0))
            d_x: np.ndarray = d_rows @ self.weight.value.T
            return d_x.reshape(x.shape)

        y: np.ndarray = rows @ self.weight.value
        y += self.bias.value
        return y.reshape(*x.shape[:-1], outputs), backward


def dropout_mask(rng: np.random.Generator, rate: float, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Draw a mask: zero with probability `rate` (to a 65,536th), else 1 / (1 - rate).

    It keeps the mean of what it multiplies, so nothing needs to be scaled without dropout.
    """
    mask: np.ndarray = (rng.integers(0, 2**16, shape, dtype=np.uint16) >= round(rate * 2**16)) / dtype(1 - rate)
    return mask


def dropout(x: np.ndarray, mask: np.ndarray | None, empty: Empty = np.empty) -> tuple[np.ndarray, Backward]:
    """Multiply `x` (T, B, D) by a `mask`: (B, D) drops the same features at every step, (T, B, 1) whole words.

    Locked (variational) dropout: Gal and Ghahramani 2016. Without a mask, `x` is returned as it is.
    """
    if mask is None:
        return x, lambda d_out: d_out

    def masked(features: np.ndarray) -> np.ndarray:
        out = empty(x.shape, x.dtype)
        np.multiply(features, mask, out=out)
        return out

    return masked(x), masked
