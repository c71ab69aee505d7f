"""The element-wise part of one step of a recurrent layer: Elman, GRU and LSTM.

A cell holds no weights and multiplies no matrices; `Recurrent` does.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

LayerState = Any  # a cell's own `State`: a named tuple of arrays (B, H), the output `h` first


class Cell(Protocol):
    """The interface of a cell to its layer.

    The gates of a step are an array (G, B, H), one block for each gate, so that the work on one gate walks through
    memory in order.
    """

    gates: int  # G: a step takes G*H numbers from the weights
    additive: bool  # whether a step sees only `a + u`, and `h` only in `u`: then `du` is the same array as `da`

    @property
    def State(self) -> Any:  # noqa: N802
        """The class of the cell's state."""

    def initial_bias(self, size: int) -> np.ndarray:
        """The bias (G*H,) to start training from, for H = `size` units."""

    def step(self, a: np.ndarray, u: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState) -> None:
        """Compute one step, from the state `before` to the state `after`, which is filled.

        `a` (G, B, H) is the gates' input part, x_t W_x + b, and is turned into the gates' activations; `u` (G, B, H)
        is their recurrent part, h_{t-1} W_h. The cell may save in `saved` (B, H) what its derivative needs besides.
        """

    def derivatives(
        self, a: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState, da: np.ndarray
    ) -> None:
        """Prepare `step_backward`, for all T steps at once: the arrays are those of `step`, with T in front.

        Fills `da` (T, G, B, H) with the factors by which `step_backward` multiplies the gradients that reach the
        gates. It may change `saved`.
        """

    def step_backward(self, a: np.ndarray, saved: np.ndarray, da: np.ndarray, du: np.ndarray, d: LayerState) -> None:
        """Turn `da` and `du` (G, B, H) into the gradients with respect to `a` and `u` as `step` was given them.

        `a` and `saved` are as `step` and `derivatives` left them. `d` is the gradient with respect to the state after
        the step. It is turned in place into the gradient with respect to the state before the step, without what
        passes through `u`. An additive cell has no such part for `d.h`, and may leave `d.h` as it is.
        """


def _sigmoid(x: np.ndarray) -> None:
    """1 / (1 + exp(-x)) in place, computed by tanh, which is faster in NumPy and cannot overflow."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def _relu(x: np.ndarray) -> None:
    np.maximum(x, 0, out=x)


# Each activation, applied in place, and its derivative as a function of its result.
ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], object], Callable[[np.ndarray], np.ndarray]]] = {
    "tanh": (lambda x: np.tanh(x, out=x), lambda y: 1 - y * y),
    "relu": (_relu, lambda y: y > 0),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
}


class Elman:
    """h_t = activation(x_t W_x + h_{t-1} W_h + b): the simple recurrent network (Elman 1990)."""

    class State(NamedTuple):
        """The state of an Elman layer: `h` (B, H)."""

        h: np.ndarray

    gates = 1
    additive = True

    def __init__(self, activation: str = "tanh"):
        self.activation = activation  # by name, so that a cell can be sent to another process

    def initial_bias(self, size: int) -> np.ndarray:
        return np.zeros(size)

    def step(self, a: np.ndarray, u: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState) -> None:
        a += u
        ACTIVATIONS[self.activation][0](a)
        after.h[...] = a[0]

    def derivatives(
        self, a: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState, da: np.ndarray
    ) -> None:
        da[...] = ACTIVATIONS[self.activation][1](a)

    def step_backward(self, a: np.ndarray, saved: np.ndarray, da: np.ndarray, du: np.ndarray, d: LayerState) -> None:
        da *= d.h


class GRU:
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as cuDNN has it.

    r = sigmoid(a_r + u_r)    z = sigmoid(a_z + u_z)    n = tanh(a_n + r * u_n)    h_t = n + z * (h_{t-1} - n)
    """

    class State(NamedTuple):
        """The state of a GRU layer: `h` (B, H)."""

        h: np.ndarray

    gates = 3
    additive = False

    def initial_bias(self, size: int) -> np.ndarray:
        return np.zeros(3 * size)

    def step(self, a: np.ndarray, u: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState) -> None:
        rz = a[:2]
        n = a[2]
        h = after.h
        rz += u[:2]
        _sigmoid(rz)
        r, z = rz
        saved[...] = u[2]
        np.multiply(r, saved, out=h)
        n += h
        np.tanh(n, out=n)
        np.subtract(before.h, n, out=h)
        h *= z
        h += n

    def derivatives(
        self, a: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState, da: np.ndarray
    ) -> None:
        r, z, n = a.swapaxes(0, 1)
        da_r, da_z, da_n = da.swapaxes(0, 1)
        np.multiply(1 - z, 1 - n * n, out=da_n)
        np.multiply(before.h - n, z * (1 - z), out=da_z)
        np.multiply(da_n * saved, r * (1 - r), out=da_r)

    def step_backward(self, a: np.ndarray, saved: np.ndarray, da: np.ndarray, du: np.ndarray, d: LayerState) -> None:
        da *= d.h
        du[...] = da
        r, z, _ = a
        du_n = du[2]
        du_n *= r
        dh = d.h
        dh *= z


