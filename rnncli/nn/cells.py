"""What one step of a recurrent layer does, element by element: Elman, GRU and LSTM.

A cell holds no weights and multiplies no matrices; `Recurrent` does.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np

LayerState = Any  # a cell's own `State`: a named tuple of arrays (B, H), the output `h` first


class Cell(Protocol):
    """What a layer asks of its cell."""

    State: Any  # the fields that are remembered from step to step
    gates: int  # G, how many times H numbers the weights must give for each step
    additive: bool  # whether a step uses `a + u` alone, so that `du` is the same array as `da`

    def initial_bias(self, size: int) -> np.ndarray:
        """The bias (G*H,) to start training from, for H = `size` units."""

    def step(self, a: np.ndarray, u: np.ndarray, before: LayerState, after: LayerState) -> Any:
        """Go one step, from the state `before` to the state `after`, which is filled.

        `a` (B, G*H) is the gates' input part, x_t W_x + b, and is turned into the gates' activations; `u` (B, G*H)
        is their recurrent part, h_{t-1} W_h. What is returned comes back as `saved`.
        """

    def step_backward(
        self,
        saved: Any,
        a: np.ndarray,
        before: LayerState,
        after: LayerState,
        d: LayerState,
        da: np.ndarray,
        du: np.ndarray,
    ) -> None:
        """Fill `da` and `du` (B, G*H) with the gradients with respect to `a` and `u` as they came in.

        `d` is the gradient with respect to the state `after`, and is turned in place into that part of the gradient
        with respect to the state `before` which does not pass through `u`.
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

    def step(self, a, u, before, after):
        a += u
        self.activate(a)
        after.h[...] = a

    def step_backward(self, saved, a, before, after, d, da, du):
        np.multiply(d.h, self.derivative(a), out=da)
        d.h.fill(0)


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

    def step(self, a, u, before, after):
        size = before.h.shape[1]
        rz = a[:, : 2 * size]
        rz += u[:, : 2 * size]
        _sigmoid(rz)
        r, z, n = a[:, :size], a[:, size : 2 * size], a[:, 2 * size :]
        u_n = u[:, 2 * size :].copy()
        n += r * u_n
        np.tanh(n, out=n)
        np.subtract(before.h, n, out=after.h)
        after.h[...] *= z
        after.h[...] += n
        return u_n

    def step_backward(self, saved, a, before, after, d, da, du):
        size, u_n = before.h.shape[1], saved
        r, z, n = a[:, :size], a[:, size : 2 * size], a[:, 2 * size :]
        da_r, da_z, da_n = da[:, :size], da[:, size : 2 * size], da[:, 2 * size :]
        np.multiply(d.h * (1 - z), 1 - n * n, out=da_n)
        np.multiply(d.h * (before.h - n), z * (1 - z), out=da_z)
        np.multiply(da_n * u_n, r * (1 - r), out=da_r)
        du[...] = da
        du[:, 2 * size :] *= r
        d.h[...] *= z


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

    def step(self, a, u, before, after):
        size = before.h.shape[1]
        a += u
        ifo = a[:, : 3 * size]
        ifo *= 0.5  # sigmoid(x) = (tanh(x / 2) + 1) / 2, so one tanh serves all four gates
        np.tanh(a, out=a)
        ifo *= 0.5
        ifo += 0.5
        i, f, o, g = (a[:, k * size : (k + 1) * size] for k in range(4))
        np.multiply(f, before.c, out=after.c)
        after.c[...] += i * g
        np.tanh(after.c, out=after.h)
        after.h[...] *= o

    def step_backward(self, saved, a, before, after, d, da, du):
        size = before.h.shape[1]
        i, f, o, g = (a[:, k * size : (k + 1) * size] for k in range(4))
        da_i, da_f, da_o, da_g = (da[:, k * size : (k + 1) * size] for k in range(4))
        tanh_c = np.tanh(after.c)
        d.c[...] += d.h * o * (1 - tanh_c * tanh_c)
        np.multiply(d.c, g, out=da_i)
        np.multiply(d.c, before.c, out=da_f)
        np.multiply(d.h, tanh_c, out=da_o)
        np.multiply(d.c * i, 1 - g * g, out=da_g)
        ifo = a[:, : 3 * size]
        da[:, : 3 * size] *= ifo * (1 - ifo)
        d.c[...] *= f
        d.h.fill(0)
