"""Several threads side by side: NumPy computes outside of the interpreter's lock, so that they gain by it."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import ThreadpoolController

Map = Callable[..., Any]  # `map`, or what does the same on several threads, as `Threads.map`


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Threads:
    """`count` threads that share out the pieces of a job.

    While they work, matrix products have one thread each in the whole process: two such jobs at once, as two trainings
    side by side in one process would be, may leave it so.
    """

    def __init__(self, count: int):
        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="rnncli")
        self._libraries = ThreadpoolController()

    def map(self, work: Callable[[Any], Any], pieces: Iterable[Any]) -> list[Any]:
        """What `work` makes of each of the pieces, in their order; meanwhile matrix products start no threads."""
        pieces = list(pieces)
        results = [None] * len(pieces)

        def pile(first: int) -> list[Any]:
            return [work(piece) for piece in pieces[first :: self.count]]

        with self._libraries.limit(limits=1, user_api="blas"):
            for first, made in enumerate(self._pool.map(pile, range(min(self.count, len(pieces))))):
                results[first :: self.count] = made
        return results
