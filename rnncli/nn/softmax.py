"""The output layer: from features to the probabilities of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .buffers import Empty
from .layers import Backward
from .parameters import Parameter

if TYPE_CHECKING:
    from .sampling import Sample

LOGITS_PER_PRODUCT = 2**21  # in `score`: 8 MB in float32
LOGITS_PER_BLOCK = 2**19  # of element-wise work: 2 MB in float32, which stay in the cache


class Softmax:
    """P(w) = softmax(features W^T + b), with one row of W (V, D) and one number of b (V,) for each word."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight = weight
        self.bias = bias

    def probabilities(self, features: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Compute the probabilities (N, V) of all words given `features` (N, D), each row times its `weight` (N,)."""
        p = self.weight.products(features)
        for block in _blocks(p):
            part = p[block]
            part += self.bias.value
            part -= part.max(axis=1, keepdims=True)
            np.exp(part, out=part)
            part *= (weight[block] / part.sum(axis=1))[:, None]
        return p

    def score(self, features: np.ndarray, targets: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Compute minus the log-probability (M,) of each of the `targets` (M,), in nats.

        `rows` (M,), sorted, is the row of `features` (N, D) that each target follows; several targets may follow the
        same row. By default target i follows row i.
        """
        if rows is None:
            rows = np.arange(len(targets))
        nll = np.empty(len(targets), features.dtype)
        size = max(1, LOGITS_PER_PRODUCT // self.bias.value.size)
        for start in range(0, len(features), size):
            logits = self.weight.products(features[start : start + size])
            part = slice(*np.searchsorted(rows, [start, start + size]))
            nll[part], _ = _losses(logits, self.bias.value, targets[part], rows[part] - start)
        return nll

    def forward(
        self, features: np.ndarray, targets: np.ndarray, sample: Sample | None = None, empty: Empty = np.empty
    ) -> tuple[np.ndarray, Backward]:
        """`score`, and its derivative: `backward` takes the gradient (N,) and returns that of the features.

        With a `sample`, which must hold all targets, the softmax is over its words alone, and the loss an estimate.
        For the derivative, the weight and the bias must then be in use for just these words. Call `backward` once.
        """
        weight = self.weight.value
        bias = self.bias.value
        correction = None
        if sample is not None:
            table = weight
            words = sample.words
            weight = np.take(table, words, axis=0, out=empty((len(words), table.shape[1]), table.dtype), mode="clip")
            targets = np.searchsorted(words, targets)
            # A word that is in one sample of ten counts ten times. But the target of a row is always in the sample.
            log_weight = -sample.log_probability.astype(bias.dtype)
            bias = bias[words] + log_weight
            correction = log_weight[targets]
        logits = np.matmul(features, weight.T, out=empty((len(features), len(weight)), features.dtype))
        nll, total = _losses(logits, bias, targets, np.arange(len(targets)), correction)

        def backward(d_nll: np.ndarray) -> np.ndarray:
            # d_logits = (e / total - 1 at the target) * d_nll, without ever dividing the large array e.
            e = logits
            e[np.arange(len(targets)), targets] -= total
            factor = (d_nll / total)[:, None]
            self.weight.add_product(e.T, np.multiply(features, factor, out=empty(features.shape, e.dtype)), empty)
            self.bias.add(factor[:, 0] @ e)
            d_features = np.matmul(e, weight, out=empty(features.shape, e.dtype))
            d_features *= factor
            return d_features

        return nll, backward


def _losses(
    logits: np.ndarray, bias: np.ndarray, targets: np.ndarray, rows: np.ndarray, correction: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The losses (M,) of the targets (M,), and the sum (N,) of each row of e^(logit - largest logit).

    The `logits` (N, V) come without the `bias` (V,), and are turned in place into e^(logit - largest logit). Target i
    is a column of row `rows[i]`; `rows` (M,) is sorted. Its logit is lowered by its `correction` (M,).
    """
    nll = np.empty(len(targets), logits.dtype)
    total = np.empty(len(logits), logits.dtype)
    for block in _blocks(logits):
        part = logits[block]
        these = slice(*np.searchsorted(rows, [block.start, block.stop]))
        row = rows[these] - block.start
        at_target = (row, targets[these])
        part += bias
        if correction is not None:
            part[at_target] -= correction[these]
        part -= part.max(axis=1, keepdims=True)
        target_logits = part[at_target]
        np.exp(part, out=part)
        part.sum(axis=1, out=total[block])
        np.subtract(np.log(total[block])[row], target_logits, out=nll[these])
    return nll, total


def _blocks(logits: np.ndarray) -> Iterator[slice]:
    """Blocks of a few rows of the logits (N, V), which stay in the cache during all element-wise operations."""
    rows = max(1, LOGITS_PER_BLOCK // logits.shape[1])
    return (slice(start, start + rows) for start in range(0, len(logits), rows))
