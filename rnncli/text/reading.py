"""Reads texts from files, folders and standard input: their lines, or their units."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ..errors import TextError
from .decoding import NotTextError, checked_decoder, decode, split_lines
from .formats import COMPRESSED, ReadOptions, read_by_format

if TYPE_CHECKING:
    from .columns import Store

STDIN = "-"
OPENERS: dict[str, Callable[..., Any]] = dict(zip(COMPRESSED, (gzip.open, bz2.open, lzma.open), strict=True))
NAMED_FILES = 3  # of those that are left out, in a warning
Sources = str | Path | Iterable[str | Path]  # files, folders, "-" for standard input


@dataclass
class FileRead:
    """What was read of one file."""

    name: str
    unit: str  # line or paragraph
    evidence: str  # for that
    bytes: int = 0  # uncompressed
    units: int = 0
    characters: int = 0  # of the units


class Remark(NamedTuple):
    """What is to be said of a file."""

    name: str
    said: str


@dataclass
class TextsRead:
    """What was read of some texts, and what was left out. It is complete when all units have been read."""

    files: list[FileRead] = field(default_factory=list)
    not_texts: list[str] = field(default_factory=list)  # files of a folder, such as pictures
    problems: list[Remark] = field(default_factory=list)  # why files of a folder cannot be read
    hints: list[Remark] = field(default_factory=list)  # what files look like that may be meant otherwise
    source_bytes: int = 0  # as they are in the files, so of compressed ones the compressed bytes

    @property
    def unit(self) -> str:
        """What most of the text is cut into, line or paragraph."""
        characters: Counter[str] = Counter({"line": 0})
        for file in self.files:
            characters[file.unit] += file.characters
        return max(characters, key=lambda unit: characters[unit])

    def renamed(self, names: Mapping[str, str]) -> TextsRead:
        """Return the same of files with other names, which `names` gives for each of them."""
        return replace(
            self,
            files=[replace(file, name=names[file.name]) for file in self.files],
            not_texts=[names[name] for name in self.not_texts],
            problems=[Remark(names[name], said) for name, said in self.problems],
            hints=[Remark(names[name], said) for name, said in self.hints],
        )

    def warnings(self) -> list[str]:
        """Say what was left out of folders, and why, and what may be meant otherwise, each in one line."""
        found = []
        if self.not_texts:
            found.append(_without_text(self.not_texts))
        found += [f"left out {name}: {reason}" for name, reason in self.problems[:NAMED_FILES]]
        if len(self.problems) > NAMED_FILES:
            others = len(self.problems) - NAMED_FILES
            found.append(f"left out {others:,} more file{'' if others == 1 else 's'} that cannot be read")
        return found + [f"{name} {hint}" for name, hint in self.hints[:NAMED_FILES]]


def _without_text(names: list[str]) -> str:
    if len(names) == 1:
        return f"left out {names[0]}: it is no text"
    named = ", ".join(names[:NAMED_FILES])
    return f"left out {len(names):,} files that are no texts: {named}{', ...' if len(names) > NAMED_FILES else ''}"


def _problem(name: str, fault: str) -> Remark:
    """Part the message of what is wrong with a file from its name."""
    fault = fault.removeprefix(f"cannot read {name}: ").removeprefix(f"{name}, ")
    return Remark(name, fault.replace(name, "it", 1) if fault.startswith(f"{name} ") else fault)


def read_units(
    sources: Sources,
    options: ReadOptions | None = None,
    store: Store | None = None,
    at_end: Callable[[], object] = lambda: None,
) -> tuple[TextsRead, Iterator[str]]:
    """Read the units of all `sources` in order: files, folders (their text files), "-" for standard input.

    For each file it is decided on its own what the units are, unless the `options` tell. Returns what is known of the
    texts, which grows as the units are read, and the units. Raises `TextError` for a source that cannot be read,
    naming it; a file of a folder is left out instead, unless the reading is strict. What is read more than once is kept
    in a `store`. `at_end` is called when a source was read to its end.
    """
    options = options or ReadOptions()
    read = TextsRead()
    sources = listed(sources)

    def units() -> Iterator[str]:
        for source in sources:
            for path in text_files(source, options, read):
                yield from _units_of_file(path, options, read, store)
            at_end()

    return read, units()


def _units_of_file(path: str | Path, options: ReadOptions, read: TextsRead, store: Store | None) -> Iterator[str]:
    """Yield the units of one file, and take down what is read of it."""
    name = source_name(path)
    file = FileRead(name, "", "")

    def count(data: bytes) -> None:
        file.bytes += len(data)

    before = read.source_bytes

    def locate(place: int) -> None:
        read.source_bytes = before + place

    lines = itertools.chain.from_iterable(read_batches(path, options.encoding, count=count, locate=locate))
    verdict, units = read_by_format(lines, str(path), name, options, store)
    file.unit = verdict.unit
    file.evidence = verdict.evidence
    read.files.append(file)
    if verdict.hint:
        read.hints.append(Remark(name, verdict.hint))
    for unit in units:
        file.units += 1
        file.characters += len(unit)
        yield unit


def source_name(source: str | Path) -> str:
    """Name a source for a message."""
    return "standard input" if source == STDIN else str(source)


def listed(sources: Sources) -> list[str | Path]:
    """Return the sources as a list, also a single one. Raises `TextError` if there is none."""
    found = [sources] if isinstance(sources, str | Path) else list(sources)
    if not found:
        raise TextError("there is no text: name a file, a folder, or - for standard input")
    return found


def read_batches(
    source: str | Path,
    encoding: str = "utf-8",
    errors: str = "strict",
    count: Callable[[bytes], object] = lambda data: None,
    locate: Callable[[int], object] = lambda place: None,
) -> Iterator[list[str]]:
    """Read the lines of one file, or of standard input ("-"), without line ends and without a byte order mark.

    They come in batches: some hundred lines of a file, each line of a dialogue by itself.
    With "surrogateescape" as `errors`, an undecodable byte is not an error: see `is_undecoded`. `count` is shown the
    bytes, and `locate` is told the place in the file, also in a compressed one.
    """
    checked_decoder(encoding, errors)  # before the file is opened
    try:
        with _open(source) as (file, raw):
            read = getattr(file, "read1", file.read)  # read1 returns what has arrived, without waiting for a full block

            def counted(size: int) -> bytes:
                data: bytes = read(size)
                count(data)
                if source != STDIN and raw.seekable():
                    locate(raw.tell())
                return data

            yield from split_lines(decode(counted, encoding, errors, source_name(source)))
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"damaged ({error})"
        raise TextError(f"cannot read {source_name(source)}: {reason}") from error


@contextmanager
def _open(source: str | Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a source: what is read of it, and the file itself, which may be compressed."""
    if source == STDIN:
        if sys.stdin is None:
            raise TextError("standard input is closed: name a file, or pipe a text in")
        yield sys.stdin.buffer, sys.stdin.buffer
        return
    with open(source, "rb") as raw:
        opener = OPENERS.get(Path(source).suffix.lower())
        if opener is None:
            yield raw, raw
            return
        with opener(raw, "rb") as file:
            yield file, raw


