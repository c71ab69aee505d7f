"""Keeps large texts that were made ready for training, in a folder, so that they need not be read and cut again.

An entry is a folder that is named by a hash of all that decides what is in it. It is complete or not there: it is built
as a draft, and renamed. Who uses an entry or builds a draft holds a lock on a file in it, which ends with the process;
what nobody holds is removed when it is old, or when there is too much.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import tempfile
import time
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..text.columns import pieces
from ..text.corpus import CacheEntry, Corpus, TextFacts
from ..text.detokenizer import Detokenizer
from ..text.reading import FileRead, Remark, TextsRead
from ..text.tokenizers import Tokenizer
from ..text.vocabulary import Vocabulary
from ..text.weights import Weighted
from ..version import __version__
from .drafts import sync_folder
from .flock import FileLock

FORMAT = 4  # of an entry
MIN_SOURCE_BYTES = 4_000_000  # files with less are not looked for
MAX_BYTES = 4_000_000_000  # of all entries; the latest may be larger
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
    """Return a hash of the content of files, and of all `settings` that decide what becomes of them.

    None for what cannot be read, or not more than once.
    """
    known = {"format": FORMAT, "versions": _versions(), **settings}
    digest = hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16)
    try:
        for path in files:
            if not path.is_file():
                return None
            digest.update(f"{path.stat().st_size}\0".encode())
            _add_file(digest, path)
    except OSError:
        return None
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    """Return the versions of all that takes part in reading a text."""
    return {
        "rnncli": __version__,
        "python": platform.python_version(),  # with its parser of HTML
        "unicode": unicodedata.unidata_version,
        "markdown": importlib.metadata.version("markdown-it-py"),
    }


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
        try:
            lock = FileLock(path / LOCK)
        except OSError:  # it is not there, another process is removing it, or it cannot be opened now
            return None
        try:
            sums = json.loads((path / SUMS).read_text("utf-8"))
            if {name: _hash(path / name) for name in _names()} != sums:
                raise ValueError(key)
            found = _read(path, lock, is_reused=True)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            lock.close()
            _remove_unused(path)
            return None
        except OSError:  # the disk may give it the next time
            lock.close()
            return None
        with suppress(OSError):
            os.utime(path / LOCK)
        return found

    def keep(self, key: str, corpus: Corpus, decided: Mapping[str, Any]) -> Corpus:
        """Put a text here, with what was `decided` for it, and return it as it is here, with its words in files.

        If another process was faster, the entry is that of the other one. Raises `OSError` where none can be made; then
        no draft is left.
        """
        draft = self.folder / f"{DRAFT}{uuid.uuid4().hex}"
        draft.mkdir(parents=True)
        try:
            lock = FileLock(draft / LOCK, exclusive=True)
            _write(draft, corpus, decided)
            lock.share()  # before others find it
            if found := self._put(draft, key):
                return found
            _sync(self.folder)
            return _read(self.folder / key, lock, is_reused=False)[0]
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # if it has not become the entry

    def _put(self, draft: Path, key: str) -> Corpus | None:
        """Make a draft the entry, also in the place of a damaged one; where a sound one is, return that instead."""
        path = self.folder / key
        with suppress(OSError):
            draft.rename(path)
            return None
        if found := self.find(key):  # which removes what is damaged
            return found[0]
        draft.rename(path)
        return None

    def clean(self) -> None:
        """Remove drafts of processes that have ended, and entries that nobody uses: old ones, and what is too much.

        The entry that was used last stays however large it is.
        """
        found = []
        with suppress(OSError):
            found += [path for path in self.folder.iterdir() if OWN_NAMES.fullmatch(path.name)]
        entries = []
        for path in found:
            with suppress(OSError):  # it is gone
                if path.name.startswith(DRAFT):
                    _remove_unused(path, is_draft=True)
                else:
                    entries.append((_last_use(path), _size(path), path))
        kept = 0
        for used, size, path in sorted(entries, reverse=True):
            is_too_much = kept > 0 and kept + size > MAX_BYTES
            if not (is_too_much or time.time() - used > MAX_SECONDS) or not _remove_unused(path):
                kept += size


def _last_use(path: Path) -> float:
    """Return when an entry was used, in seconds; of one without its lock, which is damaged, when it was changed."""
    lock = path / LOCK
    return (lock if lock.exists() else path).stat().st_mtime


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
        "texts": corpus.texts,
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
        _facts(stored["facts"]),
        Detokenizer.from_text(stored["detokenizer"].encode("utf-8", "surrogatepass")),
        CacheEntry(path, _size(path), is_reused, lock),
        tuple(Weighted(*text) for text in stored["texts"]),
    )
    return corpus, stored["decided"]


def _facts(stored: Mapping[str, Any]) -> TextFacts:
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    known["read"] = _texts_read(stored["read"])
    known["valid"] = _texts_read(stored["valid"])
    return TextFacts(**known)


def _texts_read(stored: Mapping[str, Any]) -> TextsRead:
    of_files: dict[str, Any] = {
        "files": [FileRead(**file) for file in stored["files"]],
        "problems": [Remark(*problem) for problem in stored["problems"]],
        "hints": [Remark(*hint) for hint in stored["hints"]],
    }
    return TextsRead(**{**stored, **of_files})


def _remove_unused(path: Path, *, is_draft: bool = False) -> bool:
    """Remove an entry or a draft unless a process holds it; returns whether it is gone.

    It loses its name first, so that nobody finds a part of it.
    """
    try:
        can_tell = FileLock.works and (path / LOCK).exists()  # else the draft may have just begun
        if is_draft and not can_tell and time.time() - path.stat().st_mtime < MAX_DRAFT_SECONDS:
            return False
        lock = FileLock(path / LOCK, exclusive=True)
        try:
            removed = path if is_draft else path.rename(path.with_name(f"{DRAFT}{uuid.uuid4().hex}"))
            shutil.rmtree(removed, ignore_errors=True)
        finally:
            lock.close()
    except OSError:
        return False
    return True
