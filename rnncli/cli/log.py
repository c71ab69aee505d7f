"""The log of a training: one JSON object for each report."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..errors import RnncliError
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
    from ..storage.atomic import make_folder
    from ..storage.locks import locked

    with ExitStack() as stack:
        stack.enter_context(locked(path, "log"))
        try:
            make_folder(path)
            log = _Log(path, step)
        except OSError as error:
            raise RnncliError(f"cannot write the log {path}: {error.strerror}") from error
        stack.callback(log.close)
        yield log.write


class _Log:
    def __init__(self, path: Path, step: int):
        self.path = path
        self.kept = _reports_up_to(path, step) if step else []
        self.is_begun = False
        self.file = self._open()

    def _open(self) -> TextIO:
        return self.path.open("a", encoding="utf-8")

    def write(self, report: Report) -> None:
        """Write a report. Where that fails, it is told of: it is no reason to lose a training."""
        values = {name: value if math.isfinite(value) else None for name, value in asdict(report).items()}
        lines = [json.dumps(values)]
        try:
            if not self.is_begun:
                with suppress(OSError):  # a pipe cannot be truncated
                    self.file.truncate(0)
                lines = [*self.kept, *lines]
                self.is_begun = True
            elif not self._is_there():
                self.close()
                self.file = self._open()
            print(*lines, sep="\n", file=self.file, flush=True)
        except OSError as error:
            warn(f"cannot write the log {self.path}: {error.strerror}")
            self.close()  # what is left in its buffer would fail again
            with suppress(OSError):
                self.file = self._open()

    def _is_there(self) -> bool:
        """Whether the log still is the file at its path: another program may have removed or moved it."""
        if self.file.closed:
            return False
        with suppress(OSError):
            return os.path.samestat(os.fstat(self.file.fileno()), self.path.stat())
        return False

    def close(self) -> None:
        with suppress(OSError):
            self.file.close()


def _reports_up_to(path: Path, step: int) -> list[str]:
    """Return the lines of an older log that report on the steps up to this one."""
    if not path.is_file():
        return []
    with suppress(OSError):
        return [line for line in path.read_text(encoding="utf-8").splitlines() if _step(line) <= step]
    return []


def _step(line: str) -> float:
    """Return the step that a line reports on; infinity for a line that was cut off."""
    with suppress(ValueError, KeyError, TypeError):
        return float(json.loads(line)["step"])
    return math.inf


def check_log(log: Path | None, output: Path) -> None:
    """Refuse to write a log over another file, or where the model goes."""
    from ..storage.atomic import LOG, check_folder, check_kind

    if log:
        try:
            check_folder(log)
            check_kind(log, LOG)
            if log.resolve() == output.resolve():
                raise RnncliError(f"the model goes to {log}: name another file with --log")
        except OSError as error:
            raise RnncliError(f"cannot write the log {log}: {error.strerror}") from error
