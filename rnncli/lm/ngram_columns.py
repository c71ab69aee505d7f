"""Columns of numbers that are too long for memory: they lie in files without a name, which vanish by themselves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import DTypeLike

from ..text.columns import fill


class NoRoomError(Exception):
    """A folder cannot hold the columns."""


class FixedColumn:
    """So many numbers that are written and read in pieces, in any order: in memory, or in a file of `folder`.

    Reading and writing raise `NoRoomError` where the file does not work. Threads may share a column.
    """

    def __init__(self, size: int, dtype: DTypeLike, folder: Path | None = None):
        self._dtype = np.dtype(dtype)
        self._lock = Lock()
        if folder is None:
            self._numbers = np.empty(size, dtype)
            self._file = None
        else:
            # Not mapped: mapped pages count as memory of the process, which a full disk would kill.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it stays open

    def write(self, begin: int, numbers: np.ndarray) -> None:
        """Write `numbers` (N,) from the place `begin` on."""
        if self._file is None:
            self._numbers[begin : begin + len(numbers)] = numbers
            return
        data = np.ascontiguousarray(numbers, self._dtype).view(np.uint8).data
        try:
            with self._lock:
                self._file.seek(begin * self._dtype.itemsize)
                while data:
                    data = data[self._file.write(data) :]
        except OSError as error:
            raise NoRoomError from error

    def read(self, begin: int, count: int) -> np.ndarray:
        """Return the `count` numbers from the place `begin` on, which were written before. Not to be changed."""
        if self._file is None:
            return self._numbers[begin : begin + count]
        numbers = np.empty(count, self._dtype)
        try:
            with self._lock:
                self._file.seek(begin * self._dtype.itemsize)
                fill(numbers.view(np.uint8).data, self._file)
        except OSError as error:
            raise NoRoomError from error
        return numbers

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            with self._lock:  # a thread may be reading
                self._file.close()


@contextmanager
def columns(size: int, dtypes: Sequence[DTypeLike], folder: Path | None) -> Iterator[list[FixedColumn]]:
    """Open columns of some types for `size` numbers each, in memory or in a folder, for as long as they are used.

    Raises `NoRoomError` where the folder cannot hold them.
    """
    opened: list[FixedColumn] = []
    try:
        try:
            if folder and shutil.disk_usage(folder).free < size * sum(np.dtype(dtype).itemsize for dtype in dtypes):
                raise NoRoomError
            opened.extend(FixedColumn(size, dtype, folder) for dtype in dtypes)
        except OSError as error:
            raise NoRoomError from error
        yield opened
    finally:
        for column in opened:
            column.close()


def folders(preferred: Path | None) -> list[Path]:
    """Return the folders to try for columns, in order."""
    places = [] if preferred is None else [preferred]
    with suppress(FileNotFoundError):  # where no folder for temporary files can be written to
        places.append(Path(tempfile.gettempdir()))
    return places
