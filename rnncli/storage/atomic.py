"""Writes a file whole, or not at all: a draft beside it takes its place when it is complete."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import ModelError

DEFAULT_FOLDER = Path("models")  # of models; the only folder that is made where it is missing


class FileKind(NamedTuple):
    """What a file that we may replace looks like."""

    name: str
    magic: bytes


MODEL = FileKind("a model", b"PK")
LOG = FileKind("a log", b'{"epoch":')
ARPA = FileKind("an ARPA file", b"\\data\\")


def write_whole(path: str | Path, write: Callable[[IO[bytes]], object], kind: FileKind | None = None) -> None:
    """Let `write` fill a draft that then takes the place of the file at `path`.

    The old file stays until the new one is complete, and for good where it is not of the `kind`, if one is named.
    Raises `ModelError` where the file cannot be written.
    """
    with _draft(Path(path)) as (path, draft):
        if kind:
            check_kind(path, kind)
        with draft.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        _sync_folder(path.parent)


def write_lines(lines: Iterable[str], path: str | Path, kind: FileKind) -> None:
    """Write a text file of these lines in UTF-8, but not over a file of another kind."""

    def write(file: IO[bytes]) -> None:
        for line in lines:
            file.write(f"{line}\n".encode("utf-8", "surrogatepass"))

    write_whole(path, write, kind)


def check_writable(path: str | Path, kind: FileKind) -> None:
    """Raise `ModelError` if a file could not be written to `path`, or would replace one of another kind."""
    with _draft(Path(path)) as (path, draft):
        draft.touch(exist_ok=False)
        check_kind(path, kind)


def check_folder(path: str | Path) -> None:
    """Raise `ModelError` if the folder of a file is missing, unless it is the `DEFAULT_FOLDER`."""
    folder = Path(path).parent
    if folder != DEFAULT_FOLDER and not folder.exists():
        raise ModelError(
            f"cannot write {path}: there is no folder {folder}: make it first (mkdir -p {shlex.quote(str(folder))})"
        )


def make_folder(path: str | Path) -> None:
    """Make the folder of a file if that is the `DEFAULT_FOLDER`; else it must be there."""
    check_folder(path)
    Path(path).parent.mkdir(exist_ok=True)


def check_kind(path: Path, kind: FileKind) -> None:
    """Raise `ModelError` for an existing file that is neither empty nor of this kind."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(len(kind.magic))
        if head not in (b"", kind.magic):
            raise ModelError(f"{path} is not {kind.name}, and would be overwritten: name another file")


def _sync_folder(folder: Path) -> None:
    """Make sure that the new name survives a loss of power, where the system lets a folder be opened for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the file that `path` means, and a draft beside it, which can take its place in one step."""
    try:
        if path.exists() and not path.is_file():  # a pipe has no end to wait for, and a device must not be replaced
            raise ModelError(f"{path} is not a file that can be replaced: name another one")
        path = Path(os.path.realpath(path)) if path.is_symlink() else path  # a link stays
        draft = path.with_name(f".rnncli-{os.urandom(4).hex()}.part")  # no two writers share one
        make_folder(path)
        try:
            yield path, draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror or error}") from error
