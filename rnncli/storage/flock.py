"""Locks an open file for one process. The system lets the lock go when the process ends, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 2**30  # far behind what is written: a locked byte cannot be read by others

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

    def _flock(descriptor: int, *, exclusive: bool) -> None:
        pass

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        _flock(descriptor, exclusive=True)

    def _flock(descriptor: int, *, exclusive: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file at once, or not: False if somebody holds it, None where the file system knows no locks."""
    try:
        _lock(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file still has this name: it may have been removed, or replaced, before it was locked."""
    with suppress(OSError):
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    return False


class FileLock:
    """A lock on a file that several may share, as long as this object is there and not closed.

    Where it does not work, on Windows, it locks nothing: a file that is open cannot be removed there anyway.
    """

    works: ClassVar[bool] = sys.platform != "win32"

    def __init__(self, path: Path, *, exclusive: bool = False):
        """Make the file if it is not there. Raises `OSError` for one that is locked, or was removed meanwhile."""
        self._number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _flock(self._number, exclusive=exclusive)
            if self.works and not is_at(path, self._number):
                raise FileNotFoundError(path)
        except OSError:
            self.close()
            raise

    def share(self) -> None:
        """Let others lock the file too."""
        _flock(self._number, exclusive=False)

    def close(self) -> None:
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def __del__(self) -> None:
        if hasattr(self, "_number"):
            self.close()
