"""Optimizers: clipping, SGD and Adam.

Where a gradient is row-sparse (`Parameter.use`), a step updates only those rows: their values, their moments, and
their weight decay. Under Adam's rule a row also moves for some steps after its gradient has become zero, while its
moments decay. `catch_up` applies all these steps at once when the row is used again, so that rare rows learn as
they would with dense updates. It does not apply the weight decay of these steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .parameters import Parameter

NUMBERS_PER_BLOCK = 2**15  # of an update: its half dozen arrays then stay in the cache


def clip_by_global_norm(parameters: Mapping[str, Parameter], limit: float) -> float:
    """Scale all gradients down together where their joint norm is above `limit`; returns the norm before.

    Pascanu, Mikolov and Bengio 2013. A `limit` of 0 means none.
    """
    # np.vdot sums in the gradients' precision, but in blocks, which is accurate enough for a norm.
    norm = float(np.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters.values())))
    if 0 < limit < norm < np.inf:
        for parameter in parameters.values():
            grad = parameter.grad
            grad *= limit / norm
    return norm


def blocks_of_rows(array: np.ndarray, count: int | None = None) -> Iterator[slice]:
    """Yield slices of a few rows each, of all rows of an array or of so many: a block of them stays in the cache."""
    size = max(1, NUMBERS_PER_BLOCK // max(1, math.prod(array.shape[1:])))
    count = len(array) if count is None else count
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _blocks(parameter: Parameter) -> Iterator[tuple[np.ndarray, Any]]:
    """Some rows of the gradient at a time, and the index of these rows in the value."""
    for part in blocks_of_rows(parameter.grad):
        yield parameter.grad[part], part if parameter.rows is None else parameter.rows[part]


class SGD:
    """Stochastic gradient descent with decoupled weight decay on the matrices."""

    def __init__(self, parameters: Mapping[str, Parameter], weight_decay: float = 0.0):
        self.parameters = parameters
        self.weight_decay = weight_decay

    def step(self, learning_rate: float) -> None:
        """Move each parameter against its gradient, which is overwritten."""
        for parameter in self.parameters.values():
            for g, rows in _blocks(parameter):
                if self.weight_decay and parameter.value.ndim > 1:
                    parameter.value[rows] *= 1 - learning_rate * self.weight_decay
                g *= learning_rate
                parameter.value[rows] -= g

    def catch_up(self, everything: bool = False, within: int = 0) -> dict[str, np.ndarray]:
        """Do nothing: SGD moves no row after its gradient has become zero."""
        return {}

    def reset(self) -> None:
        """Do nothing: SGD has no moments."""

    def numbers(self) -> dict[str, float]:
        """Return nothing: SGD remembers nothing from one step to the next."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return nothing, as `numbers` does."""
        return {}

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Do nothing: there is nothing to restore."""


class _Arrays(NamedTuple):
    """A parameter's value and its moments, or some rows of them."""

    value: np.ndarray
    total: np.ndarray  # the decaying sum of gradients
    square: np.ndarray  # the decaying sum of squared gradients

    def take(self, rows: Any) -> _Arrays:
        """The `rows`: views for a slice, copies for row numbers."""
        return _Arrays(self.value[rows], self.total[rows], self.square[rows])

    def put(self, rows: Any, changed: _Arrays) -> None:
        """Write changed copies of the `rows` back."""
        for array, part in zip(self, changed, strict=True):
            array[rows] = part


