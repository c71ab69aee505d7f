"""A recurrent layer: its weights, its matrix products and the loop over time. The cell does the rest."""

from __future__ import annotations

import functools
from typing import NamedTuple, Protocol

import numpy as np

from .buffers import Empty
from .cells import Cell, LayerState
from .parameters import Parameter
from .threads import processor_kind

MAX_STEPS_WITHOUT_COPY = 16  # a longer pass is faster with a copy of the recurrent weights, gate by gate
COLUMNS_PER_COPY = 32  # of a matrix that is transposed
# With these kernels, OpenBLAS does a product of so many multiplications without packing, up to twice as fast.
MAX_UNPACKED = 10**6
UNPACKED_KINDS = ("SkylakeX", "Cooperlake", "SapphireRapids")
MIN_STRIP_COLUMNS = 16


class RecurrentBackward(Protocol):
    """The derivative of a pass: gradients of the outputs and of the last state to those of `x` and the first state."""

    def __call__(self, d_out: np.ndarray, d_last: LayerState | None = None) -> tuple[np.ndarray, LayerState]: ...


class _Tape(NamedTuple):
    """The arrays of one pass through a layer that its derivative needs."""

    rows: np.ndarray  # (N, D): the inputs of all steps
    weight: np.ndarray  # (G, n, H, s): the recurrent weight in strips, gate by gate
    mask: np.ndarray | None  # (B, H)
    a: np.ndarray  # (T, G, B, H): the input part of the gates; after the pass, their activations
    saved: np.ndarray  # (T, B, H): what the cell saves for its derivative
    history: LayerState  # of (T + 1, B, H): the first state, then the state after each step
    h_inputs: np.ndarray  # (T, B, H): what the recurrent weight multiplies, the outputs before each step times the mask
    flat: np.ndarray  # (N, G*H): memory to work in
    u: np.ndarray  # (G, B, H): memory to work in, for the recurrent part of one step
    empty: Empty


