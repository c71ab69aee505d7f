"""Completes a word that is half typed."""

import bisect
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import SettingError
from .annotation import plain
from .characters import is_unspaced
from .folding import composed, decomposed, folded, lowered
from .tokenizers import Tokenizer
from .vocabulary import UNK_ID

_SENTENCE_ENDS = ".!?…:"
# White space is that of `string`, which takes a millisecond to import.
_BEFORE_SENTENCE = " \t\n\r\v\f\"'“”„‘’‚«»‹›([{*_#>-–—¿¡"


class Completer:
    """Finds the words that begin with the typed letters.

    Case counts only if a capital is typed, accents only if one is typed, apostrophes likewise: "st" finds Stay and
    stay, "St" only Stay; "ete" finds été, and "dont" don't. At the beginning of a sentence a capital also finds the
    words that are known without it. Where no word has the case that is typed, any case will do. Lookalikes are one (see
    `rnncli.text.folding`).
    """

    def __init__(self, words: Sequence[str], tokenizer: Tokenizer, variants: Sequence[int] | np.ndarray = ()):
        if tokenizer.is_char:
            raise SettingError("this model predicts characters, and a character cannot be half typed")
        self.words = words
        self.tokenizer = tokenizer
        # The numbers of all words that can be typed: of the variants of a mark, one.
        self.all = np.setdiff1d(np.arange(UNK_ID + 1, len(words)), variants)
        self._sorted: dict[_Rules, tuple[list[str], np.ndarray]] = {}

    def split(self, text: str) -> tuple[str, np.ndarray]:
        """Split off the half-typed word at the end: returns the text before it, and the numbers of its completions.

        Where no word is begun, returns the whole text and all words. That is also so after a punctuation mark, and
        after a whole word of a script that puts no spaces between words. But a mark belongs to the word before it if
        some word continues with it: don' becomes don't.
        """
        chunk = "" if not text or text[-1].isspace() else text.split()[-1]
        read = self._read(chunk)
        if not read or read[-1].isspace():
            return text, self.all
        last = read.split()[-1]
        starts = [0]  # the tokens are pieces of this
        end = 0
        for token in self.tokenizer.tokenize(last)[1:]:
            end = max(end + 1, last.find(token, end + 1))
            starts.append(end)
        starts = [start for start in starts if len(last) - start <= self._longest] or starts[-1:]
        before = text[: len(text) - len(chunk)]
        for start in starts:
            typed = last[start:]
            completions = self.beginning_with(typed, _begins_sentence(before + last[:start]))
            if len(completions):
                break
        ends_itself = is_unspaced(typed) or not any(map(str.isalnum, typed))
        is_whole = folded(typed) in [folded(plain(self.words[n])) for n in completions] if ends_itself else False
        if is_whole and not self.tokenizer.is_pretokenized:
            return text, self.all
        return before + chunk[: self._place(chunk, typed)], completions

    def written(self, typed: str, word: str) -> str:
        """Write a completion as it was begun: with a capital if it was `typed` with one, and is known without it."""
        is_to_change = _is_capitalised(typed) and word.islower() and not self.tokenizer.lowercase
        return _capitalised(word) if is_to_change else word

    def beginning_with(self, typed: str, begins_sentence: bool = False) -> np.ndarray:
        """Find the numbers of the words that begin with the `typed` letters."""
        typed = composed(folded(lowered(typed) if self.tokenizer.lowercase else typed))
        rules = _Rules(
            case=typed.lower() != typed,
            accents=_without_accents(typed) != typed,
            apostrophes="'" in typed[1:],
        )
        found = self._beginning(typed, rules)
        if not rules.case or (len(found) and not (begins_sentence and _is_capitalised(typed))):
            return found
        others = self._beginning(typed, rules._replace(case=False))
        if not len(found):
            return others
        small = [
            n for n in others.tolist() if self.words[n].islower() and _capitalised(self.words[n]) not in self._known
        ]
        return np.union1d(found, np.array(small, np.int64))

    @cached_property
    def _longest(self) -> int:
        """The most letters that a word can have been typed with: a letter may be read as up to three."""
        return 3 * max(map(len, self.words))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def _beginning(self, typed: str, rules: "_Rules") -> np.ndarray:
        words, numbers = self._sorted_words(rules)
        return np.sort(numbers[beginning_alike(words, rules.key(typed))])

    def _sorted_words(self, rules: "_Rules") -> tuple[list[str], np.ndarray]:
        """The keys of all words in sorted order, and the numbers of the words."""
        if rules not in self._sorted:
            keys = sorted((rules.key(plain(self.words[number])), number) for number in self.all.tolist())
            numbers = np.array([number for _, number in keys], np.int64)
            self._sorted[rules] = ([key for key, _ in keys], numbers)
        return self._sorted[rules]

    def _read(self, chunk: str) -> str:
        """What the tokens of a piece of text are cut from."""
        read = self.tokenizer.read(chunk)
        return read if self.tokenizer.is_pretokenized else composed(read)

    def _place(self, chunk: str, typed: str) -> int:
        """Find where the `typed` letters, as they were read, begin in the `chunk` as it was written."""
        place = (
            bisect.bisect_right(range(len(chunk)), -len(typed), key=lambda start: -len(self._read(chunk[start:]))) - 1
        )
        while place > 0 and self._read(chunk[place:]) != typed:  # a letter and its accent may be read as one
            place -= 1
        return place


class _Rules(NamedTuple):
    """What counts when words are compared."""

    case: bool
    accents: bool
    apostrophes: bool  # those after the first character: 's is not s

    def key(self, word: str) -> str:
        """The word without the differences that do not count."""
        word = folded(word)
        if not self.accents:
            word = _without_accents(word)
        if not self.apostrophes:
            word = word[:1] + word[1:].replace("'", "")
        return word if self.case else word.casefold()


def _is_capitalised(typed: str) -> bool:
    """Whether the first letter is the only capital."""
    return typed[:1].isupper() and typed[1:] == typed[1:].lower()


def _capitalised(word: str) -> str:
    return word[0].upper() + word[1:]


def _begins_sentence(before: str) -> bool:
    """Whether a sentence begins after a text: at its beginning, or after an end mark, with quotes and the like."""
    rest = before.rstrip(_BEFORE_SENTENCE)
    return not rest or rest[-1] in _SENTENCE_ENDS


def beginning_alike(words: Sequence[str], letters: str) -> slice:
    """Find the slice of sorted `words` that begin with some letters."""
    low = bisect.bisect_left(words, letters)
    return slice(low, bisect.bisect_right(words, letters + "\U0010ffff", low))


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = decomposed(word)
    return composed("".join(letter for letter in letters if unicodedata.category(letter) != "Mn"))