class Adam:
    """Adam (Kingma and Ba 2015) with decoupled weight decay on the matrices (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ):
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.betas = betas
        self.epsilon = epsilon
        self.reset()

    def reset(self) -> None:
        """Forget the moments, which are decaying sums of the gradients and of their squares."""
        self.steps = 0
        self.sums = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}
        self.squares = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}
        self.rate = 0.0  # of the last step, with the corrections of the moments' bias
        self.margin = 0.0  # epsilon, with the same corrections
        # Of each row: the last step that has been applied to it, the rate of the last step that it was used in, and
        # that step.
        self.caught_up = {name: np.zeros(len(p.value), np.int64) for name, p in self.parameters.items()}
        self.rates = {name: np.zeros(len(p.value)) for name, p in self.parameters.items()}
        self.used = {name: np.zeros(len(p.value), np.int64) for name, p in self.parameters.items()}

    def numbers(self) -> dict[str, float]:
        """Return what an optimizer remembers besides arrays, by name."""
        return {"steps": self.steps, "rate": self.rate, "margin": self.margin}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of an optimizer, not copied, by the names of its fields and of the parameters."""
        fields = {
            "sums": self.sums,
            "squares": self.squares,
            "caught_up": self.caught_up,
            "rates": self.rates,
            "used": self.used,
        }
        return {f"{field}.{name}": array for field, by_name in fields.items() for name, array in by_name.items()}

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Go on from the `numbers` of another optimizer. Its arrays have been written into those of this one before."""
        self.steps = int(numbers["steps"])
        self.rate = numbers["rate"]
        self.margin = numbers["margin"]
        for name, parameter in self.parameters.items():
            # Its gradient was row-sparse: rows have been used at the last step, so others have steps to catch up with.
            if self.caught_up[name].any():
                parameter.use(np.empty(0, np.intp))

    def step(self, learning_rate: float) -> None:
        """Move each parameter by its moments. The gradient is overwritten."""
        self.steps += 1
        self._correct_bias(learning_rate)
        shrink = 1 - learning_rate * self.weight_decay
        for name, parameter in self.parameters.items():
            arrays = self._arrays(name)
            if parameter.rows is not None:
                self._mark_caught_up(name, parameter.rows)
                self.used[name][parameter.rows] = self.steps
            for g, rows in _blocks(parameter):
                part = arrays.take(rows)
                self._update_moments(part, g)
                value = part.value
                if self.weight_decay and value.ndim > 1:
                    value *= shrink
                value -= g
                if parameter.rows is not None:
                    arrays.put(rows, part)

    def catch_up(self, everything: bool = False, within: int = 0) -> dict[str, np.ndarray]:
        """Apply the steps that the rows in use have missed. Call it before they are read. Returns which (N,) moved.

        With `everything`, those that any row has missed; with `within`, those of the rows that were used in so many of
        the last steps. In k steps without a gradient the sums shrink by beta1^k, the sums of squares by beta2^k, and
        each step moves the value by r = beta1 / sqrt(beta2) times as much as the step before. The learning rate is
        taken to be that of the last use: nine tenths of the movement happen in the first twenty steps.
        """
        found = {}
        for name, parameter in self.parameters.items():
            if parameter.rows is None:
                continue
            if everything or within:
                first = 0 if everything else max(1, self.steps - within)  # no row that was never used
                found[name] = np.flatnonzero((self.caught_up[name] < self.steps) & (self.used[name] >= first))
            else:
                in_use = parameter.rows
                found[name] = in_use[self.caught_up[name][in_use] < self.steps]
            self._apply_missed(name, found[name])
        return found

    def _apply_missed(self, name: str, behind: np.ndarray) -> None:
        """Apply the steps that the rows `behind` of a parameter have missed."""
        arrays = self._arrays(name)
        for block in blocks_of_rows(arrays.value, len(behind)):
            rows = behind[block]
            part = arrays.take(rows)
            self._apply_missed_steps(part, self.steps - self.caught_up[name][rows], self.rates[name][rows])
            arrays.put(rows, part)
        self._mark_caught_up(name, behind)

    def _arrays(self, name: str) -> _Arrays:
        return _Arrays(self.parameters[name].value, self.sums[name], self.squares[name])

    def _mark_caught_up(self, name: str, rows: np.ndarray) -> None:
        self.caught_up[name][rows] = self.steps
        self.rates[name][rows] = self.rate

    def _correct_bias(self, learning_rate: float) -> None:
        """Set the rate and the margin of a step, with the paper's corrections of the moments' bias.

        The paper's moments are our sums times 1 - beta. These factors are applied here, once a step.
        """
        beta1, beta2 = self.betas
        scale = ((1 - beta2**self.steps) / (1 - beta2)) ** 0.5
        self.rate = learning_rate * (1 - beta1) / (1 - beta1**self.steps) * scale
        self.margin = self.epsilon * scale

    def _update_moments(self, part: _Arrays, g: np.ndarray) -> None:
        """Add the gradient `g` to the moments, and turn it in place into the step: rate * total / sqrt(square)."""
        beta1, beta2 = self.betas
        _, total, square = part
        total *= beta1
        total += g
        square *= beta2
        g *= g
        square += g
        np.sqrt(square, out=g)
        g += self.margin
        np.divide(total, g, out=g)
        g *= self.rate

    def _apply_missed_steps(self, part: _Arrays, missed: np.ndarray, rates: np.ndarray) -> None:
        """Apply to each row as many steps without a gradient as it has `missed`, at its rate."""
        beta1, beta2 = self.betas
        ratio = beta1 / beta2**0.5
        value, total, square = part
        column = (-1, *[1] * (value.ndim - 1))

        def by_row(factors: np.ndarray) -> np.ndarray:
            return factors.astype(value.dtype).reshape(column)

        move = by_row(rates * ratio * (1 - ratio**missed) / (1 - ratio))
        value -= move * total / (np.sqrt(square) + self.margin)
        total *= by_row(beta1**missed)
        square *= by_row(beta2**missed)


OPTIMIZERS: dict[str, type[Adam] | type[SGD]] = {"adam": Adam, "sgd": SGD}
