"""Drafts: files that are written beside the one whose place they will take.

A writer holds a lock on its draft. A draft that nobody holds was left by a process that was killed: whoever writes into
the same folder next removes it, and the files of `locks` likewise.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .flock import is_at, try_lock

SWEPT_NAME = re.compile(r"\.rnncli-([0-9a-f]{8}\.part|.+\.lock)")
# An open file can be neither replaced nor removed on Windows. There, the lock ends just before the draft takes its
# place, so only drafts are removed that nobody has written to for long.
IS_WINDOWS = os.name == "nt"
MIN_AGE_SECONDS = 24 * 3600
BINARY = getattr(os, "O_BINARY", 0)
# A stranger may have made a pipe or a link with the name of a draft in a shared folder.
SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Draft:
    """A file that is written, and the name that it has until it is complete."""

    def __init__(self, file: IO[bytes], path: Path):
        self.file = file
        self.path = path

    def take_place_of(self, path: Path) -> None:
        """Replace the file at `path` in one step, so that it survives a loss of power."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if IS_WINDOWS:
            self.file.close()
        os.replace(self.path, path)
        sync_folder(path.parent)

    def discard(self) -> None:
        """Close the draft, and remove it if it has not taken its place."""
        with suppress(OSError):  # what could not be written is not written here either
            if IS_WINDOWS:
                self.file.close()
            self.path.unlink(missing_ok=True)
        with suppress(OSError):
            self.file.close()


@contextmanager
def open_draft(folder: Path) -> Iterator[Draft]:
    """Yield a new draft in a folder, and remove it in the end unless it has taken its place."""
    sweep(folder)
    draft = _create(folder)
    try:
        yield draft
    finally:
        draft.discard()


def _create(folder: Path) -> Draft:
    while True:
        path = folder / f".rnncli-{os.urandom(4).hex()}.part"  # no two writers share one
        file = path.open("xb")
        # Somebody who sweeps the folder may have come between.
        if try_lock(file.fileno()) is not False and is_at(path, file.fileno()):
            return Draft(file, path)
        file.close()


def sweep(folder: Path) -> None:
    """Remove the drafts and locks in a folder that no process holds."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if SWEPT_NAME.fullmatch(name):
                _remove_unless_held(folder / name)


def _remove_unless_held(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | BINARY | SAFELY)
        try:
            found = os.fstat(descriptor)
            is_old = not IS_WINDOWS or time.time() - found.st_mtime >= MIN_AGE_SECONDS
            is_left = is_old and stat.S_ISREG(found.st_mode) and try_lock(descriptor) and is_at(path, descriptor)
            if is_left and not IS_WINDOWS:
                path.unlink()
        finally:
            os.close(descriptor)
        if is_left and IS_WINDOWS:
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Make sure that a new name survives a loss of power, where the system lets a folder be opened for that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno == errno.EIO:  # others only say that folders are not synced here
            raise
