"""Finds out in which encodings bytes read like text, where they are not in the encoding that was asked for."""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

SAMPLE_BYTES = 2**16
MIN_WIDE_CHARACTERS = 4  # by which UTF-16 and UTF-32 without a mark are told from anything else
MIN_ZEROS = 0.1  # of the bytes of a text in UTF-16 that is valid in UTF-8, too
MAX_STRANGE = 0.02  # of the characters of a text: control characters, and what Unicode has no character for
MIN_SHAPED = 0.9  # of the words with a letter that is not in ASCII look like words in the right encoding
MIN_SCRIPT = 0.9  # of the letters of a text belong to its script
MIN_LETTERS = 10  # outside of ASCII, by which a script other than Latin is told
MIN_FREQUENT = 0.45  # of the letters of a text are among the ten most frequent ones of its script
MIN_KANA = 0.2  # of the letters of Japanese
MIN_COMMON = 0.85  # of the characters of Chinese are among the most common ones, which come first in its encodings
MIN_EBCDIC_SPACES = 0.08  # of the bytes: 0x40, which is @ in ASCII
COMMON_WIDE = frozenset(" \n。、，")  # of which a text in UTF-16 or UTF-32 holds some
LAST_LATIN = "\u024f"
# Of each script, its encodings, the more usual ones first. Those of Western languages are tried last: nearly any bytes
# are letters in them.
SINGLE_BYTE = (  # with the ten most frequent letters
    ("CYRILLIC", ("cp1251", "koi8-r", "cp866", "iso8859-5"), "оеаинтсрвл"),
    ("GREEK", ("cp1253", "iso8859-7"), "αοιετνσςηυ"),
    ("HEBREW", ("cp1255", "iso8859-8"), "יוהלאתרמבש"),
    ("ARABIC", ("cp1256", "iso8859-6"), "اليمنوتربة"),
    ("THAI", ("cp874",), "านรอกเงมยล"),
)
WESTERN = ("latin-1", "cp1252")
LATIN = (*WESTERN, "cp1250", "iso8859-2", "cp1254")
OLD = ("cp850", "mac_roman")  # of DOS and the first Macintosh; tried where those of the West do not fit
DOUBLE_BYTE = (  # with the least and the greatest first byte of common characters
    ("JAPANESE", "shift_jis", range(256)),
    ("JAPANESE", "euc_jp", range(256)),
    ("HANGUL", "euc_kr", range(256)),
    ("CJK", "gb18030", range(0xB0, 0xD8)),
    ("CJK", "big5", range(0xA4, 0xC7)),
)
CONTINUATION = bytes(range(0x80, 0xC0))  # all but the first byte of a character in UTF-8
SHIFTED = (b"\x1b$B", b"\x1b$@")  # by which ISO-2022-JP begins to write Japanese
LETTERS = re.compile(r"[^\W\d_]+")
MARKS = re.compile(r"[\x21-\x7e“”„‘’‚«»‹›–—…¡¿§°€£·©®™№ªº½\xa0]*")


def advice(data: bytes, encoding: str) -> str:
    """Say what to do about `data` that cannot be decoded, in the terms of Python.

    Only encodings are named in which the data reads like text.
    """
    if is_damaged(data, encoding):
        return "it is damaged there, or cut off: mend it, or leave that part out"
    if found := likely_encodings(data):
        return f"name its encoding, such as {_or(found)}"
    return 'name its encoding with encoding="NAME": the program that wrote it should tell'


def is_damaged(data: bytes, encoding: str) -> bool:
    """Whether most of what is not ASCII can be decoded, so that the encoding is right, and a place in it is wrong."""
    codec = codecs.lookup(encoding).name
    if codec != "utf-8" and not is_wide(encoding):
        return False  # nearly any bytes are characters there
    try:
        data.decode(encoding, "surrogatepass")  # with halves of surrogate pairs, as some programs write them
    except UnicodeError:
        text = data.decode(encoding, "replace")
        wrong = text.count("\ufffd")
        right = sum(not character.isascii() for character in text) - wrong
        return right > wrong or (is_wide(encoding) and not is_utf8(data) and _strange(text) <= MAX_STRANGE)
    return True


