"""A recurrent layer: its weights, its matrix products and the loop over time. The cell does the rest."""

from collections.abc import Callable

import numpy as np

from .buffers import Empty
from .cells import Cell, LayerState
from .parameters import Parameter

RecurrentBackward = Callable[..., tuple[np.ndarray, LayerState]]

FEW = 16  # steps: for more it pays to lay the weights out anew, gate by gate


class Recurrent:
    """A layer that reads a sequence step by step, with W_x (D, G*H), W_h (H, G*H) and b (G*H,)."""

    def __init__(self, cell: Cell, input_weight: Parameter, recurrent_weight: Parameter, bias: Parameter):
        self.cell = cell
        self.input_weight, self.recurrent_weight, self.bias = input_weight, recurrent_weight, bias

    def zero_state(self, batch: int) -> LayerState:
        """The state before anything was read: zeros (B, H)."""
        weight = self.recurrent_weight.value
        fields = self.cell.State._fields
        return self.cell.State(*(np.zeros((batch, weight.shape[0]), weight.dtype) for _ in fields))

    def forward(
        self, x: np.ndarray, state: LayerState, empty: Empty = np.empty, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, LayerState, RecurrentBackward]:
        """Read `x` (T, B, D) from `state` on: the outputs (T, B, H), the state after them, and `backward`.

        The recurrent weight is multiplied by a `mask` (G, H, H), gate by gate, if there is one (Merity et al. 2018).
        `backward` takes the gradient with respect to the outputs, and to the last state where it matters;
        it returns the gradients with respect to `x` and to the first state. It is for one call.
        """
        steps, batch, inputs = x.shape
        cell, dtype = self.cell, x.dtype
        size, width = self.recurrent_weight.value.shape
        gates = cell.gates
        rows = x.reshape(steps * batch, inputs)
        # All inputs at once: only the recurrent part has to wait its turn. Then gate by gate within every step.
        flat = np.matmul(rows, self.input_weight.value, out=empty((len(rows), width), dtype))
        a = empty((steps, gates, batch, size), dtype)
        np.add(flat.reshape(steps, batch, gates, size).swapaxes(1, 2), self.bias.value.reshape(gates, 1, size), out=a)
        weight = self.recurrent_weight.value.reshape(size, gates, size).swapaxes(0, 1)
        if mask is not None:
            weight = np.multiply(weight, mask, out=empty(weight.shape, dtype))
        elif steps > FEW:
            copied = empty(weight.shape, dtype)
            copied[...] = weight
            weight = copied
        histories = cell.State(*(empty((steps + 1, batch, size), dtype) for _ in state))
        for history, first in zip(histories, state, strict=True):
            history[0] = first
        states = [cell.State(*moment) for moment in zip(*histories, strict=True)]  # views: T + 1 states
        kept, u = empty((steps, batch, size), dtype), empty((gates, batch, size), dtype)
        for a_t, kept_t, before, after in zip(a, kept, states, states[1:], strict=False):
            np.matmul(before.h, weight, out=u)
            cell.step(a_t, u, kept_t, before, after)

        def backward(d_out: np.ndarray, d_last: LayerState | None = None) -> tuple[np.ndarray, LayerState]:
            d = cell.State(*(np.zeros((batch, size), dtype) for _ in state))
            for total, given in zip(d, d_last or (), strict=False):
                total += given
            before, after = (cell.State(*(h[part] for h in histories)) for part in (slice(-1), slice(1, None)))
            da = empty(a.shape, dtype)
            cell.derivatives(a, kept, before, after, da)
            du = da if cell.additive else empty(a.shape, dtype)
            transposed = _transposed(weight, empty(weight.shape, dtype))
            dh, through_u = d.h, empty((batch, size), dtype)
            for d_out_t, *moment, du_t in zip(d_out[::-1], a[::-1], kept[::-1], da[::-1], du[::-1], strict=True):
                dh += d_out_t
                cell.step_backward(*moment, du_t, d)
                np.matmul(du_t, transposed, out=u)
                if cell.additive:
                    np.add.reduce(u, axis=0, out=dh)
                else:
                    dh += np.add.reduce(u, axis=0, out=through_u)

            def side_by_side(gradient: np.ndarray) -> np.ndarray:
                flat.reshape(steps, batch, gates, size)[...] = gradient.swapaxes(1, 2)
                return flat

            du_rows = side_by_side(du)
            before_rows = histories.h[:-1].reshape(-1, size)
            if mask is None:
                self.recurrent_weight.add_product(before_rows.T, du_rows, empty)
            else:
                d_weight = np.matmul(before_rows.T, du_rows, out=empty((size, width), dtype))
                d_weight.reshape(size, gates, size)[...] *= mask.swapaxes(0, 1)
                self.recurrent_weight.add(d_weight)
            da_rows = du_rows if cell.additive else side_by_side(da)
            self.input_weight.add_product(rows.T, da_rows, empty)
            self.bias.add(da_rows.sum(axis=0))
            d_rows = np.matmul(da_rows, self.input_weight.value.T, out=empty(rows.shape, dtype))
            return d_rows.reshape(x.shape), d

        last = cell.State(*(history[-1].copy() for history in histories))  # a view would keep the whole histories
        return histories.h[1:], last, backward


def _transposed(weight: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Each gate's matrix of `weight` (G, H, H) the other way round, copied into `out`.

    The small products of the loop run nearly twice as fast with the copy, and the copy five times as fast in strips
    as in one go where H is a power of two.
    """
    for start in range(0, weight.shape[1], 32):
        strip = slice(start, start + 32)
        out[:, :, strip] = weight[:, strip].swapaxes(1, 2)
    return out
