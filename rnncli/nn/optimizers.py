"""How parameters follow their gradients: clipping, SGD and Adam."""

from collections.abc import Mapping

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
            parameter.grad *= limit / norm
    return norm


class SGD:
    """Stochastic gradient descent with decoupled weight decay on the matrices."""

    def __init__(self, parameters: Mapping[str, Parameter], weight_decay: float = 0.0):
        self.parameters, self.weight_decay = parameters, weight_decay

    def step(self, learning_rate: float) -> None:
        """Move each parameter against its gradient, and clear the gradient."""
        for parameter in self.parameters.values():
            if self.weight_decay and parameter.value.ndim > 1:
                parameter.value *= 1 - learning_rate * self.weight_decay
            parameter.grad *= learning_rate
            parameter.value -= parameter.grad
            parameter.grad.fill(0)

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
        self.moments = {name: np.zeros((2, p.value.size), p.value.dtype) for name, p in self.parameters.items()}

    def step(self, learning_rate: float) -> None:
        """Move each parameter by its moments, and clear its gradient."""
        self.steps += 1
        beta1, beta2 = self.betas
        correction = (1 - beta2**self.steps) ** 0.5
        rate = learning_rate * correction / (1 - beta1**self.steps)
        for name, parameter in self.parameters.items():
            decay = 1 - learning_rate * self.weight_decay if parameter.value.ndim > 1 else 1.0
            value, grad = parameter.value.reshape(-1), parameter.grad.reshape(-1)
            for start in range(0, value.size, BLOCK):
                block = slice(start, start + BLOCK)
                v, g, (mean, square) = value[block], grad[block], self.moments[name][:, block]
                mean *= beta1
                mean += (1 - beta1) * g
                square *= beta2
                g *= g
                square += (1 - beta2) * g
                np.sqrt(square, out=g)
                g += self.epsilon * correction
                np.divide(mean, g, out=g)
                g *= rate
                if decay != 1.0:
                    v *= decay
                v -= g
                g.fill(0)


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
