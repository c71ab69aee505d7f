"""Reads lines from files, folders and standard input, and makes units of text of them."""

import bz2
import codecs
import gzip
import itertools
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import SettingError, TextError

STDIN = "-"
UNITS = ("auto", "line", "paragraph")
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SAMPLE_LINES = 2000  # that decide whether a text is hard-wrapped
BYTES_PER_BLOCK = 2**16


def read_units(
    sources: str | Path | Iterable[str | Path], unit: str = "auto", encoding: str = "utf-8", keep_blank: bool = False
) -> tuple[str, Iterator[str]]:
    """Read the units of all `sources` in order: files, folders (their text files), "-" for standard input.

    `unit` is "line", "paragraph", or "auto": paragraphs if the first file is hard-wrapped prose, else lines. Blank
    lines are left out unless `keep_blank`, which is for corpora prepared line by line; "auto" is "line" then.
    Returns the unit that was chosen, and the units. Raises `TextError` for a source that cannot be read, naming it.
    """
    if unit not in UNITS:
        raise SettingError(f"no unit is called {unit!r}: choose from {', '.join(UNITS)}")
    files: Iterator[Iterator[str]] = (
        read_lines(path, encoding) for source in listed(sources) for path in _files(source, encoding)
    )
    if unit == "auto" and keep_blank:
        unit = "line"
    elif unit == "auto":
        first = next(files, iter(()))
        sample = list(itertools.islice(first, SAMPLE_LINES))
        files = itertools.chain([itertools.chain(sample, first)], files)
        unit = "paragraph" if is_hard_wrapped(sample) else "line"
    if unit == "paragraph":
        return unit, itertools.chain.from_iterable(map(_paragraphs, files))
    return unit, (line for lines in files for line in lines if keep_blank or line.strip())


def source_name(source: str | Path) -> str:
    """Name a source for a message."""
    return "standard input" if source == STDIN else str(source)


def listed(sources: str | Path | Iterable[str | Path]) -> list[str | Path]:
    """Return the sources as a list, also a single one. Raises `TextError` if there is none."""
    found = [sources] if isinstance(sources, str | Path) else list(sources)
    if not found:
        raise TextError("there is no text: name a file, a folder, or - for standard input")
    return found


def read_lines(source: str | Path, encoding: str = "utf-8") -> Iterator[str]:
    """Read the lines of one file, or of standard input ("-"), without line ends. A byte order mark is left out."""
    return itertools.chain.from_iterable(read_batches(source, encoding))


def read_batches(source: str | Path, encoding: str = "utf-8", errors: str = "strict") -> Iterator[list[str]]:
    """Read the lines of `read_lines` in batches: some hundred lines of a file, each line of a dialogue by itself.

    With "surrogateescape" as `errors`, an undecodable byte is not an error: see `is_undecoded`.
    """
    try:
        "".encode(encoding)  # refuses what is not an encoding of text, such as base64
        decoder = codecs.lookup(encoding).incrementaldecoder(errors)
        decoder.decode(b"", True)  # refuses `errors` that the encoding cannot handle, as idna does
    except (LookupError, UnicodeError):
        raise SettingError(f"no text encoding is called {encoding!r}: try utf-8, latin-1 or cp1252") from None
    try:
        with _open(source) as file:
            yield from _split_lines(_decode(file, decoder, encoding, source_name(source)))
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"damaged ({error})"
        raise TextError(f"cannot read {source_name(source)}: {reason}") from error


def is_undecoded(line: str) -> bool:
    """Whether a line holds undecodable bytes, which Python represents as surrogates."""
    return not line.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in line)


def _decode(file: BinaryIO, decoder: codecs.IncrementalDecoder, encoding: str, name: str) -> Iterator[str]:
    """Decode a file block by block, without its byte order mark. All text before an undecodable byte is given."""
    read = getattr(file, "read1", file.read)  # read1 returns what has arrived, without waiting for a full block
    offset = 0
    at_start = True
    data = None
    while data != b"":
        data = read(BYTES_PER_BLOCK)
        state = decoder.getstate()
        pending = state[0]  # bytes of a character whose end has not come yet
        problem = None
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            valid = error.start - len(pending)  # bytes of the data before the undecodable one; negative: in `pending`
            problem = TextError(
                f"{name} is not {encoding.upper()} text"
                f" (byte 0x{error.object[error.start]:02x} at offset {offset + valid}):"
                ' name its encoding, such as encoding="latin-1"'
            )
            decoder.setstate(state)
            text = decoder.decode(data[: max(0, valid)])
        except UnicodeError as error:  # such as UTF-16 that does not begin with a byte order mark
            raise TextError(f"{name} is not {encoding.upper()} text ({error}): name another encoding") from None
        if at_start and text:
            text = text.removeprefix("\ufeff")
            at_start = False
        yield text
        if problem:
            raise problem
        offset += len(data)


def _split_lines(texts: Iterable[str]) -> Iterator[list[str]]:
    """Split a text that comes in pieces into lines: of each piece, the lines that end in it.

    Only a line feed ends a line, with a carriage return before it or not: `str.splitlines` would also split at form
    feeds and the like.
    """
    unfinished: list[str] = []  # the pieces of a line whose end has not come yet
    for text in texts:
        end, *others = text.split("\n")
        unfinished.append(end)
        if others:
            lines = ["".join(unfinished), *others]
            unfinished = [lines.pop()]
            yield [line.removesuffix("\r") for line in lines]
    if last := "".join(unfinished):
        yield [last.removesuffix("\r")]


def _open(source: str | Path) -> AbstractContextManager[BinaryIO]:
    if source == STDIN:
        if sys.stdin is None:
            raise TextError("standard input is closed: name a file, or pipe a text in")
        return nullcontext(sys.stdin.buffer)
    opener = OPENERS.get(Path(source).suffix.lower(), open)
    file: BinaryIO = opener(source, "rb")
    return file


def _files(source: str | Path, encoding: str) -> Iterator[str | Path]:
    """Yield the source itself, or every text file below a folder in sorted order, without hidden ones."""
    if source == STDIN or not Path(source).is_dir():
        yield source
        return
    below = sorted(path for path in Path(source).rglob("*") if path.is_file())
    shown = [path for path in below if not any(part.startswith(".") for part in path.relative_to(source).parts)]
    texts = [path for path in shown if encoding.lower().startswith(("utf-16", "utf-32")) or not _is_binary(path)]
    if not texts:
        raise TextError(f"the folder {source} holds no text file: name one that does")
    yield from texts


def _is_binary(path: Path) -> bool:
    """Whether a file holds a zero byte near its beginning, as programs and pictures do."""
    try:
        with _open(path) as file:
            return b"\0" in file.read(8192)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return False  # reading it will say what is wrong


def is_hard_wrapped(lines: list[str]) -> bool:
    """Whether lines are prose wrapped at a width: paragraphs between blank lines, each line as full as possible.

    A line is full if the first word of the next line would not have fitted.
    """
    lines = [line.rstrip() for line in lines]
    breaks = [(line, after) for line, after in itertools.pairwise(lines) if line and after]
    if len(breaks) < 3 or "\n\n" not in "\n".join(lines).strip():
        return False
    lengths = sorted(len(line) for line, _ in breaks)
    width = lengths[int(0.98 * (len(lengths) - 1))]
    full = sum(len(line) + 1 + len(after.split(maxsplit=1)[0]) > width for line, after in breaks)
    return 40 <= width <= 200 and full >= 0.75 * len(breaks)


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    for blank, group in itertools.groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            yield " ".join(line.strip() for line in group)
