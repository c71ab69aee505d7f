"""Keeps large texts that were made ready for training, in a folder, so that they need not be read and cut again.

An entry is a folder that is named by a hash of all that decides what is in it. It is complete or not there: it is built
as a draft, and renamed. Who uses an entry or builds a draft holds a lock on a file in it, which ends with the process;
what nobody holds is removed when it is old, or when there is too much.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..text.columns import pieces
from ..text.corpus import CacheEntry, Corpus, TextFacts
from ..text.detokenizer import Detokenizer
from ..text.reading import FileRead, TextsRead
from ..text.tokenizers import Tokenizer
from ..text.vocabulary import Vocabulary
from ..version import __version__
from .drafts import sync_folder
from .flock import FileLock

FORMAT = 1  # of an entry
MIN_SOURCE_BYTES = 4_000_000  # files with less are not looked for
MAX_BYTES = 4_000_000_000  # of all entries
MAX_SECONDS = 7 * 24 * 3600.0  # that an entry stays unused
MAX_DRAFT_SECONDS = 24 * 3600.0  # that a draft stays which cannot be locked
BYTES_PER_BLOCK = 2**20
ARRAYS = ("train", "valid")
TEXT = "text.json"  # everything else that is known of the text
SUMS = "sums.json"  # the hashes of the other files
LOCK = "lock"  # its date is that of the last use
DRAFT = "rnncli-draft-"
OWN_NAMES = re.compile(f"(?:{DRAFT})?[0-9a-f]{{32}}")  # nothing else is ever removed


def default_folder() -> Path:
    """Return the folder of the user's caches for this program; one for temporary files where the user has no home."""
    named = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        return Path(named) / "rnncli"
    home = os.path.expanduser("~")  # as it is where there is none
    return Path(home, ".cache", "rnncli") if os.path.isabs(home) else Path(tempfile.gettempdir(), "rnncli-cache")


def text_key(files: Iterable[Path], settings: Mapping[str, Any]) -> str | None:
    """Return a hash of the content and the names of files, and of all `settings` that decide what becomes of them.

    None for what cannot be read, or not more than once.
    """
    known = {"format": FORMAT, "rnncli": __version__, **settings}
    digest = hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16)
    try:
        for path in files:
            if not path.is_file():
                return None
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
            _add_file(digest, path)
    except OSError:
        return None
    return digest.hexdigest()


