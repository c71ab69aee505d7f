"""Keeps two programs from writing one file."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import ModelError
from .atomic import make_folder
from .drafts import BINARY
from .flock import is_at, try_lock

MAX_NAME_BYTES = 200  # of a file whose lock is named after it; the longest name of most systems has 255
MAX_PID_BYTES = 20
TRIES = 5
SECONDS_BETWEEN_TRIES = 0.01


@contextmanager
def locked(path: str | Path, argument: str, patience: float = 0.0) -> Iterator[None]:
    """Be the only process that writes the file at `path`, by whatever name it is called.

    Another one that asks for the same gets a `ModelError` after so many seconds of `patience`, which names the
    `argument` ("output") that takes another file, if there is one. A lock is a hidden file beside the file, and ends
    with the process. Nothing is locked where no file can be made, since none could take the place of this one either,
    nor where the file system knows no locks; nor are pipes and devices.
    """
    target = Path(os.path.realpath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        yield
        return
    with folder_of(path):
        lock = _lock_path(target)
        descriptor = _take(lock, f"{path}", argument, patience)
        try:
            yield
        finally:
            if descriptor is not None:
                _release(lock, descriptor)


@contextmanager
def folder_of(path: str | Path) -> Iterator[None]:
    """Make the folder of a file, if that may be made, and remove it in the end if nothing came into it."""
    folder = Path(os.path.realpath(path)).parent
    is_new = not folder.exists()
    with suppress(OSError):  # whoever writes there is told why
        make_folder(path)
    try:
        yield
    finally:
        if is_new:
            with suppress(OSError):  # it is not empty, as is usual
                folder.rmdir()


def open_alone(path: str | Path, argument: str, flags: int = 0) -> int:
    """Open a file to append to it, and lock the file itself until it is closed: see `locked`."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | BINARY | flags, 0o666)
        is_ours = try_lock(descriptor) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        if is_ours is False:
            os.close(descriptor)
            raise _busy(f"{path}", argument)
        if is_ours is None or is_at(Path(os.path.realpath(path)), descriptor):
            return descriptor
        os.close(descriptor)


def _busy(name: str, argument: str, process: str = "") -> ModelError:
    other = f", or name another file with {argument}=FILE" if argument else ""
    return ModelError(f"another rnncli writes {name}{process}: wait for it{other}")


def _lock_path(target: Path) -> Path:
    name = target.name
    if len(os.fsencode(name)) > MAX_NAME_BYTES:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return target.with_name(f".rnncli-{name}.lock")


def _take(lock: Path, name: str, argument: str, patience: float) -> int | None:
    """Return the descriptor of the locked file; None where nothing can be locked."""
    deadline = time.monotonic() + patience
    while True:
        try:
            descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError:
            return None
        is_ours = _try_to_lock(descriptor)
        if is_ours is False and time.monotonic() < deadline:
            os.close(descriptor)
            continue
        if is_ours is False:
            process = _process(descriptor)
            os.close(descriptor)
            raise _busy(name, argument, process)
        if is_ours is None:
            _release(lock, descriptor)
            return None
        if is_at(lock, descriptor):  # the last holder may have removed it before we locked it
            with suppress(OSError):  # the number is a service only, and the disk may be full
                os.truncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
            return descriptor
        os.close(descriptor)


def _try_to_lock(descriptor: int) -> bool | None:
    """Lock a file as `try_lock` does, but give whoever sweeps the folder, and has just locked it, time to let it go."""
    for _ in range(TRIES):
        is_ours = try_lock(descriptor)
        if is_ours is not False:
            return is_ours
        time.sleep(SECONDS_BETWEEN_TRIES)
    return False


def _process(descriptor: int) -> str:
    """Name the process that holds a lock, as far as it has told its number."""
    with suppress(OSError, ValueError):
        return f" (process {int(os.read(descriptor, MAX_PID_BYTES))})"
    return ""


def _release(lock: Path, descriptor: int) -> None:
    """Remove a lock while it is held, so that nobody else's is removed."""
    if os.name == "nt":  # an open file cannot be removed there; nor can one that somebody else has opened meanwhile
        os.close(descriptor)
        with suppress(OSError):
            lock.unlink()
        return
    with suppress(OSError):
        if is_at(lock, descriptor):
            lock.unlink()
    os.close(descriptor)
