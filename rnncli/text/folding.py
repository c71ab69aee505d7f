"""Makes texts alike that look alike: without invisible characters, and with one character for all its lookalikes."""

import itertools
import re
import unicodedata
from functools import cache, lru_cache

from .characters import PICTOGRAPHS, UNSPACED, ranges

JOINERS = "\u180e\u200c\u200d"  # invisible, but a part of words in some scripts (see `cleaned`)
# Characters that nobody sees: control characters, soft hyphens, zero-width spaces and joiners, marks of direction, byte
# order marks, variation selectors, tags, the controls of rare notations, and what Unicode keeps for programs.
_CONTROLS = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
INVISIBLE = (
    f"{_CONTROLS}\xad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ufdd0-\ufdef\ufffe\uffff"
)
_ZERO_WIDTH_SPACE = "\u200b"
BLANK = "\u2800\u3164\ufffc"  # as good as a space: an empty Braille cell, an empty Hangul letter, a picture's place
_KEYCAP = "\u20e3"  # a frame around a digit, # or *; a digit keeps it
# Letters and marks that join their neighbours: Arabic and its relatives, the scripts of India, Tibetan, Mongolian.
_JOINING_SCRIPTS = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1800-\u18af\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc"
_MONGOLIAN = "\u1820-\u18aa"
LONG_TEXT = 1000  # characters; a shorter text is composed in no time, whatever it holds
MAX_MARKS = 30  # that follow each other in any writing: the bound of Unicode's Stream-Safe format

# The one character, or the letters, for each lookalike. Guillemets and CJK punctuation are marks of their own.
FOLDS: dict[int, str] = {
    **dict.fromkeys(map(ord, "‘’‚‛´ʼ＇"), "'"),
    **dict.fromkeys(map(ord, "“”„‟＂"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011"), "-"),  # hyphens; the one of ASCII stands for a minus and a dash too
    **{code: chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))},
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)},  # ligatures: ﬁ, ﬂ
}
# What Windows-1252 has in the place of control characters, which a text holds that was read as Latin-1.
_WINDOWS = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def cleaned(text: str) -> str:
    """Drop the invisible characters of a text.

    Those that belong to a word or sign stay: joiners between letters of scripts that need them, and those of emoji.
    A zero-width space between two words becomes a space, but not in a script without spaces. What stands for nothing
    but an empty place becomes a space too. Of what was written for a terminal, only the text stays, and of # and * in
    a keycap only the mark.
    """
    if (text.isascii() and text.isprintable()) or not _suspect().search(text):
        return text
    if _controls().search(text):
        text = _controls().sub(lambda match: _WINDOWS.get(match[0], ""), text)
    return text if text.isascii() else _invisible().sub(_replacement, text)


def folded(text: str) -> str:
    """Replace every lookalike by its one form (`FOLDS`), character by character."""
    return text if text.isascii() else _foldable().sub(lambda match: FOLDS[ord(match[0])], text)


def folded_alike(text: str) -> str:
    """Replace every lookalike of a single character by that one: places in the text stay the same."""
    return text if text.isascii() else "".join(one if len(one := folded(letter)) == 1 else letter for letter in text)


def lowered(text: str) -> str:
    """Write a text in lower case: one letter for each, also for the dotted İ, which is i."""
    return text.lower() if text.isascii() else text.replace("İ", "i").lower()


def composed(text: str) -> str:
    """Normalise a text to NFC: a letter and its accent become one character where there is one.

    The time grows with the length of the text, also where thousands of combining marks follow each other. Python sorts
    those in quadratic time, so they are sorted before.
    """
    return unicodedata.normalize("NFC", text if len(text) < LONG_TEXT else _with_sorted_marks(text))


def decomposed(text: str) -> str:
    """Normalise a text to NFD: each accent becomes a character of its own. See `composed` for the time it takes."""
    return unicodedata.normalize("NFD", text if len(text) < LONG_TEXT else _with_sorted_marks(text))


