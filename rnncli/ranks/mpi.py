"""The ranks that `mpiexec` or `srun` has started, by mpi4py."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..errors import RankLostError, SettingError
from .alone import Ranks
from .heartbeat import Heartbeat
from .launched import started_ranks

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
END_SECONDS = 2.0  # in which all ranks can end together
BUSY_SECONDS = 0.002  # in which a rank that waits for others looks again and again
PAUSE_SECONDS = 0.0001  # between two looks after that


def can_meet() -> bool:
    """Whether mpi4py is installed, by which ranks meet."""
    try:
        import mpi4py  # noqa: F401
    except ImportError:
        return False
    return True


def ranks_of_job(timeout: float) -> Ranks:
    """Return the ranks that were started together with this process.

    One that is silent for `timeout` seconds, as the first one has it, is lost. Raises `SettingError` where mpi4py is
    missing, or does not go with the launcher.
    """
    if started_ranks() == 1:
        return Ranks()
    try:
        import mpi4py

        mpi4py.rc.finalize = False  # it would wait for ranks that are lost
        from mpi4py import MPI
    except ImportError as error:
        raise SettingError(
            f"{started_ranks()} ranks were started, which need mpi4py ({error}): pip install mpi4py"
        ) from error
    except RuntimeError as error:
        raise SettingError(
            f"{started_ranks()} ranks were started, and mpi4py finds no MPI ({error}): install MPICH or Open MPI"
        ) from error
    if MPI.Query_thread() < MPI.THREAD_MULTIPLE:
        raise SettingError("this MPI does not serve several threads: take MPICH, or an Open MPI that was built so")
    if MPI.COMM_WORLD.size == 1:
        library = " ".join(MPI.Get_library_version().partition("\n")[0].split())
        raise SettingError(
            f"{started_ranks()} ranks were started, and do not see each other: mpi4py uses another MPI than the"
            f" launcher ({library})"
        )
    return MPIRanks(timeout)


class MPIRanks(Ranks):
    """The ranks of `MPI.COMM_WORLD`.

    Once they have met, no call waits for ever: it ends with `RankLostError` when the heartbeat tells that a rank is
    lost.
    """

    have_met: ClassVar[bool] = False  # whether they know of each other in this process

    def __init__(self, timeout: float):
        from mpi4py import MPI

        MPIRanks.have_met = True
        self._mpi = MPI
        world = MPI.COMM_WORLD
        self._comm = world.Dup()
        self.number = world.rank
        self.count = world.size
        self.machine = world.Split_type(MPI.COMM_TYPE_SHARED).bcast(world.rank)
        self._ahead = 0.0  # by how many seconds the clock of the first rank is
        self.job = world.bcast(uuid.uuid4().hex)  # a name for it, which no other job has
        self.heartbeat = Heartbeat(world.Dup(), world.bcast(timeout))
        # By this signal the launcher of MPICH tells that a rank was killed, if it does not kill all others. In a job of
        # Slurm it may tell something else.
        if hasattr(signal, "SIGUSR1") and "SLURM_JOB_ID" not in os.environ:
            signal.signal(signal.SIGUSR1, self._note_killed)

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        self._wait([self._comm.Iallreduce(self._mpi.IN_PLACE, array) for array in arrays])

    def copy_first(self, arrays: Iterable[np.ndarray]) -> None:
        self._wait([self._comm.Ibcast(array) for array in arrays])

    def check(self) -> None:
        if self.heartbeat.is_past_grace:
            raise RankLostError(self.heartbeat.lost)

    def first(self, value: T) -> T:
        try:
            return self._broadcast(value)
        except RankLostError:  # told by the next call that needs all ranks
            return value

    def time(self, now: Callable[[], float]) -> float:
        try:
            told = self._broadcast(now())
        except RankLostError:
            return now() + self._ahead
        self._ahead = told - now()
        return told

    def all(self, value: T) -> list[T]:
        import numpy as np

        own = np.frombuffer(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), np.uint8)
        sizes = np.empty(self.count, np.int64)
        self._wait([self._comm.Iallgather(np.array([len(own)]), sizes)])
        starts = np.cumsum(sizes) - sizes
        data = np.empty(sizes.sum(), np.uint8)
        self._wait([self._comm.Iallgatherv(own, (data, sizes, starts, self._mpi.BYTE))])
        return [pickle.loads(part.tobytes()) for part in np.split(data, starts[1:])]

    def _broadcast(self, value: T) -> T:
        import numpy as np

        own = np.frombuffer(pickle.dumps(value, pickle.HIGHEST_PROTOCOL) if self.is_first else b"", np.uint8)
        size = np.array([len(own)])
        self._wait([self._comm.Ibcast(size)])
        data = own.copy() if self.is_first else np.empty(size[0], np.uint8)
        self._wait([self._comm.Ibcast(data)])
        received: T = value if self.is_first else pickle.loads(data.tobytes())
        return received

    def _wait(self, requests: list[Any]) -> None:
        """Wait until all requests are done. Raises `RankLostError` where a rank is lost meanwhile."""
        until = time.perf_counter() + BUSY_SECONDS
        while not self._are_done(requests):
            self.check()
            if time.perf_counter() > until:
                time.sleep(PAUSE_SECONDS)

    def _are_done(self, requests: list[Any]) -> bool:
        try:
            return bool(self._mpi.Request.Testall(requests))
        except self._mpi.Exception as error:
            self.heartbeat.note(f"a rank cannot be reached ({error})")
            raise RankLostError(self.heartbeat.lost) from error

    def _note_killed(self, number: int, frame: Any) -> None:
        self.heartbeat.note("another rank was killed")

    def end(self) -> None:
        """End the job, when all ranks have come here."""
        self._wait([self._comm.Ibarrier()])
        self.try_to_end()

    def try_to_end(self) -> None:
        """End the job if all ranks come here soon, as after an error of all of them."""
        self.heartbeat.end()
        finalizing = threading.Thread(target=self._mpi.Finalize, daemon=True)
        with suppress(RuntimeError):  # Python is about to end, and starts no thread any more
            finalizing.start()
            finalizing.join(END_SECONDS)
