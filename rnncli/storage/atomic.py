"""Writes a file whole, or not at all: a draft beside it takes its place when it is complete."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import ModelError
from .drafts import Draft, open_draft

DEFAULT_FOLDER = Path("models")  # of models; the only folder that is made where it is missing


class FileKind(NamedTuple):
    """What a file that we may replace looks like."""

    name: str
    magic: bytes
    start: int = 0  # where the magic is in the file


FIRST_MEMBER = 30  # where an archive names its first member
MODEL = FileKind("a model", b"format.npy", FIRST_MEMBER)
CHECKPOINT = FileKind("a checkpoint", b"checkpoint.npy", FIRST_MEMBER)
LOG = FileKind("a log", b'{"epoch":')
ARPA = FileKind("an ARPA file", b"\\data\\")
SAFETENSORS = FileKind("a file of safetensors", b'{"', 8)
ONNX = FileKind("a file of ONNX", b"\x08\x08")


def write_whole(path: str | Path, write: Callable[[IO[bytes]], object], kind: FileKind | None = None) -> None:
    """Let `write` fill a draft that then takes the place of the file at `path`.

    The old file stays until the new one is complete, and for good where it is not of the `kind`, if one is named.
    Raises `ModelError` where the file cannot be written.
    """
    with _draft(Path(path), kind) as (path, draft):
        write(draft.file)
        draft.take_place_of(path)


def write_lines(lines: Iterable[str], path: str | Path, kind: FileKind) -> None:
    """Write a text file of these lines in UTF-8, but not over a file of another kind."""

    def write(file: IO[bytes]) -> None:
        for line in lines:
            file.write(f"{line}\n".encode("utf-8", "surrogatepass"))

    write_whole(path, write, kind)


def check_writable(path: str | Path, kind: FileKind) -> None:
    """Raise `ModelError` if a file could not be written to `path`, or would replace one of another kind."""
    with _draft(Path(path), kind):
        pass


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


def is_kind(path: Path, kind: FileKind) -> bool:
    """Whether a file is empty, or of this kind."""
    with path.open("rb") as file:
        head = file.read(kind.start + len(kind.magic))
    return not head or head[kind.start :] == kind.magic


def check_kind(path: Path, kind: FileKind) -> None:
    """Raise `ModelError` for an existing file that is neither empty nor of this kind."""
    if path.is_file() and not is_kind(path, kind):
        raise ModelError(f"{path} is not {kind.name}, and would be overwritten: name another file")


@contextmanager
def _draft(path: Path, kind: FileKind | None) -> Iterator[tuple[Path, Draft]]:
    """Yield the file that `path` means, and a draft beside it, which can take its place in one step."""
    try:
        if path.exists() and not path.is_file():  # a pipe has no end to wait for, and a device must not be replaced
            raise ModelError(f"{path} is not a file that can be replaced: name another one")
        path = Path(os.path.realpath(path)) if path.is_symlink() else path  # a link stays
        make_folder(path)
        if kind:
            check_kind(path, kind)
        with open_draft(path.parent) as draft:
            yield path, draft
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror or error}") from error