class Recurrent:
    """A layer that reads a sequence step by step, with W_x (D, G*H), W_h (H, G*H) and b (G*H,)."""

    def __init__(self, cell: Cell, input_weight: Parameter, recurrent_weight: Parameter, bias: Parameter):
        self.cell = cell
        self.input_weight = input_weight
        self.recurrent_weight = recurrent_weight
        self.bias = bias

    def zero_state(self, batch: int) -> LayerState:
        """The state before any input: zeros (B, H)."""
        weight = self.recurrent_weight.value
        fields = self.cell.State._fields
        return self.cell.State(*(np.zeros((batch, weight.shape[0]), weight.dtype) for _ in fields))

    def forward(
        self, x: np.ndarray, state: LayerState, empty: Empty = np.empty, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, LayerState, RecurrentBackward]:
        """Read `x` (T, B, D) from `state` on: the outputs (T, B, H), the state after them, and `backward`.

        What the recurrent weight multiplies is multiplied by a `mask` (B, H) before, the same in all steps, if there is
        one: recurrent dropout (Gal and Ghahramani 2016).
        `backward` takes the gradient with respect to the outputs, and to the last state where it matters;
        it returns the gradients with respect to `x` and to the first state. Call it once.
        """
        steps, batch, _ = x.shape
        size, width = self.recurrent_weight.value.shape
        rows = x.reshape(steps * batch, -1)
        flat = np.matmul(rows, self.input_weight.value, out=empty((len(rows), width), x.dtype))
        a = empty((steps, self.cell.gates, batch, size), x.dtype)
        parts = flat.reshape(steps, batch, self.cell.gates, size).swapaxes(1, 2)
        np.add(parts, self.bias.value.reshape(-1, 1, size), out=a)
        tape = self._tape(rows, flat, a, state, mask, empty)
        self._run(tape)

        def backward(d_out: np.ndarray, d_last: LayerState | None = None) -> tuple[np.ndarray, LayerState]:
            d = self.zero_state(x.shape[1])
            for total, gradient in zip(d, d_last or (), strict=False):
                total += gradient
            da, du = self._run_backward(tape, d_out, d)
            return self._add_gradients(tape, da, du).reshape(x.shape), d

        return tape.history.h[1:], self._last(tape), backward

    def read(self, rows: np.ndarray, places: np.ndarray, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """Do `forward` of inputs that recur, rows[places], to predict: each of the `rows` (N, D) is multiplied once.

        `places` (T, B) says which of them stands where. Returns the outputs (T, B, H) and the state after them.
        """
        size, width = self.recurrent_weight.value.shape
        steps, batch = places.shape
        inputs = rows @ self.input_weight.value
        inputs += self.bias.value
        a = np.empty((steps, self.cell.gates, batch, size), rows.dtype)
        for gate in range(self.cell.gates):
            a[:, gate] = inputs[:, gate * size : (gate + 1) * size][places]
        tape = self._tape(rows, np.empty((0, width), rows.dtype), a, state, None, np.empty)
        self._run(tape)
        return tape.history.h[1:], self._last(tape)

    def _last(self, tape: _Tape) -> LayerState:
        """The state after the last step, copied: a view would keep the whole history."""
        last: LayerState = self.cell.State(*(field[-1].copy() for field in tape.history))
        return last

    def _tape(
        self,
        rows: np.ndarray,
        flat: np.ndarray,
        a: np.ndarray,
        state: LayerState,
        mask: np.ndarray | None,
        empty: Empty,
    ) -> _Tape:
        """Make room for what the loop fills."""
        steps, gates, batch, size = a.shape
        weight = self._weight_in_strips(batch, steps, empty)
        history = self.cell.State(*(empty((steps + 1, batch, size), a.dtype) for _ in state))
        for field, first in zip(history, state, strict=True):
            field[0] = first
        h_inputs = history.h[:-1] if mask is None else empty((steps, batch, size), a.dtype)
        saved = empty((steps, batch, size), a.dtype)
        u = empty((gates, batch, size), a.dtype)
        return _Tape(rows, weight, mask, a, saved, history, h_inputs, flat, u, empty)

    def _weight_in_strips(self, batch: int, steps: int, empty: Empty) -> np.ndarray:
        """The recurrent weight as (G, n, H, s): a copy where that pays, else a view."""
        size, _ = self.recurrent_weight.value.shape
        weight = in_strips(
            self.recurrent_weight.value.reshape(size, self.cell.gates, size).swapaxes(0, 1), strip_count(batch, size)
        )
        if steps <= MAX_STEPS_WITHOUT_COPY:
            return weight
        copied = empty(weight.shape, weight.dtype)
        copied[...] = weight
        return copied

    def _run(self, tape: _Tape) -> None:
        """Take all steps, from the first on."""
        cell = self.cell
        weight = tape.weight
        u = tape.u
        u_strips = in_strips(u, weight.shape[1])
        states = [cell.State(*fields) for fields in zip(*tape.history, strict=True)]  # views: T + 1 states
        for a_t, h, saved_t, before, after in zip(tape.a, tape.h_inputs, tape.saved, states, states[1:], strict=False):
            if tape.mask is not None:
                np.multiply(before.h, tape.mask, out=h)
            np.matmul(h, weight, out=u_strips)
            cell.step(a_t, u, saved_t, before, after)

    def _run_backward(self, tape: _Tape, d_out: np.ndarray, d: LayerState) -> tuple[np.ndarray, np.ndarray]:
        """Go back through all steps: the gradients (T, G, B, H) of the input part and of the recurrent part.

        `d`, the gradient with respect to the last state, is turned in place into that of the first state.
        """
        cell = self.cell
        before = cell.State(*(field[:-1] for field in tape.history))
        after = cell.State(*(field[1:] for field in tape.history))
        da = tape.empty(tape.a.shape, tape.a.dtype)
        cell.derivatives(tape.a, tape.saved, before, after, da)
        du = da if cell.additive else tape.empty(tape.a.shape, tape.a.dtype)
        transposed = _transposed(tape.weight, tape.empty(tape.weight.shape, tape.weight.dtype))
        u = tape.u
        u_strips = in_strips(u, transposed.shape[1])
        dh = d.h
        dh_through_u = dh if cell.additive else tape.empty(dh.shape, dh.dtype)
        backwards = zip(d_out[::-1], tape.a[::-1], tape.saved[::-1], da[::-1], du[::-1], strict=True)
        for d_out_t, a_t, saved_t, da_t, du_t in backwards:
            dh += d_out_t
            cell.step_backward(a_t, saved_t, da_t, du_t, d)
            np.matmul(du_t[:, None], transposed, out=u_strips)
            np.add.reduce(u, axis=0, out=dh_through_u)
            if tape.mask is not None:
                dh_through_u *= tape.mask
            if not cell.additive:
                dh += dh_through_u
        return da, du

    def _add_gradients(self, tape: _Tape, da: np.ndarray, du: np.ndarray) -> np.ndarray:
        """Add to the gradients of the parameters, one product for all steps each; returns that of the rows (N, D)."""
        du_rows = _rows(du, tape.flat)
        h_rows = tape.h_inputs.reshape(len(du_rows), -1)
        self.recurrent_weight.add_product(h_rows.T, du_rows, tape.empty)
        da_rows = du_rows if da is du else _rows(da, tape.flat)
        self.input_weight.add_product(tape.rows.T, da_rows, tape.empty)
        self.bias.add(da_rows.sum(axis=0))
        return np.matmul(da_rows, self.input_weight.value.T, out=tape.empty(tape.rows.shape, tape.rows.dtype))


def _rows(gradient: np.ndarray, out: np.ndarray) -> np.ndarray:
    """A gradient (T, G, B, H) as rows (N, G*H), copied into `out`: so that one product can take all steps."""
    steps, gates, batch, size = gradient.shape
    out.reshape(steps, batch, gates, size)[...] = gradient.swapaxes(1, 2)
    return out


@functools.cache
def strip_count(rows: int, size: int) -> int:
    """Return into how many strips of columns a matrix (size, size) is cut for products with some `rows` of numbers.

    They are the fewest that divide it evenly and are so narrow that BLAS does each product without packing.
    """
    if rows * size * size <= MAX_UNPACKED:
        return 1
    if not any(kind in processor_kind() for kind in UNPACKED_KINDS):
        return 1
    counts = range(2, size // MIN_STRIP_COLUMNS + 1)
    return next((n for n in counts if size % n == 0 and rows * size * (size // n) <= MAX_UNPACKED), 1)


def in_strips(matrices: np.ndarray, count: int) -> np.ndarray:
    """View matrices (G, M, H) as strips of columns, (G, count, M, H / count)."""
    gates, rows, columns = matrices.shape
    strips: np.ndarray = matrices.reshape(gates, rows, count, columns // count).swapaxes(1, 2)
    return strips


def _transposed(weight: np.ndarray, out: np.ndarray) -> np.ndarray:
    """The strips of each gate's matrix transposed, of strips `weight` (G, n, H, s); copied into `out`, of that shape.

    The small products of the loop run nearly twice as fast with the copy. The copy itself is five times as fast strip
    by strip as in one go where H is a power of two.
    """
    gates, count, _, width = weight.shape
    transposed = out.reshape(gates, count, count, width, width)
    for strip in range(count):
        for start in range(0, width, COLUMNS_PER_COPY):
            rows = weight[:, :, strip * width : (strip + 1) * width][:, :, start : start + COLUMNS_PER_COPY]
            transposed[:, strip, :, :, start : start + COLUMNS_PER_COPY] = rows.swapaxes(2, 3)
    return out
