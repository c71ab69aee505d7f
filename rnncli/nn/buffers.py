"""Memory that is reused in every step of a training."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Empty = Callable[..., np.ndarray]  # makes an array of a shape and a dtype without filling it, as `np.empty` does


class Buffers:
    """Gives arrays to a pass through a network, out of the same memory in every pass.

    The system hands out a new array of a megabyte page by page, which costs as much as the work on it. Each pass
    asks for nearly the same shapes in the same order, so the n-th request of a pass gets the memory of the n-th
    request of the pass before.
    """

    def __init__(self) -> None:
        self._memory: list[np.ndarray] = []
        self._taken = 0

    def reset(self) -> None:
        """Begin a pass: all memory is free again."""
        self._taken = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an array with arbitrary contents. It is valid until the next `reset`."""
        size = math.prod(shape)
        if self._taken == len(self._memory):
            self._memory.append(np.empty(0, dtype))
        memory = self._memory[self._taken]
        if memory.size < size or memory.dtype != dtype:
            memory = self._memory[self._taken] = np.empty(size + size // 8, dtype)  # with room: sizes vary a little
        self._taken += 1
        return memory[:size].reshape(shape)
