"""Runs array work on several threads: NumPy computes outside of the interpreter's lock, so threads gain by it."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # the first one counts most
STEPS_PER_TRIAL = 128
TRIED_STEPS = 8  # of these, the first ones: in turn with all threads and with one
A = TypeVar("A")
R = TypeVar("R")


def cores_of_process() -> list[int]:
    """Return the numbers of the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(cores_of_process())


def without_blas_threads() -> None:
    """Keep OpenBLAS from starting threads, where NumPy is not imported yet and the user has not chosen their number.

    Products with few rows, as for one answer or for a text that is written word by word, gain little by them, and take
    up to eight times as long where other programs take the cores.
    """
    if "numpy" not in sys.modules and not any(name in os.environ for name in BLAS_VARIABLES):
        os.environ[BLAS_VARIABLES[0]] = "1"


def one_thread() -> AbstractContextManager[Any]:
    """Keep matrix products to one thread meanwhile.

    Small ones gain little by more, and wait long for them where other programs take the cores.
    """
    limits: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limits


class FasterThreads:
    """Takes steps of work with the threads of BLAS, or with one thread: with what takes less time.

    On an idle machine more threads are faster. Where other programs take the cores, a product of few rows waits for its
    threads up to eight times as long as it would take alone. So both ways are tried now and then.
    """

    def __init__(self) -> None:
        self._steps = 0
        self._seconds = [0.0, 0.0]  # that the last tries took, with all threads and with one

    @contextmanager
    def step(self) -> Iterator[None]:
        """Time a step, which is done inside of it."""
        place = self._steps % STEPS_PER_TRIAL
        self._steps += 1
        if place >= TRIED_STEPS:
            with one_thread() if self._seconds[1] < self._seconds[0] else nullcontext():
                yield
            return
        if place == 0:
            self._seconds = [0.0, 0.0]
        is_alone = place % 2
        with one_thread() if is_alone else nullcontext():
            began = time.perf_counter()
            yield
            self._seconds[is_alone] += time.perf_counter() - began


@functools.cache
def _libraries() -> ThreadpoolController:
    """Find the BLAS libraries that NumPy has loaded: this takes longer than to limit their threads."""
    # Not at the top: many commands need no threads, and start sooner without.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@functools.cache
def processor_kind() -> str:
    """Name the kind of this processor, as BLAS and NumPy choose their code by it."""
    import numpy as np
    from threadpoolctl import threadpool_info

    blas = [f"{library.get('architecture', '')} ({library['internal_api']})" for library in threadpool_info()]
    try:
        simd = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    except TypeError:  # older versions of NumPy only print it
        simd = []
    return " ".join([*dict.fromkeys(blas), *simd[-1:]]) or "unknown"


class Threads:
    """A number of threads that share the pieces of a job.

    While they work, matrix products have one thread each in the whole process. Two such jobs at once, as of two
    trainings in one process, may leave it so.
    """

    def __init__(self, count: int, begin: Callable[[], None] | None = None):
        """Start `count` threads, each of which calls `begin` first."""
        from concurrent.futures import ThreadPoolExecutor

        self.count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="rnncli", initializer=begin)

    def map(self, work: Callable[[A], R], pieces: Iterable[A]) -> list[R]:
        """Return what `work` makes of each of the pieces, in their order."""
        with one_thread():
            return list(self._pool.map(work, pieces))


_thread = threading.local()


def _begin_worker() -> None:
    _thread.is_worker = True


@functools.cache
def _all_cores() -> Threads:
    return Threads(usable_cores(), _begin_worker)


def on_all_cores(work: Callable[[A], R], pieces: Sequence[A]) -> list[R]:
    """Return what `work` makes of each of the pieces, in their order, working on several of them at once.

    Where a piece of such work calls this itself, it works on one after the other: all cores are busy.
    """
    if len(pieces) < 2 or getattr(_thread, "is_worker", False):
        return [work(piece) for piece in pieces]
    return _all_cores().map(work, pieces)
