"""What one step of a recurrent layer does, element by element: Elman, GRU and LSTM.

A cell holds no weights and multiplies no matrices; `Recurrent` does.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

LayerState = Any  # a cell's own `State`: a named tuple of arrays (B, H), the output `h` first


class Cell(Protocol):
    """What a layer asks of its cell.

    The gates of a step are an array (G, B, H), one block for each gate, so that all that is done to a gate walks
    through memory in order.
    """

    State: Any  # the fields that are remembered from step to step
    gates: int  # G, how many times H numbers the weights must give for each step
    additive: bool  # whether a step uses `a + u` alone, and not `h` besides: then `du` is the same array as `da`

    def initial_bias(self, size: int) -> np.ndarray:
        """The bias (G*H,) to start training from, for H = `size` units."""

    def step(self, a: np.ndarray, u: np.ndarray, kept: np.ndarray, before: LayerState, after: LayerState) -> None:
        """Go one step, from the state `before` to the state `after`, which is filled.

        `a` (G, B, H) is the gates' input part, x_t W_x + b, and is turned into the gates' activations; `u` (G, B, H)
        is their recurrent part, h_{t-1} W_h. In `kept` (B, H) the cell may keep what its derivative needs besides.
        """

    def derivatives(
        self, a: np.ndarray, kept: np.ndarray, before: LayerState, after: LayerState, da: np.ndarray
    ) -> None:
        """Prepare the way back, for all T steps at once: the arrays are those of `step`, with T in front.

        Fills `da` (T, G, B, H) with the factors by which `step_backward` multiplies what reaches the gates. In `kept`
        may be changed what it needs besides.
        """

    def step_backward(self, a: np.ndarray, kept: np.ndarray, da: np.ndarray, du: np.ndarray, d: LayerState) -> None:
        """Turn `da` and `du` (G, B, H) into the gradients with respect to `a` and `u` as they came in.

        `a` and `kept` are as `step` and `derivatives` left them. `d` is the gradient with respect to the state
        after the step, and is turned in place into that part of the gradient with respect to the state before it
        which does not pass through `u`; of `d.h` there is none where the cell is additive, and it may stay as it is.
        """


def _sigmoid(x: np.ndarray) -> None:
    """1 / (1 + exp(-x)) in place, by way of tanh, which is faster in NumPy and cannot overflow."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def _relu(x: np.ndarray) -> None:
    np.maximum(x, 0, out=x)


# For each activation: itself, in place, and its derivative as a function of its result.
ACTIVATIONS = {
    "tanh": (lambda x: np.tanh(x, out=x), lambda y: 1 - y * y),
    "relu": (_relu, lambda y: y > 0),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
}


class Elman:
    """h_t = activation(x_t W_x + h_{t-1} W_h + b): the simple recurrent network (Elman 1990)."""

    class State(NamedTuple):
        """What an Elman layer remembers: `h` (B, H)."""

        h: np.ndarray

    gates = 1
    additive = True

    def __init__(self, activation: str = "tanh"):
        self.activate, self.derivative = ACTIVATIONS[activation]

    def initial_bias(self, size):
        return np.zeros(size)

    def step(self, a, u, kept, before, after):
        a += u
        self.activate(a)
        after.h[...] = a[0]

    def derivatives(self, a, kept, before, after, da):
        da[...] = self.derivative(a)

    def step_backward(self, a, kept, da, du, d):
        da *= d.h


class GRU:
    """The gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as cuDNN has it.

    r = sigmoid(a_r + u_r)    z = sigmoid(a_z + u_z)    n = tanh(a_n + r * u_n)    h_t = n + z * (h_{t-1} - n)
    """

    class State(NamedTuple):
        """What a GRU layer remembers: `h` (B, H)."""

        h: np.ndarray

    gates = 3
    additive = False

    def initial_bias(self, size):
        return np.zeros(3 * size)

    def step(self, a, u, kept, before, after):
        rz, n, h = a[:2], a[2], after.h
        rz += u[:2]
        _sigmoid(rz)
        r, z = rz
        kept[...] = u[2]
        np.multiply(r, kept, out=h)
        n += h
        np.tanh(n, out=n)
        np.subtract(before.h, n, out=h)
        h *= z
        h += n

    def derivatives(self, a, kept, before, after, da):
        r, z, n = a.swapaxes(0, 1)
        da_r, da_z, da_n = da.swapaxes(0, 1)
        np.multiply(1 - z, 1 - n * n, out=da_n)
        np.multiply(before.h - n, z * (1 - z), out=da_z)
        np.multiply(da_n * kept, r * (1 - r), out=da_r)

    def step_backward(self, a, kept, da, du, d):
        da *= d.h
        du[...] = da
        du_n, dh = du[2], d.h
        du_n *= a[0]  # r
        dh *= a[1]  # z


class LSTM:
    """Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000).

    i, f, o = sigmoid(a + u)    g = tanh(a_g + u_g)    c_t = f * c_{t-1} + i * g    h_t = o * tanh(c_t)
    """

    class State(NamedTuple):
        """What an LSTM layer remembers: its output `h` (B, H) and its memory cell `c` (B, H)."""

        h: np.ndarray
        c: np.ndarray

    gates = 4
    additive = True

    def initial_bias(self, size):
        """A forget gate that begins open keeps what it has (Gers et al. 2000; Jozefowicz et al. 2015)."""
        return np.repeat([0.0, 1.0, 0.0, 0.0], size)

    def step(self, a, u, kept, before, after):
        ifo, c = a[:3], after.c
        a += u
        ifo *= 0.5  # sigmoid(x) = (tanh(x / 2) + 1) / 2, so one tanh serves all four gates
        np.tanh(a, out=a)
        ifo *= 0.5
        ifo += 0.5
        i, f, o, g = a
        np.multiply(f, before.c, out=c)
        np.multiply(i, g, out=kept)
        c += kept
        np.tanh(c, out=kept)
        np.multiply(o, kept, out=after.h)

    def derivatives(self, a, kept, before, after, da):
        i, _, o, g = a.swapaxes(0, 1)
        da_i, da_f, da_o, da_g = da.swapaxes(0, 1)
        ifo, da_ifo = a[:, :3], da[:, :3]
        np.subtract(1, ifo, out=da_ifo)
        da_ifo *= ifo
        da_i *= g
        da_f *= before.c
        da_o *= kept
        np.multiply(g, g, out=da_g)
        np.subtract(1, da_g, out=da_g)
        da_g *= i
        kept *= kept  # from tanh(c_t) to the derivative of h_t with respect to c_t
        np.subtract(1, kept, out=kept)
        kept *= o

    def step_backward(self, a, kept, da, du, d):
        dc, da_if, da_o, da_g = d.c, da[:2], da[2], da[3]
        kept *= d.h
        dc += kept
        da_if *= dc
        da_o *= d.h
        da_g *= dc
        dc *= a[1]  # f


CELLS: dict[str, type[Elman] | type[GRU] | type[LSTM]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}


def make_cell(name: str, activation: str = "tanh") -> Cell:
    """Make the cell of this name; the Elman cell takes an activation function."""
    return Elman(activation) if name == "elman" else CELLS[name]()