class LSTM:
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    i, f, o = sigmoid(a + u)    g = tanh(a_g + u_g)    c_t = f * c_{t-1} + i * g    h_t = o * tanh(c_t)
    """

    class State(NamedTuple):
        """The state of an LSTM layer: its output `h` (B, H) and its memory cell `c` (B, H)."""

        h: np.ndarray
        c: np.ndarray

    gates = 4
    additive = True

    def initial_bias(self, size: int) -> np.ndarray:
        """Zeros, and one for the forget gate, which then starts open (Gers et al. 2000; Jozefowicz et al. 2015)."""
        return np.repeat([0.0, 1.0, 0.0, 0.0], size)

    def step(self, a: np.ndarray, u: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState) -> None:
        ifo = a[:3]
        c = after.c
        a += u
        ifo *= 0.5  # sigmoid(x) = (tanh(x / 2) + 1) / 2, so one tanh serves all four gates
        np.tanh(a, out=a)
        ifo *= 0.5
        ifo += 0.5
        i, f, o, g = a
        np.multiply(f, before.c, out=c)
        np.multiply(i, g, out=saved)
        c += saved
        np.tanh(c, out=saved)
        np.multiply(o, saved, out=after.h)

    def derivatives(
        self, a: np.ndarray, saved: np.ndarray, before: LayerState, after: LayerState, da: np.ndarray
    ) -> None:
        i, _, o, g = a.swapaxes(0, 1)
        da_i, da_f, da_o, da_g = da.swapaxes(0, 1)
        ifo = a[:, :3]
        da_ifo = da[:, :3]
        np.subtract(1, ifo, out=da_ifo)
        da_ifo *= ifo
        da_i *= g
        da_f *= before.c
        da_o *= saved
        np.multiply(g, g, out=da_g)
        np.subtract(1, da_g, out=da_g)
        da_g *= i
        saved *= saved  # from tanh(c_t) to the derivative of h_t with respect to c_t
        np.subtract(1, saved, out=saved)
        saved *= o

    def step_backward(self, a: np.ndarray, saved: np.ndarray, da: np.ndarray, du: np.ndarray, d: LayerState) -> None:
        f = a[1]
        dc = d.c
        da_if = da[:2]
        da_o = da[2]
        da_g = da[3]
        saved *= d.h
        dc += saved
        da_if *= dc
        da_o *= d.h
        da_g *= dc
        dc *= f


CELLS: dict[str, Callable[[], Cell]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}


def make_cell(name: str, activation: str = "tanh") -> Cell:
    """Make the cell of this name; the Elman cell takes an activation function."""
    return Elman(activation) if name == "elman" else CELLS[name]()
