"""Cutting a line into tokens, and writing tokens as people write text."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ..errors import SettingError

TOKENIZERS = ("word", "whitespace", "char")

# Scripts that put no space between words: Thai and Lao, Myanmar, Khmer, kana, and the Han characters.
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eba\u0ebc-\u0ecd\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
PICTOGRAPHS = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"


@dataclass(frozen=True)
class Tokenizer:
    """How a text is cut into tokens; stored in every model, so that prompts are cut as the corpus was.

    word        words of any script with inner apostrophes and hyphens, numbers, initialisms (U.S.), web addresses,
                emoji; every other character for itself, also each one of scripts written without spaces
    whitespace  what stands between white space, for corpora prepared elsewhere
    char        single characters
    """

    kind: str = "word"
    lowercase: bool = False

    def __post_init__(self):
        if self.kind not in TOKENIZERS:
            raise SettingError(f"no tokenizer is called {self.kind!r}: choose from {', '.join(TOKENIZERS)}")

    @property
    def is_char(self) -> bool:
        return self.kind == "char"

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one unit of text (a line or a paragraph)."""
        if self.lowercase:
            text = text.lower()
        if self.kind == "whitespace":
            return text.split()
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if self.kind == "char":
            return list(text)
        return _word_pattern(text.isascii()).findall(text)

    def detokenize(self, tokens: Iterable[str]) -> str:
        """The tokens of one unit as a person would write them."""
        spacer = self.spacer()
        return "".join(spacer.next(token) for token in tokens)

    def spacer(self) -> "Spacer":
        """What writes tokens as text, one at a time."""
        return _NoSpace() if self.kind == "char" else Spacer(prepared=self.kind == "whitespace")


@cache
def _word_pattern(ascii_only: bool) -> re.Pattern[str]:
    """What a word token is. The pattern for ASCII finds the same in ASCII text, and is made much sooner."""
    unspaced, marks = ("", "") if ascii_only else (UNSPACED, _combining_marks())
    letter = f"[^\\W_{unspaced}]"  # letters and digits
    run = letter + "+" if ascii_only else f"{letter}+(?:[{marks}]+{letter}*)*"
    initial = f"[^\\W\\d_{unspaced}]"
    joint = "['’_‐‑·״׳\u200c\u200d-]"  # apostrophes, hyphens, and what joins inside of words in other scripts
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
    if not ascii_only:
        modifier = f"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f{marks}]"
        alternatives += [
            "[\U0001f1e6-\U0001f1ff]{2}",  # a flag
            f"[{PICTOGRAPHS}]{modifier}*(?:\u200d[{PICTOGRAPHS}]{modifier}*)*",
            f"[{UNSPACED}][{marks}]*",
        ]
    alternatives += [r"\.{2,}", "-{2,}", r"[^\s]"]
    return re.compile("|".join(alternatives))


def _combining_marks() -> str:
    """All characters that combine with the one before (categories Mn, Mc and Me), as ranges of a regex class."""
    ranges: list[list[int]] = []
    for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_CLITICS = frozenset({"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"})  # as corpora like the Penn Treebank cut them
_CLOSING = frozenset(".,;:!?)]}%…’”»›°。、，．：；！？）」』】》〉،؛؟।॥") | {"..."} | _CLITICS
_OPENING = frozenset("([{$£€¥#@“‘«‹¿¡（「『【《〈")
_JOINING = frozenset({"/", "—", "_", "\\", "@-@", "@,@", "@.@"})


def is_unspaced(token: str) -> bool:
    """Whether a token is of a script that puts no space between words."""
    return not token.isascii() and bool(_unspaced().match(token))


@cache
def _unspaced() -> re.Pattern[str]:
    """What begins such a token. It takes a while to make."""
    return re.compile(f"[{UNSPACED}\u3000-\u303f\uff00-\uff65]")


class Spacer:
    """Puts the spaces back between tokens that come one at a time; `prepared`: tokens that were cut elsewhere."""

    def __init__(self, prepared: bool = False) -> None:
        self.prepared = prepared
        self.before = ""  # the token before; "" at the beginning of a unit
        self.glued = True  # whether the next token follows without a space
        self.open_quotes: set[str] = set()

    def next(self, token: str) -> str:
        """The token as it goes on the text so far: with the space before it where one belongs."""
        glue_left, glue_right = self._glue(token)
        space = "" if self.glued or glue_left else " "
        self.before, self.glued = token, glue_right
        # Corpora prepared like WikiText write the joints inside of words and numbers as @-@, @,@ and @.@.
        return space + (token[1] if token in ("@-@", "@,@", "@.@") else token)

    def _glue(self, token: str) -> tuple[bool, bool]:
        """Whether a token sticks to the one before it, and to the one after it."""
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
    """For characters, which bring their spaces with them."""

    def next(self, token: str) -> str:
        return token
