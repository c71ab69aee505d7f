"""The log of a training: one JSON object for each report."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError, RnncliError
from .output import warn

if TYPE_CHECKING:
    from ..training.report import Report

Write = Callable[["Report"], None]


@contextmanager
def logging_to(path: Path | None, step: int = 0) -> Iterator[Write]:
    """Yield a function that writes each report to `path`, if any. The first one replaces an older log.

    A training that goes on from a `step` goes on with its log: what that tells of later steps comes again, and is left
    out.
    """
    if path is None:
        yield lambda report: None
        return
    from ..storage.locks import folder_of

    with folder_of(path):
        try:
            log = _Log(path, step)
        except OSError as error:
            raise RnncliError(f"cannot write the log {path}: {error.strerror}") from error
        try:
            yield log.write
        finally:
            log.close()


class _Log:
    """The file of a log, which nobody else writes; or a pipe or a device."""

    def __init__(self, path: Path, step: int):
        self.path = path
        self.is_new = not path.exists()
        self.descriptor = self._open()
        kind = os.fstat(self.descriptor).st_mode
        self.is_regular = stat.S_ISREG(kind)
        if stat.S_ISFIFO(kind) and os.name == "posix":
            os.set_blocking(self.descriptor, False)  # a reader that stands still must not hold up the training
        self.kept = _end_of_reports(path, step) if step and self.is_regular else 0
        self.is_begun = False
        self.failure = ""  # why the last report was not written

    def _open(self, flags: int = 0) -> int:
        from ..storage.locks import open_alone

        return open_alone(self.path, "log", flags)

    def write(self, report: Report) -> None:
        """Write a report. Where that fails, it is told of once: it is no reason to lose a training.

        A pipe or a device gets nothing more then; a file may have room again.
        """
        if self.failure and not self.is_regular:
            return
        values = {name: value if math.isfinite(value) else None for name, value in asdict(report).items()}
        line = f"{json.dumps(values)}\n".encode()
        try:
            if self.is_regular:
                self._append(line)
            else:
                _write_all(self.descriptor, line)
        except (OSError, ModelError) as error:
            failure = str(error.strerror if isinstance(error, OSError) else error)
            if failure != self.failure:
                warn(f"cannot write the log {self.path}: {failure}")
            self.failure = failure
        else:
            self.failure = ""

    def _append(self, line: bytes) -> None:
        """Add a line to the file, or nothing."""
        if not self._is_there():
            self._close()
            self.descriptor = self._open(getattr(os, "O_NONBLOCK", 0))  # of a pipe, no reader is waited for
            self.is_begun = True
        size = os.fstat(self.descriptor).st_size
        if not self.is_begun:
            size = min(size, self.kept)
            os.ftruncate(self.descriptor, size)
        try:
            _write_all(self.descriptor, line)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, size)
            raise
        self.is_begun = True

    def _is_there(self) -> bool:
        """Whether the log still is the file at its path: another program may have removed or moved it."""
        with suppress(OSError):
            return os.path.samestat(os.fstat(self.descriptor), self.path.stat())
        return False

    def close(self) -> None:
        """Close the log; a new one without a report is removed."""
        is_empty = self.is_new and self.is_regular and not self.is_begun and self._is_there()
        self._close()
        if is_empty:
            with suppress(OSError):
                os.remove(os.path.realpath(self.path))

    def _close(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)
        self.descriptor = -1


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _end_of_reports(path: Path, step: int) -> int:
    """Return where, in an older log, the last report ends on one of the steps up to this one."""
    place = 0
    end = 0
    with path.open("rb") as lines:
        for line in lines:
            place += len(line)
            if line.endswith(b"\n") and _step(line) <= step:
                end = place
    return end


def _step(line: bytes) -> float:
    """Return the step that a line reports on; infinity for a line that was cut off, or tells something else."""
    with suppress(ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return float(json.loads(line)["step"])
    return math.inf


def check_log(log: Path | None, output: Path) -> None:
    """Refuse to write a log over another file, or where the model or its checkpoint goes."""
    from ..storage.atomic import LOG, check_folder, check_kind
    from ..training.checkpoint import checkpoint_path

    if log is None:
        return
    try:
        check_folder(log)
        check_kind(log, LOG)
    except OSError as error:
        raise RnncliError(f"cannot write the log {log}: {error.strerror}") from error
    for name, place in (("model", output), ("checkpoint", checkpoint_path(output))):
        if os.path.realpath(log) == os.path.realpath(place):  # `Path.resolve` fails for a link to itself
            raise RnncliError(f"the {name} goes to {log}: name another file with --log")
