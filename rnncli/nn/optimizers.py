"""How parameters follow their gradients: clipping, SGD and Adam.

Where only some rows of a parameter are in use (`Parameter.use`), a step touches just these: their moments, their
values, and their share of the decay. The others rest. Under Adam's rule a row moves on for some steps after its
gradient has become zero, while its moments fade: `catch_up` makes up for that in one go, when a row comes in use
again, so that rows that are seldom seen learn as they would without this saving. Weight decay is not made up for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .parameters import Parameter

BLOCK = 2**15  # numbers updated at a time: the half dozen arrays of an update then stay in the cache


def clip_by_global_norm(parameters: Mapping[str, Parameter], limit: float) -> float:
    """Scale all gradients down together where their joint norm is above `limit`; returns the norm before.

    Pascanu, Mikolov and Bengio 2013. A `limit` of 0 leaves them as they are.
    """
    # np.vdot sums in the gradients' precision, but in blocks, which is accurate enough for a norm.
    norm = float(np.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters.values())))
    if 0 < limit < norm < np.inf:
        for parameter in parameters.values():
            grad = parameter.grad
            grad *= limit / norm
    return norm


def _blocks(parameter: Parameter) -> Iterator[tuple[np.ndarray, Any]]:
    """A gradient, some rows at a time, and where these rows are in the value."""
    size = max(1, BLOCK // max(1, parameter.value[0].size))
    for start in range(0, len(parameter.grad), size):
        part = slice(start, start + size)
        yield parameter.grad[part], part if parameter.rows is None else parameter.rows[part]


class SGD:
    """Stochastic gradient descent with decoupled weight decay on the matrices."""

    def __init__(self, parameters: Mapping[str, Parameter], weight_decay: float = 0.0):
        self.parameters, self.weight_decay = parameters, weight_decay

    def step(self, learning_rate: float) -> None:
        """Move each parameter against its gradient, which is used up."""
        for parameter in self.parameters.values():
            for g, rows in _blocks(parameter):
                if self.weight_decay and parameter.value.ndim > 1:
                    parameter.value[rows] *= 1 - learning_rate * self.weight_decay
                g *= learning_rate
                parameter.value[rows] -= g

    def catch_up(self, everything: bool = False) -> None:
        """Make up for the steps that rows in use have missed: nothing here, where each gradient is used up at once."""

    def reset(self) -> None:
        """Forget what was gathered from earlier gradients: nothing here."""


class Adam:
    """Adam (Kingma and Ba 2015) with decoupled weight decay on the matrices (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ):
        self.parameters, self.weight_decay = parameters, weight_decay
        self.betas, self.epsilon = betas, epsilon
        self.reset()

    def reset(self) -> None:
        """Forget the moments: the sums of the gradients and of their squares, in which earlier ones count less."""
        self.steps = 0
        self.sums = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}
        self.squares = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}
        self.rate = self.margin = 0.0  # of the last step, corrected
        # The last step that each row took part in, or had made up for, and the rate then.
        self.caught_up = {name: np.zeros(len(p.value), np.int64) for name, p in self.parameters.items()}
        self.rates = {name: np.zeros(len(p.value)) for name, p in self.parameters.items()}

    def catch_up(self, everything: bool = False) -> None:
        """Make up for the steps that the rows in use have missed, or all rows: to be called before they are read.

        In k steps without a gradient the sums shrink by beta1^k, the sums of squares by beta2^k, and each step moves
        the value by r = beta1 / sqrt(beta2) times as much as the one before it. The rate is taken to have stayed what
        it was, as nine tenths of the way are gone in the first twenty steps.
        """
        beta1, beta2 = self.betas
        ratio = beta1 / beta2**0.5
        for name, parameter in self.parameters.items():
            if parameter.rows is None:
                continue
            whole = parameter.value, self.sums[name], self.squares[name]
            size = max(1, BLOCK // max(1, parameter.value[0].size))
            in_use = np.arange(len(parameter.value)) if everything else parameter.rows
            in_use = in_use[self.caught_up[name][in_use] < self.steps]
            for start in range(0, len(in_use), size):
                rows = in_use[start : start + size]
                value, total, square = (array[rows] for array in whole)
                missed = self.steps - self.caught_up[name][rows]
                rate = self.rates[name][rows]
                factors = (rate * ratio * (1 - ratio**missed) / (1 - ratio), beta1**missed, beta2**missed)
                column = -1, *[1] * (value.ndim - 1)
                move, fade, fade_squares = (factor.astype(value.dtype).reshape(column) for factor in factors)
                value -= move * total / (np.sqrt(square) + self.margin)
                total *= fade
                square *= fade_squares
                for array, changed in zip(whole, (value, total, square), strict=True):
                    array[rows] = changed
            self._note(name, in_use)

    def _note(self, name: str, rows: np.ndarray) -> None:
        self.caught_up[name][rows], self.rates[name][rows] = self.steps, self.rate

    def step(self, learning_rate: float) -> None:
        """Move each parameter by its moments; the gradient is used up."""
        self.steps += 1
        beta1, beta2 = self.betas
        # The paper's means are these sums times 1 - beta; this, and its correction of their beginning, is done once.
        scale = ((1 - beta2**self.steps) / (1 - beta2)) ** 0.5
        self.rate = learning_rate * (1 - beta1) / (1 - beta1**self.steps) * scale
        self.margin = self.epsilon * scale
        for name, parameter in self.parameters.items():
            whole = parameter.value, self.sums[name], self.squares[name]
            if parameter.rows is not None:
                self._note(name, parameter.rows)
            for g, rows in _blocks(parameter):
                value, total, square = (array[rows] for array in whole)  # views, or copies of the rows in use
                total *= beta1
                total += g
                square *= beta2
                g *= g
                square += g
                np.sqrt(square, out=g)
                g += self.margin
                np.divide(total, g, out=g)
                g *= self.rate
                if self.weight_decay and value.ndim > 1:
                    value *= 1 - learning_rate * self.weight_decay
                value -= g
                if parameter.rows is not None:
                    for array, changed in zip(whole, (value, total, square), strict=True):
                        array[rows] = changed


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
