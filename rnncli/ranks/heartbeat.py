"""Watches over the ranks of a job: each sends a sign of life to the first one, and that one to all.

MPI alone waits for ever for a rank whose machine is silent. Here a rank comes to know that another one is lost by what
it does not hear, or by what it is told.
"""

from __future__ import annotations

import platform
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi4py import MPI

# Of the time in which all ranks must have ended: until a silent one counts as lost, and until those who have nothing
# left to do end. In between, one keeps the training.
PATIENCE = 0.6
WAITING = 0.9
BEATS = 6  # within the patience
MAX_INTERVAL = 5.0  # seconds between two signs of life
LOOK_SECONDS = 0.05  # between two looks at what has come
MAX_COUNTED_GAP = 1.0  # seconds between two looks that count as silence: more is a process that was stopped itself
GRACE_SECONDS = 1.0  # from the loss of a rank on, until calls that wait for it fail
MAX_DELAY_SECONDS = 2.0  # from the loss on, until a rank that was waiting knows whether it speaks for its machine
ALIVE = "alive"
FAILED = "failed"  # with the message of the error


class Heartbeat:
    """The signs of life of this rank and of those that it hears, on a communicator of their own."""

    def __init__(self, comm: MPI.Comm, timeout: float):
        self.comm = comm
        self.timeout = timeout
        self.interval = min(PATIENCE * timeout / BEATS, MAX_INTERVAL)
        self.lost = ""  # what happened to another rank
        self._noted = 0.0  # when that was
        self.is_told = False  # whether the first rank has told so, and ends
        self._hosts = comm.allgather(platform.node())
        self._peers = range(1, comm.size) if comm.rank == 0 else range(1)
        self._silent = dict.fromkeys(self._peers, 0.0)  # seconds
        self._sent: list[Any] = []
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rnncli-heartbeat", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Watch no more: the job is done."""
        self._is_over.set()
        self._thread.join(self.interval)

    def note(self, what: str) -> None:
        """Take down that a rank is lost. What was known first counts."""
        if not self.lost:
            self._noted = time.monotonic()
            self.lost = what.partition("\n")[0]

    @property
    def is_past_grace(self) -> bool:
        """Whether a rank is lost, and this one has had time to come upon the same error, if it is one of all."""
        return bool(self.lost) and time.monotonic() > self._noted + GRACE_SECONDS

    def fail(self, message: str) -> None:
        """Tell the others, or the first one, that this rank ends with an error."""
        self._send(FAILED, message)
        deadline = time.monotonic() + self.interval
        while time.monotonic() < deadline and not self._are_sent():
            time.sleep(LOOK_SECONDS)

    def wait_for_end(self) -> None:
        """Wait until the first rank has told its end: it may keep the training before that."""
        deadline = time.monotonic() + self.seconds_left
        while time.monotonic() < deadline and not self.is_told:
            time.sleep(LOOK_SECONDS)

    @property
    def seconds_left(self) -> float:
        """How long a rank that has nothing left to do may still wait for the one that keeps the training."""
        gone = min(time.monotonic() - self._noted, MAX_DELAY_SECONDS) if self.lost else 0.0
        return max((WAITING - PATIENCE) * self.timeout - gone, (1 - WAITING) * self.timeout)

    def _run(self) -> None:
        last = time.monotonic()
        next_beat = last
        while not self._is_over.wait(LOOK_SECONDS):
            now = time.monotonic()
            try:
                if now >= next_beat:
                    self._send(ALIVE)
                    next_beat = now + self.interval
                self._hear(min(now - last, MAX_COUNTED_GAP))
            except Exception as error:
                self.note(f"a rank cannot be reached ({error})")
            last = now

    def _send(self, kind: str, text: str = "") -> None:
        """Tell all peers, also when some of them cannot be reached."""
        with self._lock:
            self._sent = [request for request in self._sent if not self._is_sent(request)]
            for peer in self._peers:
                self._send_to(peer, kind, text)

    def _send_to(self, peer: int, kind: str, text: str) -> None:
        try:
            self._sent.append(self.comm.isend((kind, text), peer))
        except Exception as error:  # what MPI raises where a rank has gone away depends on its kind
            self.note(f"{self._name(peer)} cannot be reached ({error})")

    def _are_sent(self) -> bool:
        with self._lock:
            return all(map(self._is_sent, self._sent))

    @staticmethod
    def _is_sent(request: Any) -> bool:
        try:
            return bool(request.Test())
        except Exception:  # it never will be
            return True

    def _hear(self, seconds: float) -> None:
        """Take what has come, and count the seconds of silence of all others."""
        from mpi4py.MPI import Status

        for peer in self._silent:
            self._silent[peer] += seconds
        while (message := self.comm.improbe()) is not None:
            status = Status()
            kind, text = message.recv(status)
            source = status.Get_source()
            self._silent[source] = 0.0
            if kind == FAILED:
                self.is_told = source == 0
                self.note(f"{self._name(source)} ended: {text}")
        for peer, silence in self._silent.items():
            if silence > PATIENCE * self.timeout:
                self.note(f"{self._name(peer)} was not heard of for {silence:.0f} seconds")

    def _name(self, rank: int) -> str:
        return f"rank {rank} on {self._hosts[rank]}"
