"""Several threads side by side: NumPy computes outside of the interpreter's lock, so that they gain by it."""

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

Map = Callable[..., Any]  # `map`, or what does the same on several threads, as `Threads.map`


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread() -> AbstractContextManager[Any]:
    """Matrix products start no threads meanwhile.

    Small ones gain little by them, and wait long for them where other programs take the cores.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")


class Threads:
    """`count` threads that share out the pieces of a job.

    While they work, matrix products have one thread each in the whole process: two such jobs at once, as two trainings
    side by side in one process would be, may leave it so.
    """

    def __init__(self, count: int):
        # Not before: many a command needs no threads, and begins the sooner.
        from concurrent.futures import ThreadPoolExecutor

        from threadpoolctl import ThreadpoolController

        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="rnncli")
        self._libraries = ThreadpoolController()

    def map(self, work: Callable[[Any], Any], pieces: Iterable[Any]) -> list[Any]:
        """What `work` makes of each of the pieces, in their order; meanwhile matrix products start no threads."""
        with self._libraries.limit(limits=1, user_api="blas"):
            return list(self._pool.map(work, pieces))


@functools.cache
def _all_cores() -> Threads:
    return Threads(usable_cores())


def on_all_cores(work: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """What `work` makes of each of the pieces, in their order; several of them side by side."""
    return _all_cores().map(work, pieces) if len(pieces) > 1 else [work(piece) for piece in pieces]
