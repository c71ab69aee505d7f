"""From files, folders and standard input to lines, and from lines to units of text."""

import bz2
import codecs
import gzip
import itertools
import lzma
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from ..errors import SettingError, TextError

STDIN = "-"
UNITS = ("auto", "line", "paragraph")
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SAMPLE = 2000  # lines that decide whether a text is hard-wrapped


def read_units(
    sources: str | Path | Iterable[str | Path], unit: str = "auto", encoding: str = "utf-8", keep_blank: bool = False
) -> tuple[str, Iterator[str]]:
    """What a unit is, and the units of all `sources` in order: files, folders (their text files), "-" for stdin.

    `unit` is "line", "paragraph", or "auto": paragraphs if the first file is hard-wrapped prose, else lines. Blank
    lines are left out unless `keep_blank`, which corpora prepared line by line want; "auto" is "line" then.
    Raises `TextError` for what cannot be read, naming it.
    """
    if unit not in UNITS:
        raise SettingError(f"no unit is called {unit!r}: choose from {', '.join(UNITS)}")
    files = (read_lines(path, encoding) for source in listed(sources) for path in _files(source, encoding))
    if unit == "auto" and keep_blank:
        unit = "line"
    elif unit == "auto":
        first = next(files, iter(()))
        sample = list(itertools.islice(first, SAMPLE))
        files = itertools.chain([itertools.chain(sample, first)], files)
        unit = "paragraph" if is_hard_wrapped(sample) else "line"
    cut = _paragraphs if unit == "paragraph" else lambda lines: (line for line in lines if keep_blank or line.strip())
    return unit, itertools.chain.from_iterable(map(cut, files))


def source_name(source: str | Path) -> str:
    """What to call a source in a message."""
    return "standard input" if source == STDIN else str(source)


def listed(sources: str | Path | Iterable[str | Path]) -> list[str | Path]:
    """The sources as a list, also where there is a single one; at least one."""
    found = [sources] if isinstance(sources, str | Path) else list(sources)
    if not found:
        raise TextError("there is no text: name a file, a folder, or - for standard input")
    return found


def read_lines(source: str | Path, encoding: str = "utf-8") -> Iterator[str]:
    """The lines of one file, or of standard input ("-"), without their ends. A byte order mark is left out."""
    return itertools.chain.from_iterable(read_batches(source, encoding))


def read_batches(source: str | Path, encoding: str = "utf-8", errors: str = "strict") -> Iterator[list[str]]:
    """The lines of `read_lines`, as many at a time as have arrived: some hundred of a file, of a dialogue each one.

    With "surrogateescape" as `errors` a byte that is not valid ends nothing: see `is_undecoded`.
    """
    try:
        "".encode(encoding)  # says no to what is not an encoding of text, such as base64
        decoder = codecs.lookup(encoding).incrementaldecoder(errors)
        decoder.decode(b"", True)  # says no to `errors` that it cannot take, as idna does
    except (LookupError, UnicodeError):
        raise SettingError(f"no text encoding is called {encoding!r}: try utf-8, latin-1 or cp1252") from None
    try:
        with _open(source) as file:
            yield from _decoded_lines(file, decoder, encoding, source_name(source))
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"damaged ({error})"
        raise TextError(f"cannot read {source_name(source)}: {reason}") from error


def is_undecoded(line: str) -> bool:
    """Whether a line holds bytes that were not valid, and stand there as surrogates, as Python has them."""
    return not line.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in line)


def _decoded_lines(file: BinaryIO, decoder: codecs.IncrementalDecoder, encoding: str, name: str) -> Iterator[list[str]]:
    offset, first = 0, True
    rest: list[str] = []  # the pieces of a line whose end has not come yet
    read = getattr(file, "read1", file.read)  # what has arrived, without waiting for a full block
    while True:
        data = read(2**16)
        state, problem = decoder.getstate(), None
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            sound = error.start - len(state[0])  # bytes of the data, before the one that is not
            decoder.setstate(state)
            text = decoder.decode(data[: max(0, sound)])
            byte, where = error.object[error.start], offset + sound
            problem = TextError(
                f"{name} is not {encoding.upper()} text (byte 0x{byte:02x} at offset {where}):"
                " name its encoding with --encoding, such as --encoding latin-1"
            )
        except UnicodeError as error:  # such as UTF-16 that does not begin with a byte order mark
            raise TextError(f"{name} is not {encoding.upper()} text ({error}): name another encoding") from None
        offset += len(data)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        # Only \n ends a line, with a \r before it or not: str.splitlines would also cut at form feeds and the like.
        end, *others = text.split("\n")
        rest.append(end)
        if others:
            *lines, last = "".join(rest), *others
            rest = [last]
            yield [line.removesuffix("\r") for line in lines]
        if problem:
            raise problem
        if not data:
            if last := "".join(rest):
                yield [last.removesuffix("\r")]
            return


def _open(source: str | Path) -> AbstractContextManager[BinaryIO]:
    if source == STDIN:
        if sys.stdin is None:
            raise TextError("standard input is closed: name a file, or pipe a text in")
        return nullcontext(sys.stdin.buffer)
    return OPENERS.get(Path(source).suffix.lower(), open)(source, "rb")


def _files(source: str | Path, encoding: str) -> Iterator[str | Path]:
    """The source itself; of a folder, every text file below it in sorted order, hidden ones left out."""
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
    """Whether a file begins like a program or a picture, not like a text: with a byte of zero."""
    try:
        with _open(path) as file:
            return b"\0" in file.read(8192)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return False  # reading it will say what is wrong


def is_hard_wrapped(lines: list[str]) -> bool:
    """Whether lines are prose broken to a width: paragraphs between blank lines, each line as full as it could be.

    A line was broken by a program or a careful typist where the next line's first word would not have fitted.
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
