"""The files that texts are read from: which they are, and how much of them was read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..callbacks import OnProgress
from .reading import STDIN, Sources, listed

STEPS = 200  # in which the progress of reading is told


@dataclass(frozen=True)
class Source:
    """A file or a folder that was named as a text."""

    named: str | Path
    files: list[Path]  # it, or those below it without hidden ones, in the order of their reading
    is_folder: bool = False
    is_complete: bool = True  # whether each folder below it could be opened

    @classmethod
    def of(cls, named: str | Path) -> Source:
        """Find the files of a source."""
        if not os.path.isdir(named):
            return cls(named, [Path(named)])
        found: list[Path] = []
        closed: list[OSError] = []
        for path, folders, names in os.walk(named, onerror=closed.append):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [Path(path, name) for name in names if not name.startswith(".")]
        return cls(named, sorted(path for path in found if path.is_file()), is_folder=True, is_complete=not closed)

    def names(self) -> list[str]:
        """Name its files as messages do."""
        return [str(path) for path in self.files] if self.is_folder else [str(self.named)]

    def places(self) -> list[str]:
        """Return where in it its files are; of a file, its name."""
        return [path.relative_to(self.named).as_posix() if self.is_folder else path.name for path in self.files]


def sources_of(sources: Sources) -> list[Source] | None:
    """Find all files of some sources. None where one is standard input."""
    named = listed(sources) if sources else []
    return None if STDIN in named else [Source.of(each) for each in named]


def files_of(sources: Iterable[Source]) -> list[Path]:
    """Return the files of all sources."""
    return [path for source in sources for path in source.files]


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

    def __init__(self, on_progress: OnProgress | None, *texts: Sources):
        self._on_progress = on_progress
        found = [sources_of(sources) for sources in texts] if on_progress else []
        self._total = sum(size_of(files_of(each)) for each in found if each)
        if None in found or not self._total:
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
