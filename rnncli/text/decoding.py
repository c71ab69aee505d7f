"""Makes text of bytes: finds the encoding of a file, refuses what is no text, and splits into lines."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator

from ..errors import SettingError, TextError

BYTES_PER_BLOCK = 2**16
MARKS = {  # the byte order marks of encodings, the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LONGEST_MARK = 4
SAVE = "save it as plain text first"
UNPACK = "unpack it first"
SIGNATURES = {  # the first bytes of files that are no plain text, what they are, and what to do
    b"%PDF-": ("a PDF document", SAVE),
    b"{\\rtf": ("an RTF document", SAVE),
    b"PK\x03\x04": ("a zip archive, as .docx, .odt and .epub files are", SAVE),
    b"\xd0\xcf\x11\xe0": ("an old Office document", SAVE),
    b"\x1f\x8b": ("compressed by gzip", UNPACK),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", UNPACK),
    b"\xfd7zXZ": ("compressed by xz", UNPACK),
}
CONTROLS = bytes([*range(1, 7), *range(14, 27), *range(28, 32)])  # that no text holds
MAX_CONTROLS = 0.05  # of the bytes of a text whose encoding is not known


class NotTextError(TextError):
    """A file is no text in any encoding: a picture, a program, a document of a word processor."""


def checked_decoder(encoding: str, errors: str = "strict") -> codecs.IncrementalDecoder:
    """Return the decoder of an encoding. Raises `SettingError` for what is not an encoding of text."""
    try:
        "".encode(encoding)  # refuses what is not an encoding of text, such as base64
        decoder = codecs.lookup(encoding).incrementaldecoder(errors)
        decoder.decode(b"", True)  # refuses `errors` that the encoding cannot handle, as idna does
    except (LookupError, UnicodeError):
        raise SettingError(f"no text encoding is called {encoding!r}: try utf-8, latin-1 or cp1252") from None
    return decoder


def decode(read: Callable[[int], bytes], encoding: str, errors: str, name: str) -> Iterator[str]:
    """Decode a file that is `read` block by block, without its byte order mark.

    A file that begins with the mark of UTF-16 or UTF-32 is read as such where `encoding` is UTF-8. All text before an
    undecodable byte is given. If `errors` are strict, a zero byte is an error wherever it is. Raises `TextError`, which
    calls the file by its `name`.
    """
    decoder = checked_decoder(encoding, errors)
    first = read(BYTES_PER_BLOCK)
    if is_utf8(encoding):
        while first and len(first) < LONGEST_MARK and any(mark.startswith(first) for mark in MARKS):
            more = read(BYTES_PER_BLOCK)  # the mark has not come as a whole
            first += more
            if not more:
                break
        encoding = next((found for mark, found in MARKS.items() if first.startswith(mark)), encoding)
        decoder = checked_decoder(encoding, errors)
    is_wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    if not is_wide:
        _check_is_text(first, encoding, name)
    may_hold_zeros = is_wide or errors != "strict"
    offset = 0
    at_start = True
    data = first
    while True:
        if b"\0" in data and not may_hold_zeros:
            raise NotTextError(f"{name} is not a text: it holds a zero byte at offset {offset + data.index(0)}")
        text, problem = _decode_block(decoder, data, offset, encoding, name)
        if at_start and text:
            text = text.removeprefix("\ufeff")
            at_start = False
        yield text
        if problem:
            raise problem
        if not data:
            return
        offset += len(data)
        data = read(BYTES_PER_BLOCK)


def _decode_block(
    decoder: codecs.IncrementalDecoder, data: bytes, offset: int, encoding: str, name: str
) -> tuple[str, TextError | None]:
    """Return the text of a block up to an undecodable byte, and what is wrong with that one."""
    state = decoder.getstate()
    pending = state[0]  # bytes of a character whose end has not come yet
    try:
        return decoder.decode(data, final=not data), None
    except UnicodeDecodeError as error:
        from .encodings import advice, is_wide  # not at the top: most texts are UTF-8

        if _is_binary(error.object) and not is_wide(encoding):
            return "", NotTextError(f"{name} is not a text: {SAVE}")
        valid = error.start - len(pending)  # bytes of the data before the undecodable one; negative: in `pending`
        fault = f"(byte 0x{error.object[error.start]:02x} at offset {offset + valid})"
        problem = TextError(f"{name} is not {encoding.upper()} text {fault}: {advice(error.object, encoding)}")
        decoder.setstate(state)
        return _decode_valid(decoder, data[: max(0, valid)]), problem
    except UnicodeError as error:  # such as UTF-16 that does not begin with a byte order mark
        raise TextError(f"{name} is not {encoding.upper()} text ({error}): name another encoding") from None


def _decode_valid(decoder: codecs.IncrementalDecoder, data: bytes) -> str:
    """Decode what comes before an undecodable byte; nothing in UTF-16 that does not begin with a byte order mark."""
    try:
        return decoder.decode(data)
    except UnicodeError:
        return ""


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, however it is written."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _check_is_text(data: bytes, encoding: str, name: str) -> None:
    """Raise `TextError` if a file that begins with `data` is no text, or one in UTF-16 or UTF-32 without a mark."""
    for signature, (kind, remedy) in SIGNATURES.items():
        if data.startswith(signature):
            if name.endswith(".npz"):
                raise NotTextError(f'{name} is a model, not a text: to go on from it, name it with init="{name}"')
            raise NotTextError(f"{name} is {kind}, not a text: {remedy}")
    if b"\0" not in data and b"\x1b$" not in data:
        return
    from .encodings import is_shifted, wide_encoding  # not at the top: most texts are UTF-8

    probable = wide_encoding(data) if b"\0" in data else "iso2022_jp" * (is_utf8(encoding) and is_shifted(data))
    if probable:
        raise TextError(
            f'{name} is not {encoding.upper()} text, but probably {probable.upper()}: try encoding="{probable}"'
        )


def _is_binary(data: bytes) -> bool:
    """Whether bytes that cannot be decoded hold so many control characters that they are no text at all."""
    return len(data.translate(None, CONTROLS)) < (1 - MAX_CONTROLS) * len(data)


def split_lines(texts: Iterable[str]) -> Iterator[list[str]]:
    """Split a text that comes in pieces into lines: of each piece, the lines that end in it.

    A line feed, a carriage return, or both in this order end a line, also where they come in two pieces.
    `str.splitlines` would also split at form feeds and the like.
    """
    unfinished: list[str] = []  # the pieces of a line whose end has not come yet
    after_return = False  # whether the last piece ended in a carriage return
    for text in texts:
        if after_return and text:
            text = text.removeprefix("\n")
            after_return = False
        if "\r" in text:
            after_return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        end, *others = text.split("\n")
        unfinished.append(end)
        if others:
            lines = ["".join(unfinished), *others]
            unfinished = [lines.pop()]
            yield lines
    if last := "".join(unfinished):
        yield [last]


def is_undecoded(line: str) -> bool:
    """Whether a line holds undecodable bytes, which Python represents as surrogates."""
    return not line.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in line)