def text_files(source: str | Path, options: ReadOptions, read: TextsRead) -> Iterator[str | Path]:
    """Yield the source itself, or every text file below a folder in sorted order, without hidden ones.

    A file of a folder is read to its end first: what cannot be read is left out as a whole, and taken down. Raises
    `TextError` for it if the reading is strict, and for a folder without any text.
    """
    if source == STDIN or not os.path.isdir(source):
        yield source
        return
    is_empty = True
    problem = ""
    for path in _below(Path(source), options, read):
        fault = _fault(path, options)
        if fault is None:
            is_empty = False
            yield path
        elif isinstance(fault, NotTextError):
            read.not_texts.append(str(path))
        elif options.strict:
            raise fault
        else:
            problem = problem or f" ({fault})"
            read.problems.append(_problem(str(path), str(fault)))
    if is_empty:
        raise TextError(f"the folder {source} holds no text file{problem}: name one that does")


def _fault(path: Path, options: ReadOptions) -> TextError | None:
    """Read a file to its end, and return what is wrong with it, such as that it lacks the column to be read."""
    try:
        lines: Iterator[str] = itertools.chain.from_iterable(read_batches(path, options.encoding))
        if options.field or options.column or options.chat:
            lines = read_by_format(lines, str(path), str(path), options)[1]
        for _ in lines:
            pass
    except TextError as error:
        return error
    return None


def _below(folder: Path, options: ReadOptions, read: TextsRead) -> list[Path]:
    """Return every file below a folder in sorted order, without hidden ones."""

    def take_down(error: OSError) -> None:
        if options.strict:
            raise TextError(f"cannot read {error.filename}: {error.strerror}") from error
        read.problems.append(Remark(error.filename, str(error.strerror)))

    found = []
    for path, folders, names in os.walk(folder, onerror=take_down):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(path, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())
