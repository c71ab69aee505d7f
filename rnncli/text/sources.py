"""The files that texts are read from: which they are, and how much of them was read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .reading import STDIN, Sources, listed

STEPS = 200  # in which the progress of reading is told

Progress = Callable[[float], object]  # is told the fraction that is done


def files_of(sources: Sources) -> list[Path] | None:
    """Return all files of the sources and of folders among them, without hidden ones, in the order of their reading.

    None where one is standard input.
    """
    found = []
    for source in listed(sources) if sources else ():
        if source == STDIN:
            return None
        if not Path(source).is_dir():
            found.append(Path(source))
            continue
        below = []
        for path, folders, names in os.walk(source):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below += [Path(path, name) for name in names if not name.startswith(".")]
        found += sorted(path for path in below if path.is_file())
    return found


def size_of(files: list[Path]) -> int:
    """Return how many bytes some files hold; those that cannot be asked count as empty."""
    return sum(map(_size, files))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class ReadingProgress:
    """Tells how much of some texts was read."""

    def __init__(self, on_progress: Progress | None, *texts: Sources):
        self._on_progress = on_progress
        files = [files_of(sources) for sources in texts] if on_progress else []
        self._total = sum(size_of(each) for each in files if each)
        if None in files or not self._total:
            self._on_progress = None
        self._told = 0.0
        self._before = 0  # bytes of the texts that were read to their ends

    def tell(self, size: int, *, is_end: bool = False) -> None:
        """Take down how many bytes of the present text were read, and whether these were all."""
        if self._on_progress is None:
            return
        fraction = min(1.0, (self._before + size) / self._total)
        if fraction >= self._told + 1 / STEPS:
            self._told = fraction
            self._on_progress(fraction)
        if is_end:
            self._before += size
