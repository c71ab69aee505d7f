"""The output layer: from features to the probabilities of words."""

from collections.abc import Iterator

import numpy as np

from .buffers import Empty
from .layers import Backward
from .parameters import Parameter
from .sampling import Sample

BLOCK = 2**21  # logits of `score` at a time: 8 MB in float32
CACHED = 2**19  # logits that are worked on element by element at a time: 2 MB, which stay in the cache


class Softmax:
    """P(w) = softmax(features W^T + b), with one row of W (V, D) and one number of b (V,) for each word."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight, self.bias = weight, bias

    def log_prob(self, features: np.ndarray) -> np.ndarray:
        """The log-probabilities (N, V) of all words after `features` (N, D)."""
        logits = features @ self.weight.value.T
        logits += self.bias.value
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def probabilities(self, features: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The probabilities (N, V) of all words after `features` (N, D), times a `share` (N,)."""
        p = features @ self.weight.value.T
        for block in _blocks(p):
            part = p[block]
            part += self.bias.value
            part -= part.max(axis=1, keepdims=True)
            np.exp(part, out=part)
            part *= (weight[block] / part.sum(axis=1))[:, None]
        return p

    def score(self, features: np.ndarray, targets: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Minus the log-probability (M,) of each of the `targets` (M,), in nats.

        `rows` (M,), in order, says after which of the `features` (N, D) each of them comes: of several, it may be. Left
        out, there are as many of both.
        """
        rows = np.arange(len(targets)) if rows is None else rows
        nll, size = np.empty(len(targets), features.dtype), max(1, BLOCK // self.bias.value.size)
        for start in range(0, len(features), size):
            logits = features[start : start + size] @ self.weight.value.T
            some = slice(*np.searchsorted(rows, [start, start + size]))
            nll[some] = _losses(logits, self.bias.value, targets[some], rows[some] - start)[0]
        return nll

    def forward(
        self, features: np.ndarray, targets: np.ndarray, sample: Sample | None = None, empty: Empty = np.empty
    ) -> tuple[np.ndarray, Backward]:
        """`score`, and its derivative: `backward` takes the gradient (N,) and returns that of the features.

        With a `sample`, which must hold all targets, the softmax is over its words alone, and the loss an estimate.
        For the derivative the weight and the bias must then be in use for just these words.
        """
        weight, bias, excess = self.weight.value, self.bias.value, None
        if sample is not None:
            words, table = sample.words, weight
            weight = np.take(table, words, axis=0, out=empty((len(words), table.shape[1]), table.dtype), mode="clip")
            targets = np.searchsorted(words, targets)
            # A word that came by a chance of one in ten stands for ten; but a row's own target was sure to come.
            raised = -sample.log_probability.astype(bias.dtype)
            bias, excess = bias[words] + raised, raised[targets]
        logits = np.matmul(features, weight.T, out=empty((len(features), len(weight)), features.dtype))
        nll, total = _losses(logits, bias, targets, np.arange(len(targets)), excess)

        def backward(d_nll: np.ndarray) -> np.ndarray:
            # d_logits = (e / total - 1 at the target) * d_nll, without ever dividing the large array e.
            e, factor = logits, (d_nll / total)[:, None]
            e[np.arange(len(targets)), targets] -= total  # so `backward` is for one call
            self.weight.add_product(e.T, np.multiply(features, factor, out=empty(features.shape, e.dtype)), empty)
            self.bias.add(factor[:, 0] @ e)
            d_features = np.matmul(e, weight, out=empty(features.shape, e.dtype))
            d_features *= factor
            return d_features

        return nll, backward


def _losses(
    logits: np.ndarray, bias: np.ndarray, targets: np.ndarray, rows: np.ndarray, excess: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The losses (M,) of the targets (M,), and the sums (N,) of what logits (N, V) become: e^(logit - largest).

    Each target is one of the logits of a row: `rows` (M,), in order. The logits are still without the `bias` (V,), and
    those of the targets are `excess` (M,) too large with it.
    """
    nll, total = np.empty(len(targets), logits.dtype), np.empty(len(logits), logits.dtype)
    for block in _blocks(logits):
        part, some = logits[block], slice(*np.searchsorted(rows, [block.start, block.stop]))
        own = rows[some] - block.start, targets[some]
        part += bias
        if excess is not None:
            part[own] -= excess[some]
        part -= part.max(axis=1, keepdims=True)
        wanted = part[own]
        np.exp(part, out=part)
        part.sum(axis=1, out=total[block])
        np.subtract(np.log(total[block])[own[0]], wanted, out=nll[some])
    return nll, total


def _blocks(logits: np.ndarray) -> Iterator[slice]:
    """A few rows at a time of the logits (N, V), so that the half dozen things done to them happen in the cache."""
    rows = max(1, CACHED // logits.shape[1])
    return (slice(start, start + rows) for start in range(0, len(logits), rows))