def is_wide(encoding: str) -> bool:
    """Whether an encoding writes each character in two or four bytes: UTF-16 or UTF-32."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def likely_encodings(data: bytes) -> list[str]:
    """Return the encodings in which bytes that are not UTF-8 read like text, without those that read the same."""
    data = data[:SAMPLE_BYTES]
    if is_utf8(data):
        return ["utf-8"]
    if wide := wide_encoding(data):
        return [wide]
    if is_ebcdic(data):
        return ["cp500"]
    for script, encoding, leads in DOUBLE_BYTE:
        if _reads_like(script, encoding, leads, data):
            return [encoding]
    found = {
        _frequent(text, script, letters): encoding
        for script, encodings, letters in SINGLE_BYTE
        for encoding in reversed(encodings)
        if _is_shaped(text := _decoded(data, encoding), script)
    }
    if max(found, default=0) >= MIN_FREQUENT:
        return [found[max(found)]]
    tried = [*LATIN, *OLD]
    readings = {text: name for name in reversed(tried) if _is_shaped(text := _decoded(data, name), "LATIN")}
    latin = sorted(readings.values(), key=tried.index)
    return [name for name in latin if name not in OLD] if not set(WESTERN).isdisjoint(latin) else latin


def wide_encoding(data: bytes) -> str:
    """Return the encoding of UTF-16 or UTF-32 without a mark that data is in; empty if there is none."""
    if data.count(0) < MIN_ZEROS * len(data) and _decoded(data, "utf-8"):
        return ""  # UTF-8 with some zero bytes
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        width = 4 if "32" in encoding else 2
        whole = data[: min(len(data), SAMPLE_BYTES) // width * width]
        text = _decoded(whole, encoding)
        is_usual = not COMMON_WIDE.isdisjoint(text) or max(text, default="") < LAST_LATIN
        if len(text) >= MIN_WIDE_CHARACTERS and is_usual and _strange(text) <= MAX_STRANGE:
            return encoding
    return ""


def is_utf8(data: bytes) -> bool:
    """Whether data, which may begin or end in the middle of a character, is UTF-8 with more than ASCII."""
    return not data.isascii() and bool(_decoded(data.lstrip(CONTINUATION), "utf-8"))


def is_shifted(data: bytes) -> bool:
    """Whether ASCII is in fact Japanese, written in ISO-2022-JP."""
    return any(sign in data for sign in SHIFTED) and bool(_decoded(data, "iso2022_jp"))


def is_ebcdic(data: bytes) -> bool:
    """Whether bytes are text of a mainframe: it has many spaces, which are @ in ASCII, and none of those of ASCII."""
    return data.count(0x40) >= MIN_EBCDIC_SPACES * len(data) and data.count(0x20) * 100 < data.count(0x40)


def _decoded(data: bytes, encoding: str) -> str:
    """Decode data, which may end in the middle of a character; empty where it cannot be decoded."""
    try:
        return codecs.lookup(encoding).incrementaldecoder().decode(data)
    except UnicodeError:
        return ""


def _strange(text: str) -> float:
    """The fraction of characters that no text holds, or that hardly one does: what is not assigned, or private."""
    return sum(_kind(character) == "C" for character in text) / len(text)


@lru_cache(2**16)
def _kind(character: str) -> str:
    """L, M, N, P, S, Z or C, for letters, marks, numbers, punctuation, symbols, separators and anything else."""
    return "Z" if character in "\t\n\r\x0c" else unicodedata.category(character)[0]


@lru_cache(2**16)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _reads_like(script: str, encoding: str, leads: range, data: bytes) -> bool:
    """Whether data reads like a text of East Asia."""
    text = _decoded(data, encoding)
    letters = [letter for letter in text if not letter.isascii() and _kind(letter) == "L"]
    if len(letters) < MIN_LETTERS or _strange(text) > MAX_STRANGE:
        return False
    scripts = [_script(letter) for letter in letters]
    if script == "JAPANESE":
        kana = scripts.count("HIRAGANA") + scripts.count("KATAKANA")
        return kana >= MIN_KANA * len(letters) and kana + scripts.count("CJK") >= MIN_SCRIPT * len(letters)
    common = sum(letter.encode(encoding)[0] in leads for letter in letters)
    return scripts.count(script) >= MIN_SCRIPT * len(letters) and common >= MIN_COMMON * len(letters)


def _frequent(text: str, script: str, letters: str) -> float:
    """The fraction of the letters of a script that are among its most frequent ones; 0 if there are few letters."""
    found = [letter for letter in text.lower() if _script(letter) == script and _kind(letter) == "L"]
    return sum(letter in letters for letter in found) / len(found) if len(found) >= MIN_LETTERS else 0.0


def _is_shaped(text: str, script: str) -> bool:
    """Whether the words with letters that are not in ASCII are written in one script, with capitals in their places."""
    pieces = [piece for piece in text.split() if not piece.isascii()]
    return sum(_is_word(piece, script) for piece in pieces) >= MIN_SHAPED * len(pieces) > 0


def _is_word(piece: str, script: str) -> bool:
    """Whether a piece between spaces is made of words of a script, with marks around them."""
    piece = "".join(character for character in piece if _kind(character) != "M")
    if not MARKS.fullmatch(LETTERS.sub("", piece)):
        return False
    for letters in LETTERS.findall(piece):
        if letters[1:] != letters[1:].lower() and letters != letters.upper():
            return False
        if not {_script(letter) for letter in letters} <= {script}:
            return False
    return True


def _or(encodings: list[str]) -> str:
    """Several encodings as a choice, in the terms of Python."""
    *first, last = (f'encoding="{name}"' for name in encodings)
    return f"{', '.join(first)} or {last}" if first else last
