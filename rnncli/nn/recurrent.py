"""A recurrent layer: its weights, its matrix products and the loop over time. The cell does the rest."""

from collections.abc import Callable

import numpy as np

from .cells import Cell, LayerState
from .parameters import Parameter

RecurrentBackward = Callable[..., tuple[np.ndarray, LayerState]]


class Recurrent:
    """A layer that reads a sequence step by step, with W_x (D, G*H), W_h (H, G*H) and b (G*H,)."""

    def __init__(self, cell: Cell, input_weight: Parameter, recurrent_weight: Parameter, bias: Parameter):
        self.cell = cell
        self.input_weight, self.recurrent_weight, self.bias = input_weight, recurrent_weight, bias

    def start(self, batch: int) -> LayerState:
        """The state before anything was read: zeros (B, H)."""
        weight = self.recurrent_weight.value
        fields = self.cell.State._fields
        return self.cell.State(*(np.zeros((batch, weight.shape[0]), weight.dtype) for _ in fields))

    def forward(self, x: np.ndarray, state: LayerState) -> tuple[np.ndarray, LayerState, RecurrentBackward]:
        """Read `x` (T, B, D) from `state` on: the outputs (T, B, H), the state after them, and `backward`.

        `backward` takes the gradient with respect to the outputs, and to the last state where it matters;
        it returns the gradients with respect to `x` and to the first state.
        """
        steps, batch, inputs = x.shape
        cell = self.cell
        size, width = self.recurrent_weight.value.shape
        rows = x.reshape(steps * batch, inputs)
        a = rows @ self.input_weight.value  # all inputs at once: only the recurrent part has to wait its turn
        a += self.bias.value
        a = a.reshape(steps, batch, width)
        histories = cell.State(*(np.empty((steps + 1, batch, size), a.dtype) for _ in state))
        for history, first in zip(histories, state, strict=True):
            history[0] = first
        states = [cell.State(*moment) for moment in zip(*histories, strict=True)]  # views: T + 1 states
        u = np.empty((batch, width), a.dtype)
        saved = []
        for t in range(steps):
            np.matmul(states[t].h, self.recurrent_weight.value, out=u)
            saved.append(cell.step(a[t], u, states[t], states[t + 1]))

        def backward(d_out: np.ndarray, d_last: LayerState | None = None) -> tuple[np.ndarray, LayerState]:
            d = cell.State(*(np.zeros((batch, size), a.dtype) for _ in state))
            for total, given in zip(d, d_last or (), strict=False):
                total += given
            da = np.empty_like(a)
            du = da if cell.additive else np.empty_like(a)
            # A transposed copy, made once: the small products of the loop run nearly twice as fast with it.
            transposed = np.ascontiguousarray(self.recurrent_weight.value.T)
            through_u = np.empty((batch, size), a.dtype)
            for t in reversed(range(steps)):
                d.h[...] += d_out[t]
                cell.step_backward(saved[t], a[t], states[t], states[t + 1], d, da[t], du[t])
                np.matmul(du[t], transposed, out=through_u)
                d.h[...] += through_u
            da_rows, du_rows = da.reshape(-1, width), du.reshape(-1, width)
            self.input_weight.grad += rows.T @ da_rows
            self.recurrent_weight.grad += histories.h[:-1].reshape(-1, size).T @ du_rows
            self.bias.grad += da_rows.sum(axis=0)
            return (da_rows @ self.input_weight.value.T).reshape(x.shape), d

        last = cell.State(*(history[-1].copy() for history in histories))  # a view would keep the whole histories
        return histories.h[1:], last, backward
