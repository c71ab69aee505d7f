"""Completes a word that is half typed."""

import bisect
import unicodedata
from collections.abc import Sequence

import numpy as np

from ..errors import SettingError
from .tokenizers import Tokenizer, is_unspaced
from .vocabulary import UNK_ID


class Completer:
    """Finds the words that begin with the typed letters.

    Case counts only if a capital is typed, accents only if one is typed: "st" finds Stay and stay, "St" only Stay;
    "ete" finds été.
    """

    def __init__(self, words: Sequence[str], tokenizer: Tokenizer):
        if tokenizer.is_char:
            raise SettingError("this model predicts characters, and a character cannot be half typed")
        self.words = words
        self.tokenizer = tokenizer
        self.all = np.arange(UNK_ID + 1, len(words))  # the numbers of all words that can be typed
        self._sorted: dict[tuple[bool, bool], tuple[list[str], np.ndarray]] = {}

    def split(self, text: str) -> tuple[str, np.ndarray]:
        """Split off the half-typed word at the end: returns the text before it, and the numbers of its completions.

        Where no word is begun, returns the whole text and all words. That is also so after a punctuation mark, and
        after a whole word of a script that puts no spaces between words. But a mark belongs to the word before it if
        some word continues with it: don' becomes don't.
        """
        if not text or text[-1].isspace():
            return text, self.all
        chunk = text.split()[-1]
        read = chunk.lower() if self.tokenizer.lowercase else chunk  # the tokens are pieces of this
        starts = [0]
        end = 0
        for token in self.tokenizer.tokenize(chunk)[1:]:
            end = max(end + 1, read.find(token, end + 1))
            starts.append(end)
        for start in starts:
            typed = chunk[start:]
            completions = self.beginning_with(typed)
            if len(completions):
                break
        ends_itself = is_unspaced(typed) or not any(map(str.isalnum, typed))
        if not self.tokenizer.is_pretokenized and ends_itself and typed in [self.words[n] for n in completions]:
            return text, self.all
        return text[: len(text) - len(chunk) + start], completions

    def beginning_with(self, typed: str) -> np.ndarray:
        """Find the numbers of the words that begin with the `typed` letters."""
        typed = unicodedata.normalize("NFC", typed.lower() if self.tokenizer.lowercase else typed)
        with_case = typed.lower() != typed
        with_accents = _without_accents(typed) != typed
        words, numbers = self._sorted_words(with_case, with_accents)
        return np.sort(numbers[beginning_alike(words, _folded(typed, with_case, with_accents))])

    def _sorted_words(self, with_case: bool, with_accents: bool) -> tuple[list[str], np.ndarray]:
        """The folded words in sorted order, and their numbers."""
        key = (with_case, with_accents)
        if key not in self._sorted:
            folded = sorted((_folded(word, *key), number) for number, word in enumerate(self.words) if number > UNK_ID)
            numbers = np.array([number for _, number in folded], np.int64)
            self._sorted[key] = ([word for word, _ in folded], numbers)
        return self._sorted[key]


def beginning_alike(words: Sequence[str], letters: str) -> slice:
    """Find the slice of sorted `words` that begin with some letters."""
    low = bisect.bisect_left(words, letters)
    return slice(low, bisect.bisect_right(words, letters + "\U0010ffff", low))


def _folded(word: str, with_case: bool, with_accents: bool) -> str:
    """The word without the differences in case, in accents or in both that are ignored."""
    if not with_accents:
        word = _without_accents(word)
    return word if with_case else word.casefold()


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if unicodedata.category(letter) != "Mn"))
