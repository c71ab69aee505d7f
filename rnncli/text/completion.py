"""Completing a word that is half typed."""

import bisect
import unicodedata
from collections.abc import Sequence

import numpy as np

from ..errors import SettingError
from .tokenizers import Tokenizer, is_unspaced
from .vocabulary import UNK_ID


class Completer:
    """Finds the words that begin as one types.

    Letters are matched without regard to case or accents, unless they are typed with them: "st" finds Stay and stay,
    "St" finds Stay alone; "ete" finds été.
    """

    def __init__(self, words: Sequence[str], tokenizer: Tokenizer):
        if tokenizer.kind == "char":
            raise SettingError("this model predicts characters, and a character cannot be half typed")
        self.words, self.tokenizer = words, tokenizer
        self.all = np.arange(UNK_ID + 1, len(words))  # all that can be typed
        self._sorted: dict[tuple[bool, bool], tuple[list[str], np.ndarray]] = {}

    def split(self, text: str) -> tuple[str, np.ndarray]:
        """The text before the word that is half typed at its end, and the numbers of the words that this may become.

        Where nothing is typed yet, the whole text and all words; so it is after a punctuation mark, and after a whole
        word of a script that puts no spaces between words. But a mark belongs to the word before it if some word goes
        on like that: don' becomes don't.
        """
        if not text or text[-1].isspace():
            return text, self.all
        chunk = text.split()[-1]
        read = chunk.lower() if self.tokenizer.lowercase else chunk  # where the tokens stand
        starts, end = [0], 0
        for token in self.tokenizer.tokenize(chunk)[1:]:
            end = max(end + 1, read.find(token, end + 1))
            starts.append(end)
        for start in starts:
            typed = chunk[start:]
            fitting = self.beginning_with(typed)
            if len(fitting):
                break
        ends_itself = is_unspaced(typed) or not any(map(str.isalnum, typed))
        if self.tokenizer.kind == "word" and ends_itself and typed in [self.words[n] for n in fitting]:
            return text, self.all
        return text[: len(text) - len(chunk) + start], fitting

    def beginning_with(self, typed: str) -> np.ndarray:
        """The numbers of the words that begin with what is `typed`."""
        typed = unicodedata.normalize("NFC", typed.lower() if self.tokenizer.lowercase else typed)
        minded = typed.lower() != typed, _without_accents(typed) != typed
        words, numbers = self._folded(*minded)
        beginning = _folded(typed, *minded)
        return np.sort(numbers[beginning_alike(words, beginning)])

    def _folded(self, case: bool, accents: bool) -> tuple[list[str], np.ndarray]:
        """The words without what is not minded, in the order of the alphabet, and their numbers."""
        if (case, accents) not in self._sorted:
            folded = sorted(
                (_folded(word, case, accents), number) for number, word in enumerate(self.words) if number > UNK_ID
            )
            words, numbers = zip(*folded, strict=True) if folded else ((), ())
            self._sorted[case, accents] = list(words), np.array(numbers, np.int64)
        return self._sorted[case, accents]


def beginning_alike(words: Sequence[str], letters: str) -> slice:
    """Where in words in the order of the alphabet those stand that begin with these letters."""
    low = bisect.bisect_left(words, letters)
    return slice(low, bisect.bisect_right(words, letters + "\U0010ffff", low))


def _folded(word: str, case: bool, accents: bool) -> str:
    """The word without what is not minded."""
    if not accents:
        word = _without_accents(word)
    return word if case else word.casefold()


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if unicodedata.category(letter) != "Mn"))
