"""Memory that is used again in every step of a training."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Empty = Callable[..., np.ndarray]  # what makes an array of a shape and a dtype without filling it, as `np.empty` does


class Buffers:
    """Arrays for a pass through a network, the same ones in every pass.

    A fresh array of a megabyte comes from the system page by page, which costs as much as what is done to it. A pass
    asks for the same shapes in the same order as the pass before, or nearly, so the n-th request is answered with
    the memory that the n-th request was answered with before.
    """

    def __init__(self) -> None:
        self._memory: list[np.ndarray] = []
        self._taken = 0

    def reset(self) -> None:
        """Begin a pass: whatever was taken before is free again."""
        self._taken = 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array that holds anything, until the next `reset`."""
        size = math.prod(shape)
        if self._taken == len(self._memory):
            self._memory.append(np.empty(0, dtype))
        memory = self._memory[self._taken]
        if memory.size < size or memory.dtype != dtype:
            memory = self._memory[self._taken] = np.empty(size + size // 8, dtype)  # with room: sizes vary a little
        self._taken += 1
        return memory[:size].reshape(shape)