def _add_file(digest: hashlib.blake2b, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(BYTES_PER_BLOCK):
            digest.update(block)


def _hash(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    _add_file(digest, path)
    return digest.hexdigest()


class TextCache:
    """The folder of the texts."""

    def __init__(self, folder: str | Path | None = None):
        """Take the folder, by default that of the user; it need not be there."""
        self.folder = Path(folder) if folder else default_folder()

    def find(self, key: str) -> tuple[Corpus, dict[str, Any]] | None:
        """Return a text, and what was decided for it, if they are here; what is damaged is removed."""
        path = self.folder / key
        if not path.is_dir():
            return None
        try:
            lock = FileLock(path / LOCK)
        except BlockingIOError:  # another process is removing it
            return None
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            return None
        try:
            sums = json.loads((path / SUMS).read_text("utf-8"))
            if {name: _hash(path / name) for name in _names()} != sums:
                raise ValueError(key)
            found = _read(path, lock, is_reused=True)
            os.utime(path / LOCK)
        except (OSError, ValueError, TypeError, KeyError):
            shutil.rmtree(path, ignore_errors=True)
            return None
        return found

    def keep(self, key: str, corpus: Corpus, decided: Mapping[str, Any]) -> Corpus:
        """Put a text here, with what was `decided` for it: returns it with its words in files here.

        Raises `OSError` where that cannot be done; then nothing is left.
        """
        draft = self.folder / f"{DRAFT}{uuid.uuid4().hex}"
        path = self.folder / key
        draft.mkdir(parents=True)
        try:
            lock = FileLock(draft / LOCK, exclusive=True, is_new=True)
            _write(draft, corpus, decided)
            lock.share()  # before others find it
            with suppress(OSError):
                draft.rename(path)
            if draft.exists():  # another process was faster, or left something damaged
                shutil.rmtree(path, ignore_errors=True)
                draft.rename(path)
            _sync(self.folder)
            return replace(_read(path, lock, is_reused=False)[0], facts=corpus.facts, name=corpus.name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def clean(self) -> None:
        """Remove drafts of processes that have ended, and entries that nobody uses: old ones, and what is too much."""
        entries = []
        with suppress(OSError):
            for path in self.folder.iterdir():
                if not OWN_NAMES.fullmatch(path.name):
                    continue
                if path.name.startswith(DRAFT):
                    _remove_unused(path, is_draft=True)
                elif (path / LOCK).exists():
                    entries.append(((path / LOCK).stat().st_mtime, path))
        size = 0
        for used, path in sorted(entries, reverse=True):
            with suppress(OSError):
                size += _size(path)
                if size > MAX_BYTES or time.time() - used > MAX_SECONDS:
                    _remove_unused(path)


def _names() -> list[str]:
    return [*(f"{name}.npy" for name in ARRAYS), TEXT]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir())


def _write(path: Path, corpus: Corpus, decided: Mapping[str, Any]) -> None:
    """Write the files of an entry."""
    for name in ARRAYS:
        with (path / f"{name}.npy").open("wb") as file:
            array = getattr(corpus, name)
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
            for piece in pieces(array):
                file.write(piece.data)
            _sync(file)
    described = {
        "name": corpus.name,
        "tokenizer": asdict(corpus.tokenizer),
        "unit": corpus.unit,
        "vocabulary": list(corpus.vocabulary.words),
        "sha256": corpus.sha256,
        "reading": corpus.reading,
        "facts": asdict(corpus.facts),
        "detokenizer": corpus.detokenizer.text().decode("utf-8", "surrogatepass"),
        "decided": dict(decided),
    }
    _write_json(path / TEXT, described)
    _write_json(path / SUMS, {name: _hash(path / name) for name in _names()})
    _sync(path)


def _write_json(path: Path, value: Any) -> None:
    with path.open("wb") as file:
        file.write(json.dumps(value).encode())
        _sync(file)


def _sync(target: BinaryIO | Any | Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    if not isinstance(target, Path):
        target.flush()
        os.fsync(target.fileno())
    else:
        sync_folder(target)


def _read(path: Path, lock: FileLock, *, is_reused: bool) -> tuple[Corpus, dict[str, Any]]:
    """Read an entry: the text, and what was decided for it."""
    stored = json.loads((path / TEXT).read_text("utf-8"))
    facts = stored["facts"]
    files = [FileRead(**file) for file in facts["read"].pop("files")]
    read = TextsRead(files, **facts.pop("read"))
    train, valid = (np.asarray(np.load(path / f"{name}.npy", mmap_mode="r")) for name in ARRAYS)
    corpus = Corpus(
        stored["name"],
        Tokenizer(**stored["tokenizer"]),
        stored["unit"],
        Vocabulary(stored["vocabulary"]),
        train,
        valid,
        stored["sha256"],
        stored["reading"],
        TextFacts(**{**facts, "read": read, "warnings": tuple(facts["warnings"])}),
        Detokenizer.from_text(stored["detokenizer"].encode("utf-8", "surrogatepass")),
        CacheEntry(path, _size(path), is_reused, lock),
    )
    return corpus, stored["decided"]


def _remove_unused(path: Path, *, is_draft: bool = False) -> None:
    """Remove an entry or a draft that no process holds. It loses its name first, so that nobody finds a part of it."""
    can_tell = FileLock.works and (path / LOCK).exists()  # else the draft may have just begun
    if is_draft and not can_tell and time.time() - path.stat().st_mtime < MAX_DRAFT_SECONDS:
        return
    with suppress(OSError):
        lock = FileLock(path / LOCK, exclusive=True) if (path / LOCK).exists() else None
        try:
            removed = path if is_draft else path.rename(path.with_name(f"{DRAFT}{uuid.uuid4().hex}"))
            shutil.rmtree(removed, ignore_errors=True)
        finally:
            if lock:
                lock.close()
