"""Measures how fast this machine multiplies matrices."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from .threads import Threads

SIZE = 512
ROUNDS = 10
Now = Callable[[], float]  # tells the time in seconds


def gflops(threads: Threads, now: Now = time.perf_counter) -> float:
    """Return how many billion operations a second products of large float32 matrices take, on all threads together.

    That is the best of some rounds, as other programs may take the cores meanwhile. They last some tens of
    milliseconds in all.
    """
    a = np.ones((SIZE, SIZE), np.float32)
    outputs = [np.empty_like(a) for _ in range(threads.count)]

    def round_seconds() -> float:
        began = now()
        threads.map(lambda out: np.matmul(a, a, out=out), outputs)
        return now() - began

    fastest = min(round_seconds() for _ in range(ROUNDS))
    return 2 * SIZE**3 * threads.count / max(fastest, 1e-9) / 1e9
