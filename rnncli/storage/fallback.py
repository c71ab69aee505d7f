"""Writes a file somewhere else where it cannot be written in its place: on a full disk, or in a folder that is gone."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import ModelError
from .atomic import FileKind, write_whole

PLACES = (tempfile.gettempdir, Path.home, Path.cwd)  # each raises an error where there is none


class Written(NamedTuple):
    """Where a file was written."""

    path: Path
    failure: str  # why it is not where it was to be; empty if it is there


def write_somewhere(
    path: str | Path,
    write: Callable[[IO[bytes]], object],
    kind: FileKind | None = None,
    suffix: str = ".npz",
    failure: str = "",
) -> Written:
    """Write a file as `write_whole` does; where that fails, among the temporary files, at home, or in this folder.

    The name of such a file ends in `suffix`. A `failure` tells why it must not be written to `path`. Raises
    `ModelError`, which names every place that was tried, where it cannot be written at all.
    """
    failures = [failure] if failure else []
    others = (folder / f"rnncli-{os.urandom(4).hex()}{suffix}" for folder in _folders())
    for place in itertools.chain([] if failure else [Path(path)], others):
        try:
            write_whole(place, write, kind)
        except ModelError as error:  # noqa: PERF203
            failures.append(str(error))
        else:
            return Written(place, "".join(failures[:1]))
    raise ModelError("; ".join(failures))


def _folders() -> Iterator[Path]:
    """Yield the folders to try, each once."""
    known: set[Path] = set()
    for place in PLACES:
        try:
            folder = Path(place()).resolve()
        except (OSError, RuntimeError):  # no folder for temporary files; no home; a current folder that was removed
            continue
        if folder not in known:
            known.add(folder)
            yield folder
