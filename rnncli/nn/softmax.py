"""The output layer: from features to the probabilities of words."""

import numpy as np

from .layers import Backward
from .parameters import Parameter

BLOCK = 2**23  # logits worked on at a time: 32 MB in float32. Smaller blocks make the products slower


class Softmax:
    """P(w) = softmax(features W^T + b), with one row of W (V, D) and one number of b (V,) for each word."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.weight, self.bias = weight, bias

    def _logits(self, features: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        logits = np.matmul(features, self.weight.value.T, out=out)
        logits += self.bias.value
        return logits

    def log_prob(self, features: np.ndarray) -> np.ndarray:
        """The log-probabilities (N, V) of all words after `features` (N, D)."""
        logits = self._logits(features)
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def score(self, features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Minus the log-probability (N,) of each of the `targets` (N,), in nats."""
        nll = np.empty(len(features), features.dtype)
        for block in self._blocks(len(features)):
            nll[block] = _normalise(self._logits(features[block]), targets[block])
        return nll

    def forward(self, features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Backward]:
        """`score`, and its derivative: `backward` takes the gradient (N,) and returns that of the features."""
        nll = np.empty(len(features), features.dtype)
        probabilities = np.empty((len(features), self.bias.value.size), features.dtype)
        for block in self._blocks(len(features)):
            logits = self._logits(features[block], out=probabilities[block])
            nll[block] = _normalise(logits, targets[block])

        def backward(d_nll: np.ndarray) -> np.ndarray:
            d_logits = probabilities  # turned into the gradient in place, so `backward` is for one call
            d_logits[np.arange(len(targets)), targets] -= 1
            d_logits *= d_nll[:, None]
            self.weight.grad += d_logits.T @ features
            self.bias.grad += d_logits.sum(axis=0)
            return d_logits @ self.weight.value

        return nll, backward

    def _blocks(self, rows: int) -> list[slice]:
        size = max(1, BLOCK // self.bias.value.size)
        return [slice(start, start + size) for start in range(0, rows, size)]


def _normalise(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Turn logits (N, V) into probabilities in place; returns the losses (N,) of the targets (N,)."""
    logits -= logits.max(axis=1, keepdims=True)
    wanted = logits[np.arange(len(targets)), targets]
    np.exp(logits, out=logits)
    total = logits.sum(axis=1, keepdims=True)
    logits /= total
    return np.log(total[:, 0]) - wanted
