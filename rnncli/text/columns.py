"""Columns of numbers that grow while a text is read: in memory while they are small, in files from then on.

A column that is in a file is an array that is mapped from it. Who reads such an array in passes lets go of what was
read: its pages would count as memory of the process.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import TextError

if TYPE_CHECKING:
    from io import FileIO

    from numpy.typing import DTypeLike

MAX_BYTES_IN_MEMORY = 32 * 2**20  # of all columns of a text
NUMBERS_PER_PASS = 2**19
BYTES_PER_PIECE = 2**20  # of lines


class Store:
    """Where the columns of a text are: in memory, and in the first of some folders that takes them if they are large.

    The files have no names, so that nothing stays of them when the program ends.
    """

    def __init__(self, *folders: Path, max_in_memory: int = MAX_BYTES_IN_MEMORY):
        """Take the folders to try, in their order; after them comes the one for temporary files."""
        self.folders: list[Path | None] = [*folders, None]
        self.max_in_memory = max_in_memory
        self.bytes = 0
        self.warnings: list[str] = []  # of folders that do not take the columns

    @property
    def is_large(self) -> bool:
        """Whether the columns are too large for the memory."""
        return self.bytes > self.max_in_memory

    def open(self) -> FileIO | None:
        """Open a file for a column; None where no folder takes one."""
        import tempfile

        while self.folders:
            folder = self.folders[0]
            try:
                if folder is not None:
                    folder.mkdir(parents=True, exist_ok=True)
                return tempfile.TemporaryFile(dir=folder, buffering=0)
            except OSError as error:
                self.give_up(error)
        return None

    def give_up(self, error: OSError) -> None:
        """Take the next folder, as the first one cannot be written."""
        import tempfile

        if self.folders:
            folder = self.folders.pop(0) or tempfile.gettempdir()
            instead = "the folder for temporary files" if self.folders else "memory"
            self.warnings.append(
                f"cannot write to {folder} ({error.strerror or error}): the words of the text are kept in {instead}"
            )


class Column:
    """A column of numbers that grows at its end."""

    def __init__(self, store: Store, dtype: DTypeLike):
        self.dtype = np.dtype(dtype)
        self._store = store
        self._memory = bytearray()  # what is not in the file
        self._file: FileIO | None = None
        self._bytes_in_file = 0

    def __len__(self) -> int:
        return (self._bytes_in_file + len(self._memory)) // self.dtype.itemsize

    def append(self, numbers: np.ndarray) -> None:
        """Append numbers (N,)."""
        data = np.ascontiguousarray(numbers, self.dtype)
        self._memory += data.data.cast("B") if len(data) else b""
        self._store.bytes += data.nbytes
        if self._store.is_large:
            self._write()

    def _write(self) -> None:
        """Move what is in memory to the file; where that fails, move the content of the file to another one too."""
        while self._memory and (self._file or self._open()):
            self._try_to_write()

    def _open(self) -> bool:
        self._file = self._store.open()
        return self._file is not None

    def _try_to_write(self) -> None:
        try:
            while self._memory and self._file:
                written = self._file.write(self._memory)
                self._bytes_in_file += written
                del self._memory[:written]
        except OSError as error:
            self._store.give_up(error)
            self._leave_file()

    def _leave_file(self) -> None:
        """Take back into memory what is in the file, which may go to another one. Raises `TextError` if it is lost."""
        if self._file:
            kept = np.empty(self._bytes_in_file, np.uint8)
            try:
                with closing(self._file) as file:
                    file.seek(0)
                    fill(kept.data, file)
            except OSError as error:
                raise TextError(
                    f"cannot read the words of the text again ({error.strerror or error}): name a folder on another"
                    ' disk with cache_dir="DIRECTORY"'
                ) from error
            self._file = None
            self._bytes_in_file = 0
            self._memory[:0] = kept.data

    def discard(self) -> None:
        """Close the file; the column is not to be used after that."""
        if self._file:
            self._file.close()

    def array(self) -> np.ndarray:
        """Return all numbers (N,); the column is not to grow after that."""
        if not self._file:
            return np.frombuffer(self._memory, self.dtype)
        self._write()
        if not self._file:
            return np.frombuffer(self._memory, self.dtype)
        with self._file as file:
            mapped = mmap.mmap(file.fileno(), self._bytes_in_file, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, self.dtype)


def fill(data: memoryview, file: FileIO) -> None:
    """Read as many bytes from a file as `data` takes: the system gives no more than 2 GB at once.

    Raises `OSError` where the file ends before.
    """
    while data:
        size = file.readinto(data)
        if not size:
            raise OSError("the file ends too early")
        data = data[size:]


class Lines:
    """The lines of a text, to be read more than once: in memory while they are few, in a file from then on."""

    def __init__(self, lines: Iterable[str], store: Store | None = None):
        store = store or Store()
        self._bytes = Column(store, np.uint8)
        self._lines: list[str] = []
        size = 0
        for line in lines:
            self._lines.append(line)
            size += len(line)
            if size > store.max_in_memory // 4:
                self._spill()
                size = 0
        self._written = self._bytes.array()

    def _spill(self) -> None:
        """Move the lines in memory to the column."""
        text = "".join(f"{line}\n" for line in self._lines).encode("utf-8", "surrogatepass")
        self._bytes.append(np.frombuffer(text, np.uint8))
        self._lines.clear()

    def __iter__(self) -> Iterator[str]:
        unfinished: list[bytes] = []  # the pieces of a line whose end has not come yet
        for piece in pieces(self._written, BYTES_PER_PIECE):
            *lines, rest = piece.tobytes().split(b"\n")
            if lines:
                lines[0] = b"".join([*unfinished, lines[0]])
                unfinished.clear()
            unfinished.append(rest)
            yield from (line.decode("utf-8", "surrogatepass") for line in lines)
        yield from self._lines


def bounds(length: int, size: int = NUMBERS_PER_PASS) -> Iterator[tuple[int, int]]:
    """Cut so many numbers into passes of some size: where each begins and ends."""
    for begin in range(0, length, size):
        yield begin, min(begin + size, length)


def pieces(numbers: np.ndarray, size: int = NUMBERS_PER_PASS) -> Iterator[np.ndarray]:
    """Cut an array (N,) into pieces of some size, and let go of each when it has been read."""
    for begin, end in bounds(len(numbers), size):
        yield numbers[begin:end]
        release(numbers)


def release(array: np.ndarray) -> None:
    """Let go of the memory of an array that is mapped for reading from a file, which is read again when needed."""
    if array.flags.writeable:
        return
    owner: Any = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None) if isinstance(owner, np.ndarray) else getattr(owner, "obj", None)
    if owner is not None and hasattr(owner, "madvise"):
        owner.madvise(mmap.MADV_DONTNEED)


def counted(ids: np.ndarray, size: int) -> np.ndarray:
    """Count each of the numbers below `size` in an array (N,)."""
    counts = np.zeros(size, np.int64)
    for piece in pieces(ids):
        counts += np.bincount(piece, minlength=size)
    return counts


def changed(
    numbers: np.ndarray, dtype: DTypeLike, change: Callable[[np.ndarray], np.ndarray], store: Store
) -> np.ndarray:
    """Return what `change` makes of an array (N,), piece by piece, as a column of the store."""
    column = Column(store, dtype)
    for piece in pieces(numbers):
        column.append(change(piece))
    return column.array()
