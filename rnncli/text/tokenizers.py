"""Cuts a line into tokens, and writes tokens as people write text."""

import itertools
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from ..errors import SettingError
from .characters import PICTOGRAPHS, UNSPACED, UNSPACED_PUNCTUATION, ranges
from .folding import JOINERS, cleaned, folded, lowered

CHARACTERS_PER_PAGE = 1024  # of Unicode, whose combining marks go into the pattern together
MARK_PAGES = frozenset([*range(0x20000 // CHARACTERS_PER_PAGE), 0xE0000 // CHARACTERS_PER_PAGE])  # with all marks
MAX_SEPARATE_PAGES = 4  # texts with marks of more pages get those of all pages at once


@dataclass(frozen=True)
class Tokenizer:
    """How a text is cut into tokens. Stored in every model, so that prompts are cut as the corpus was.

    word        words of any script with inner apostrophes and hyphens, numbers, initialisms (U.S.), web addresses,
                emoji; every other character by itself, also in scripts written without spaces
    whitespace  whatever white space separates, for corpora that were tokenized before
    char        single characters
    """

    kind: str = "word"
    lowercase: bool = False
    fold: bool = False  # whether lookalikes are one character: see `rnncli.text.folding`

    def __post_init__(self) -> None:
        if self.kind not in TOKENIZERS:
            raise SettingError(f"no tokenizer is called {self.kind!r}: choose from {', '.join(TOKENIZERS)}")

    @property
    def is_char(self) -> bool:
        """Whether tokens are single characters, spaces included."""
        return TOKENIZERS[self.kind].is_char

    @property
    def is_pretokenized(self) -> bool:
        """Whether the corpus was tokenized before, line by line."""
        return TOKENIZERS[self.kind].is_pretokenized

    def tokenize(self, text: str) -> list[str]:
        """Cut one unit of text (a line or a paragraph) into tokens."""
        return TOKENIZERS[self.kind].cut(self.read(text))

    def read(self, text: str) -> str:
        """Return a text as it is cut: without invisible characters, folded, in lower case if the tokenizer says so.

        A corpus that was tokenized before keeps its characters.
        """
        if not self.is_pretokenized:
            text = cleaned(text)
        if self.fold:
            text = folded(text)
        if self.lowercase:
            text = lowered(text) if self.fold else text.lower()
        return text

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write the tokens of one unit as a person would."""
        spacer = self.spacer()
        return "".join(spacer.next(token) for token in tokens)

    def spacer(self) -> "Spacer":
        """Return a writer of tokens as text, one at a time."""
        return _NoSpace() if self.is_char else Spacer(prepared=self.is_pretokenized)


@cache
def _word_pattern(unspaced: str, pictographs: str, marks: str, joiners: str) -> re.Pattern[str]:
    """Compile the pattern of a word token, with the given ranges of characters in its classes."""
    letter = f"[^\\W_{unspaced}]"  # letters and digits
    run = f"{letter}+(?:[{marks}{joiners}]+{letter}*)*" if marks or joiners else f"{letter}+"
    initial = f"[^\\W\\d_{unspaced}]"
    joint = "['’_‐‑·״׳-]"  # apostrophes, hyphens, and what joins parts of a word in other scripts
    alternatives = [
        "<unk>",
        r"https?://[^\s<>\"]*[\w/]",
        r"(?<![\w.+-])[\w.+-]+@\w+(?:[.-]\w+)*\.\w+",  # an e-mail address
        r"(?<!\S)[:;=]['-]?[()DPp](?!\w)",  # :-)
        r"\b[A-Z](?:\+\+|#)(?!\w)",  # C++
        f"(?:{initial}\\.){{2,}}",  # U.S., e.g.
        # it's, well-known, 3,000.50, 10:30, file.txt; the dogs' bones
        f"{run}(?:(?:{joint}|(?<=\\d)[.,:](?=\\d)|\\.(?=[a-z0-9])){run})*(?:(?<=s)'(?!\\w))?",
    ]
    if pictographs:
        modifier = f"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f{marks}]"
        alternatives += [
            "[\U0001f1e6-\U0001f1ff]{2}",  # a flag
            f"[{pictographs}]{modifier}*(?:\u200d[{pictographs}]{modifier}*)*",
        ]
    if unspaced:
        alternatives.append(f"[{unspaced}][{marks}]*" if marks else f"[{unspaced}]")
    alternatives += [r"\.{2,}", "-{2,}", r"[^\s]"]
    return re.compile("|".join(alternatives))


class WordCutter:
    """Cuts text into words, with a pattern that grows with the characters of the texts.

    The full pattern holds large character classes and takes a tenth of a second to compile. A class needs only the
    characters that occur, so the tokens are the same. Text without marks, unspaced scripts and pictographs is cut
    with the pattern for ASCII.
    """

    def __init__(self) -> None:
        self._ranges: set[str] = set()  # of unspaced scripts and pictographs that are in the pattern
        self._mark_pages: set[int] = set()
        self._joiners = ""
        self._pattern = re.compile("")
        self._known: set[str] = set()  # the characters that the pattern allows for
        self._lock = threading.Lock()

    def cut(self, text: str) -> list[str]:
        """Cut a text into tokens."""
        if text.isascii():
            return self._ascii_pattern.findall(text)
        text = unicodedata.normalize("NFC", text)
        if not self._known.issuperset(text):
            with self._lock:
                self._grow(set(text) - self._known)
        return self._pattern.findall(text)

    @cached_property
    def _ascii_pattern(self) -> re.Pattern[str]:
        return _word_pattern("", "", "", "")

    def _grow(self, new: set[str]) -> None:
        """Allow for `new` characters."""
        self._ranges |= {
            span for span in ranges(UNSPACED + PICTOGRAPHS) if any(span[0] <= character <= span[2] for character in new)
        }
        unspaced = "".join(span for span in ranges(UNSPACED) if span in self._ranges)
        pictographs = "".join(span for span in ranges(PICTOGRAPHS) if span in self._ranges)
        self._mark_pages |= {ord(character) // CHARACTERS_PER_PAGE for character in new if _is_mark(character)}
        if len(self._mark_pages) > MAX_SEPARATE_PAGES:
            self._mark_pages |= MARK_PAGES
        if not new.isdisjoint(JOINERS):
            self._joiners = JOINERS
        self._pattern = _word_pattern(unspaced, pictographs, _marks(frozenset(self._mark_pages)), self._joiners)
        self._known |= new  # last, for other threads: they read it without the lock


def _is_mark(character: str) -> bool:
    """Whether a character combines with the one before it (categories Mn, Mc and Me)."""
    return unicodedata.category(character)[0] == "M"


@cache
def _marks(pages: frozenset[int]) -> str:
    """All marks of some pages of Unicode, as ranges of a character class."""
    ranges = []
    for page in sorted(pages):
        characters = map(chr, range(page * CHARACTERS_PER_PAGE, (page + 1) * CHARACTERS_PER_PAGE))
        for is_mark, run in itertools.groupby(characters, key=_is_mark):
            if is_mark:
                first, *others = run
                ranges.append(f"{first}-{others[-1] if others else first}")
    return "".join(ranges)


@dataclass(frozen=True)
class Kind:
    """What one tokenizer does differently from the others."""

    cut: Callable[[str], list[str]]
    is_char: bool = False
    is_pretokenized: bool = False


TOKENIZERS = {
    "word": Kind(WordCutter().cut),
    "whitespace": Kind(str.split, is_pretokenized=True),
    "char": Kind(lambda text: list(unicodedata.normalize("NFC", text)), is_char=True),
}

_CLITICS = frozenset({"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"})  # as the Penn Treebank cuts them
_CLOSING = frozenset(".,;:!?)]}%…’”»›°。、，．：；！？）」』】》〉،؛؟।॥") | {"..."} | _CLITICS
_OPENING = frozenset("([{$£€¥#@“‘«‹¿¡（「『【《〈")
_JOINING = frozenset({"/", "—", "_", "\\", "@-@", "@,@", "@.@"})


def is_unspaced(token: str) -> bool:
    """Whether a token begins with a character of a script that puts no space between words."""
    return not token.isascii() and _is_unspaced(token[0])


@cache
def _is_unspaced(character: str) -> bool:
    return any(span[0] <= character <= span[2] for span in ranges(UNSPACED + UNSPACED_PUNCTUATION))


class Spacer:
    """Puts the spaces back between tokens, one token at a time. `prepared` tokens were cut before."""

    def __init__(self, prepared: bool = False) -> None:
        self.prepared = prepared
        self.before = ""  # the previous token; "" at the beginning of a unit
        self.glued = True  # whether the next token follows without a space
        self.open_quotes: set[str] = set()

    def next(self, token: str) -> str:
        """Return the token as it continues the text: with a space before it where one belongs."""
        glue_left, glue_right = self._glue(token)
        space = "" if self.glued or glue_left else " "
        self.before = token
        self.glued = glue_right
        # Corpora like WikiText write the hyphens and points inside words and numbers as @-@, @,@ and @.@.
        return space + (token[1] if token in ("@-@", "@,@", "@.@") else token)

    def _glue(self, token: str) -> tuple[bool, bool]:
        """Whether a token sticks to the previous one, and to the next one."""
        if token in self.open_quotes:
            self.open_quotes.discard(token)
            return True, False
        if token == "„":
            self.open_quotes.add("“")  # which opens a quotation in English, and closes one in German
            return False, True
        if token == "'" and self.prepared and self.before[-1:] == "s":  # the dogs ' bones
            return True, False
        if token in ('"', "'"):
            self.open_quotes.add(token)
            return False, True
        if token in ("-", "–"):
            between_digits = self.before[-1:].isdigit() and token == "–"
            return between_digits, between_digits
        if token in _JOINING:
            return True, True
        if token in _OPENING:
            return False, True
        left = token in _CLOSING or (bool(self.before) and is_unspaced(token) and is_unspaced(self.before[-1]))
        return left, False


class _NoSpace(Spacer):
    """Writes characters: spaces are among them."""

    def next(self, token: str) -> str:
        return token