def _with_sorted_marks(text: str) -> str:
    """Write combining marks that no writing has so many of in Unicode's canonical order, which means the same."""
    if text.isascii():
        return text
    return _marks_without_end().sub(lambda match: _sorted_marks(match[0]), text)


def _sorted_marks(marks: str) -> str:
    """Write marks, and what else is no letter, in canonical order: those between two of class 0 are sorted by class."""
    single = itertools.chain.from_iterable(map(_decomposed_mark, marks))
    groups = itertools.groupby(single, key=lambda mark: unicodedata.combining(mark) == 0)
    return "".join("".join(group if starts else sorted(group, key=unicodedata.combining)) for starts, group in groups)


@lru_cache(2**12)
def _decomposed_mark(mark: str) -> str:
    return unicodedata.normalize("NFD", mark)


@cache
def _marks_without_end() -> re.Pattern[str]:
    """A pattern of more marks than any writing has. It takes other characters that are no letters for marks, too."""
    return re.compile(rf"[^\x00-\u02ff\w\s]{{{MAX_MARKS + 1},}}")


@cache
def _foldable() -> re.Pattern[str]:
    """A pattern of all lookalikes: with it, folding takes a tenth of the time of `str.translate`."""
    return re.compile(f"[{''.join(map(chr, FOLDS))}]")


@cache
def _suspect() -> re.Pattern[str]:
    """A pattern of all characters that may have to go."""
    return re.compile(f"[{INVISIBLE}{BLANK}{_KEYCAP}]")


@cache
def _controls() -> re.Pattern[str]:
    """A pattern of control characters, with what they control: colours, titles, and letters that are struck over."""
    return re.compile(rf"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\n]\x08|[{_CONTROLS}]")


@cache
def _invisible() -> re.Pattern[str]:
    """A pattern of what goes, and of what stays although it holds invisible characters (group 1)."""
    letter = f"[{_of_categories('L')}]"
    mark = f"[{_of_categories('M')}]"
    picture = f"[{PICTOGRAPHS}][\ufe0e\ufe0f]?"
    stays = [
        # Some words end in a zero-width joiner; a non-joiner has an effect between two letters only.
        f"{letter}{mark}*(?:\u200d|\u200c(?=[{INVISIBLE}]*(?:{letter}|(?![{INVISIBLE}]){mark})))",
        f"[{_MONGOLIAN}][\u180b-\u180d\u180f]?(?:\u180e(?=[{_MONGOLIAN}]))?",
        "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f",  # the flag of a part of a country
        f"{picture}(?:\u200d{picture})*",
        "[0-9]\ufe0f(?=\u20e3)",  # a keycap
    ]
    frame = f"(?<=[#*])[{INVISIBLE}]*{_KEYCAP}[{INVISIBLE}{_KEYCAP}]*"
    return re.compile(f"({'|'.join(stays)})|[{BLANK}]|{frame}|[{INVISIBLE}]+")


def _of_categories(category: str) -> str:
    """The letters (L) or the marks (M) of the joining scripts."""
    codes = (code for span in ranges(_JOINING_SCRIPTS) for code in range(ord(span[0]), ord(span[2]) + 1))
    return "".join(character for character in map(chr, codes) if unicodedata.category(character)[0] == category)


def _replacement(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    if match[0] in BLANK:
        return " "
    text = match.string
    is_between = _ZERO_WIDTH_SPACE in match[0] and match.start() > 0 and match.end() < len(text)
    return " " if is_between and _parts_words(text[match.start() - 1], text[match.end()]) else ""


def _parts_words(before: str, after: str) -> bool:
    """Whether a zero-width space between two characters parts words of a script that writes spaces."""
    is_word = (before.isalnum() or unicodedata.category(before)[0] == "M") and after.isalnum()
    return is_word and not (_is_unspaced(before) or _is_unspaced(after))


@cache
def _is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no space between words."""
    return any(span[0] <= character <= span[2] for span in ranges(UNSPACED))
