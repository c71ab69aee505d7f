"""Cuts a line into tokens."""

import itertools
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from ..errors import SettingError
from .annotation import without_notes
from .characters import PICTOGRAPHS, SPECIAL_SPACES, UNSPACED, ranges
from .folding import JOINERS, cleaned, composed, folded, lowered

CHARACTERS_PER_PAGE = 1024  # of Unicode, whose combining marks go into the pattern together
MARK_PAGES = frozenset([*range(0x20000 // CHARACTERS_PER_PAGE), 0xE0000 // CHARACTERS_PER_PAGE])  # with all marks
MAX_CHUNKS = 2**16  # whose tokens are kept for the next time
MAX_KEPT_CHUNK = 24  # characters
_SPECIAL_SPACE = re.compile(f"[{SPECIAL_SPACES}]")
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
        return self.segment(text).tokens

    def segment(self, text: str) -> "Segments":
        """Cut one unit of text into tokens, with what a tokenizer of words keeps besides: gaps and forms."""
        if self.is_char or self.is_pretokenized:
            return Segments(TOKENIZERS[self.kind].cut(self.read(text)))
        text = self.read(text, fold=False)
        memo = _FOLDED_CHUNKS if self.fold else _CHUNKS
        chunks = [memo[chunk] for chunk in text.split()]
        tokens = [token for tokens, _ in chunks for token in tokens]
        gaps = [gap for tokens, _ in chunks for gap in _gaps_of_chunk(len(tokens))]
        gaps[:1] = [""] * bool(gaps)
        if text.isascii():
            return Segments(tokens, gaps)
        starts = [0, *itertools.accumulate(len(tokens) for tokens, _ in chunks)]
        if _SPECIAL_SPACE.search(text):
            for start, space in zip(starts[1:-1], re.findall(r"\s+", text.strip()), strict=True):
                special = _SPECIAL_SPACE.search(space)
                gaps[start] = special[0] if special else " "
        places = zip(starts, chunks, strict=False)
        return Segments(tokens, gaps, {start + at: form for start, (_, forms) in places for at, form in forms})

    def cut(self, chunk: str) -> tuple[list[str], list[tuple[int, str]]]:
        """Cut what is between two spaces into words: the tokens, and the forms of those that were folded, by place."""
        return (_FOLDED_CHUNKS if self.fold else _CHUNKS).cut(chunk)

    def read(self, text: str, fold: bool = True) -> str:
        """Return a text as it is cut: without invisible characters, folded, in lower case if the tokenizer says so.

        A corpus that was tokenized before keeps its characters, but for those of notes on marks.
        """
        text = without_notes(text) if self.is_pretokenized else cleaned(text)
        if self.fold and fold:
            text = folded(text)
        if self.lowercase:
            text = lowered(text) if self.fold else text.lower()
        return text


class Segments(NamedTuple):
    """A unit cut into tokens. A tokenizer of words also tells how they stand there."""

    tokens: list[str]
    gaps: Sequence[str] = ()  # the white space before each token; "" before the first one
    forms: Mapping[int, str] = {}  # how tokens are written that were folded, by their places


@cache
def _gaps_of_chunk(tokens: int) -> tuple[str, ...]:
    """Return the gaps before the tokens of a chunk, which has a space before it."""
    return (" ", *[""] * (tokens - 1))


class _Chunks(dict[str, tuple[list[str], list[tuple[int, str]]]]):
    """Cuts chunks, which are what is between two spaces: the tokens, and the forms of those that were folded, by place.

    Most chunks of a text are words that it holds again and again, and are kept.
    """

    def __init__(self, fold: bool):
        super().__init__()
        self.fold = fold

    def __missing__(self, chunk: str) -> tuple[list[str], list[tuple[int, str]]]:
        found = self.cut(chunk)
        if len(chunk) <= MAX_KEPT_CHUNK:
            if len(self) >= MAX_CHUNKS:
                self.clear()
            self[chunk] = found
        return found

    def cut(self, chunk: str) -> tuple[list[str], list[tuple[int, str]]]:
        """Cut a chunk that is not kept."""
        cut = TOKENIZERS["word"].cut
        if not self.fold or chunk.isascii():
            return cut(chunk), []
        chunk = composed(chunk)
        read = folded(chunk)
        tokens = cut(read)
        if read == chunk or not unicodedata.is_normalized("NFC", read):  # then they are cut from other characters
            return tokens, []
        origins = [place for place, character in enumerate(chunk) for _ in folded(character)]
        origins.append(len(chunk))
        ends = list(itertools.accumulate(map(len, tokens)))
        written = [chunk[origins[end - len(token)] : origins[end]] for end, token in zip(ends, tokens, strict=True)]
        return tokens, [(place, form) for place, form in enumerate(written) if form != tokens[place]]


_CHUNKS = _Chunks(fold=False)
_FOLDED_CHUNKS = _Chunks(fold=True)


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
            return [text] if text.isalpha() else self._ascii_pattern.findall(text)
        text = composed(text)
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
    "char": Kind(lambda text: list(composed(text)), is_char=True),
}
