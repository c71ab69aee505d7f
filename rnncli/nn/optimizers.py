"""How parameters follow their gradients: clipping, SGD and Adam.

Where only some rows of a parameter are in use (`Parameter.use`), a step touches just these: their moments, their
values, and their share of the decay. For Adam that means "lazy" moments: those of a word that a step leaves out stay
as they are, and it does not move, while the dense rule would let them fade and move the word on for some steps more.
With every row in use both are the same.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .parameters import Parameter

BLOCK = 2**15  # numbers updated at a time: the half dozen arrays of an update then stay in the cache

Map = Callable[..., Any]  # `map`, or what does the same on several threads


def clip_by_global_norm(parameters: Mapping[str, Parameter], limit: float) -> float:
    """Scale all gradients down together where their joint norm is above `limit`; returns the norm before.

    Pascanu, Mikolov and Bengio 2013. A `limit` of 0 leaves them as they are.
    """
    # np.vdot sums in the gradients' precision, but in blocks, which is accurate enough for a norm.
    norm = float(np.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters.values())))
    if 0 < limit < norm < np.inf:
        for parameter in parameters.values():
            parameter.grad *= limit / norm
    return norm


def _blocks(parameters: Mapping[str, Parameter]) -> Iterator[tuple[str, slice, Any]]:
    """All gradients, some rows at a time: whose they are, and where they are in its gradient and in its value."""
    for name, parameter in parameters.items():
        rows = max(1, BLOCK // max(1, parameter.value[0].size))
        for start in range(0, len(parameter.grad), rows):
            part = slice(start, start + rows)
            yield name, part, part if parameter.rows is None else parameter.rows[part]


class SGD:
    """Stochastic gradient descent with decoupled weight decay on the matrices."""

    def __init__(self, parameters: Mapping[str, Parameter], weight_decay: float = 0.0):
        self.parameters, self.weight_decay = parameters, weight_decay

    def step(self, learning_rate: float, side_by_side: Map = map) -> None:
        """Move each parameter against its gradient, and clear the gradient."""

        def update(block: tuple[str, slice, Any]) -> None:
            name, part, rows = block
            parameter = self.parameters[name]
            value, grad = parameter.value, parameter.grad[part]
            if self.weight_decay and value.ndim > 1:
                value[rows] *= 1 - learning_rate * self.weight_decay
            grad *= learning_rate
            value[rows] -= grad
            grad.fill(0)

        list(side_by_side(update, _blocks(self.parameters)))

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
        """Forget the moments, which are the running means of the gradients and of their squares."""
        self.steps = 0
        self.means = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}
        self.squares = {name: np.zeros_like(p.value) for name, p in self.parameters.items()}

    def step(self, learning_rate: float, side_by_side: Map = map) -> None:
        """Move each parameter by its moments, and clear its gradient."""
        self.steps += 1
        beta1, beta2 = self.betas
        correction = (1 - beta2**self.steps) ** 0.5
        rate = learning_rate * correction / (1 - beta1**self.steps)

        def update(block: tuple[str, slice, Any]) -> None:
            name, part, rows = block
            parameter = self.parameters[name]
            whole = parameter.value, self.means[name], self.squares[name]
            value, mean, square = (array[rows] for array in whole)  # views, or copies of the rows in use
            g = parameter.grad[part]
            mean *= beta1
            mean += (1 - beta1) * g
            square *= beta2
            g *= g
            square += (1 - beta2) * g
            np.sqrt(square, out=g)
            g += self.epsilon * correction
            np.divide(mean, g, out=g)
            g *= rate
            if self.weight_decay and value.ndim > 1:
                value *= 1 - learning_rate * self.weight_decay
            value -= g
            g.fill(0)
            if parameter.rows is not None:
                for array, changed in zip(whole, (value, mean, square), strict=True):
                    array[rows] = changed

        list(side_by_side(update, _blocks(self.parameters)))


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
