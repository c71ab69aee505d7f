"""The ranks that `mpiexec` starts, at the command line: one prints, and all end together."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..errors import RankLostError, SettingError
from ..ranks import Ranks
from .options import DURATION
from .output import STDERR, STDOUT, escape_controls, flush, tell

if TYPE_CHECKING:
    from ..ranks.mpi import MPIRanks
    from ..storage.flock import FileLock
    from ..training.trainer import Trainer
    from .checkpoints import Checkpoints

FIRST_SECONDS = 0.5  # that the first rank has, where it lives, to be the one that speaks
USAGE_SECONDS = 60.0  # in which all ranks must have ended that were started with a wrong command
FLOOR_SECONDS = 2.0  # for which the rank that has spoken keeps the others from it

timeout_option = click.option(
    "--mpi-timeout",
    type=DURATION,
    default="60s",
    show_default=True,
    help="Under mpiexec: end all ranks so long after one of them has fallen silent.",
)


@contextmanager
def all_ranks(timeout: float) -> Iterator[Job]:
    """Yield the job of the ranks that were started together. Only the first one prints; when one ends, all end."""
    from ..ranks.launched import started_rank
    from ..ranks.mpi import MPIRanks, ranks_of_job

    try:
        with _meeting(timeout):
            ranks = ranks_of_job(timeout)
    except SettingError:
        if started_rank():  # the first one tells
            os._exit(1)
        raise
    if not isinstance(ranks, MPIRanks):
        yield Job(ranks)
        return
    job = JointJob(ranks)
    try:
        try:
            yield job
        except SystemExit:  # which all have decided
            ranks.end()
            raise
        ranks.end()
    except SystemExit:
        raise
    except RankLostError as lost:
        job.end_after_loss(lost)
    except BaseException as error:
        if ranks.is_first:
            _at_end.append(partial(_end_others, ranks))  # when the error is printed
            raise
        ranks.heartbeat.fail(_line(error))
        ranks.heartbeat.wait_for_end()
        ranks.try_to_end()
        os._exit(1)


@contextmanager
def _meeting(timeout: float) -> Iterator[None]:
    """End this process where the ranks do not meet in time: until they have met, nothing watches over them.

    That takes another process: while MPI starts, no other thread of this one runs.
    """
    from ..ranks.launched import started_ranks

    if started_ranks() == 1:
        yield
        return
    import subprocess

    told = f"Error: the other ranks were not there after {timeout:.0f} seconds: is rnncli started on all of them?"
    command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("meeting.py"))]
    facts = [os.getpid(), timeout, _temporary(f"meeting-{os.getppid()}"), told]
    with subprocess.Popen([*command, *map(str, facts)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as watcher:
        try:
            yield
        finally:
            watcher.kill()


_at_end: list[Callable[[], object]] = []


def end_job() -> None:
    """Let the other ranks end, if there are any, as this process does. All that it prints is printed."""
    while _at_end:
        _at_end.pop()()


atexit.register(end_job)


def _end_others(ranks: MPIRanks) -> None:
    """Let the other ranks end, which may print nothing, and end with them."""
    ranks.heartbeat.fail("")
    ranks.try_to_end()


@contextmanager
def told_once() -> Iterator[None]:
    """Let one rank tell an error that was found before the ranks met, as one in the command, and end all."""
    from ..ranks.launched import started_ranks
    from ..ranks.mpi import MPIRanks, can_meet

    if started_ranks() == 1 or MPIRanks.have_met or not can_meet():
        yield
        return
    with ExitStack() as stack:
        with suppress(SettingError):  # that the ranks cannot meet: the error in the command is told instead
            stack.enter_context(all_ranks(USAGE_SECONDS))
        yield


class Job:
    """A job of one rank."""

    def __init__(self, ranks: Ranks):
        self.ranks = ranks

    @contextmanager
    def kept_if_lost(self, trainer: Trainer, checkpoints: Checkpoints) -> Iterator[None]:
        """Keep the training in its checkpoint if a rank is lost: one of those that live does so."""
        yield


class JointJob(Job):
    """A job of several ranks. On each machine, one of them speaks when another one is lost: the first, if it lives."""

    ranks: MPIRanks

    def __init__(self, ranks: MPIRanks):
        super().__init__(ranks)
        self._own_stderr = os.dup(STDERR)
        self._speaks = False
        self._floor: FileLock | None = None  # of the rank that speaks
        if not ranks.is_first:
            _print_nothing()

    @contextmanager
    def kept_if_lost(self, trainer: Trainer, checkpoints: Checkpoints) -> Iterator[None]:
        try:
            yield
        except RankLostError as lost:
            checkpoints.is_written = self._may_speak()
            if not (checkpoints.kept or checkpoints.keep(trainer)):
                raise
            moved = "" if checkpoints.place == checkpoints.path else f"move it to {checkpoints.path}, and "
            raise RankLostError(f"{lost}; {checkpoints.place} keeps the training: {moved}go on by --resume") from None

    def end_after_loss(self, lost: RankLostError) -> NoReturn:
        """End this rank after another one was lost."""
        if self._may_speak():
            tell(escape_controls(f"Error: {lost}"))
            self.ranks.heartbeat.fail(_line(lost))
            time.sleep(max(2 * FIRST_SECONDS, min(FLOOR_SECONDS, self.ranks.heartbeat.seconds_left)))
            with suppress(OSError):
                self._floor_path.unlink()
        else:
            self.ranks.heartbeat.wait_for_end()
        os._exit(1)

    def _may_speak(self) -> bool:
        """Whether this rank is the one that keeps the training and tells what happened. It prints from then on."""
        if self._speaks or self.ranks.heartbeat.is_told:
            return self._speaks
        if not self.ranks.is_first:
            time.sleep(FIRST_SECONDS)
        if self.ranks.heartbeat.is_told:
            return False
        from ..storage.flock import FileLock

        try:
            self._floor = FileLock(self._floor_path, exclusive=True)
        except (BlockingIOError, FileNotFoundError):  # another one has it, or has spoken already
            return False
        except OSError:  # no lock can be made
            self._speaks = self.ranks.is_first
        else:
            self._speaks = True
        if self._speaks:
            os.dup2(self._own_stderr, STDERR)
        return self._speaks

    @property
    def _floor_path(self) -> Path:
        return _temporary(self.ranks.job)


def _temporary(name: str) -> Path:
    """Return where the file of this name is by which the ranks of a machine agree on who speaks."""
    import tempfile

    return Path(tempfile.gettempdir(), f"rnncli-{name}.lock")


def _print_nothing() -> None:
    """Send what this rank would print nowhere."""
    flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (STDOUT, STDERR):
        os.dup2(nowhere, stream)


def _line(error: BaseException) -> str:
    """What an error says, in one line."""
    text = error.format_message() if isinstance(error, click.ClickException) else str(error)
    return text.partition("\n")[0] or type(error).__name__
