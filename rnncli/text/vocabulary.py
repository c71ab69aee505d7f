"""Holds a vocabulary: the words that a model knows, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .annotation import GAPS, combinations, parts, plain
from .columns import Store, changed
from .folding import folded, lowered
from .reserved import EOS as EOS
from .reserved import EOS_ID as EOS_ID
from .reserved import UNK as UNK
from .reserved import UNK_ID as UNK_ID
from .tokens import Tokens as Tokens

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

MAX_UINT16 = 2**16
LOOKUPS_BEFORE_DICT = 100  # in a stored vocabulary, which are faster by search than by building a dictionary


def _disagreement(own: str | None, wanted: str | None) -> int:
    """How far a note is from the one that is wanted: it says something else, or just not that."""
    return 0 if own == wanted else 1 if own is None or wanted is None else 2


class Vocabulary:
    """The words a model knows, each with a number: `<eos>` 0, `<unk>` 1, then the others by descending frequency."""

    def __init__(self, words: Sequence[str]):
        self._words = list(words)

    @property
    def words(self) -> Sequence[str]:
        """All words, in the order of their numbers."""
        return self._words

    @classmethod
    def from_tokens(
        cls, tokens: Tokens, min_count: int = 1, max_size: int = 0, weighted: np.ndarray | None = None
    ) -> Vocabulary:
        """Choose the words that occur at least `min_count` times, at most `max_size` in all (0: no limit).

        The most frequent are those of the largest `weighted` counts of the types, by default of the counts. Equally
        frequent words keep the order of their first appearance. Marks with notes on their spaces come on top.
        """
        counts = tokens.counts()
        order = np.argsort(-(counts if weighted is None else weighted), kind="stable")
        # Marks with notes are kept however rare they are: without them, spaces would be wrong.
        noted = [i for i, word in enumerate(tokens.types) if counts[i] and plain(word) != word]
        is_kept = counts >= max(min_count, 1)
        is_kept[noted] = False
        if max_size:
            is_kept[[i for i in order if is_kept[i] and i > UNK_ID][max(max_size - 2, 0) :]] = False
        is_kept[noted] = True
        words = [tokens.types[i] for i in order if is_kept[i] and i > UNK_ID]
        others = combinations(tokens.types[i] for i in noted).difference(words)
        return cls([EOS, UNK, *words, *sorted(others)])

    def extended(self, tokens: Tokens, min_count: int = 1, most: int = 0) -> Vocabulary:
        """Append the words of a text that are new and occur at least `min_count` times there.

        The most frequent of them are appended, `most` at most (0: no limit).
        """
        new = [word for word in Vocabulary.from_tokens(tokens, min_count).words if word not in self.numbers]
        return Vocabulary([*self.words, *new[: most or None]])

    def __len__(self) -> int:
        return len(self.words)

    def text(self) -> bytes:
        """The words in UTF-8, one per line."""
        return "\n".join(self.words).encode("utf-8", "surrogatepass")

    def word(self, number: int) -> str:
        """Return the word with a number."""
        return self.words[number]

    def number(self, word: str) -> int | None:
        """Return the number of a word exactly as written, or None."""
        return self.numbers.get(word)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, tokens: Tokens, dtype: DTypeLike = np.int32, store: Store | None = None) -> np.ndarray:
        """Number a text's words (N,), exactly as written; unknown words are `UNK_ID`.

        Of a mark with notes that the vocabulary lacks, the variant that agrees best is taken.
        """
        found = map(self.exactly, tokens.types)
        table = np.array([UNK_ID if number is None else number for number in found], dtype)
        return changed(tokens.ids, dtype, table.__getitem__, store or Store())

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds the number of every word, and is not too small for most vocabularies."""
        return np.dtype(np.uint16 if len(self) <= MAX_UINT16 else np.int32)

    def exactly(self, word: str) -> int | None:
        """Return the number of a word as written, of a mark with notes that of the nearest variant, or None."""
        number = self.numbers.get(word)
        if number is not None:
            return number
        mark = plain(word)
        variant = self.variant(word) if mark in self.variants else None
        return self.numbers.get(mark) if variant is None else variant

    @cached_property
    def variants(self) -> dict[str, list[tuple[str | None, str | None, int]]]:
        """By mark: what its variants note on the left and on the right, and their numbers, the most frequent first.

        Only marks with variants are here; the mark without notes is one of them if it is known.
        """
        found: dict[str, list[tuple[str | None, str | None, int]]] = {}
        for number in self._may_be_noted():
            left, mark, right = parts(self.word(number))
            if left is not None or right is not None:
                if mark not in found:
                    known = self.number(mark)
                    found[mark] = [] if known is None else [(None, None, known)]
                found[mark].append((left, right, number))
        return {mark: sorted(variants, key=lambda variant: variant[2]) for mark, variants in found.items()}

    @cached_property
    def noted(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers (K,) of variants of marks, and of what stands for them.

        That is the mark without notes, or else its most frequent variant, which is not in K.
        """
        pairs = [
            (number, standard)
            for variants in self.variants.values()
            for standard in [next((n for left, right, n in variants if left is right is None), variants[0][2])]
            for _, _, number in variants
            if number != standard
        ]
        numbers = np.array(pairs, np.intp).reshape(-1, 2)
        return numbers[:, 0], numbers[:, 1]

    def variant(self, word: str, *, ends_text: bool = False) -> int | None:
        """Return the number of the variant of a mark that agrees best with its notes; None if there is none.

        At the end of a text, what is on the right of it is not known yet.
        """
        left, mark, right = parts(word)
        agreement = [
            (_disagreement(own_left, left) + (not ends_text and _disagreement(own_right, right)), number)
            for own_left, own_right, number in self.variants.get(mark, ())
        ]
        return min(agreement)[1] if agreement else None

    def unnoted(self, ids: np.ndarray) -> np.ndarray:
        """Return words (N,) with the mark without notes in place of each of its variants."""
        numbers = np.arange(len(self))
        noted, standard = self.noted
        numbers[noted] = standard
        found: np.ndarray = numbers[ids]
        return found

    def merge(self, p: np.ndarray) -> np.ndarray:
        """Give the probabilities (..., V) of the variants of a mark, in place, to the mark without notes."""
        for number, standard in zip(*self.noted, strict=True):
            p[..., standard] += p[..., number]
            p[..., number] = 0
        return p

    def _may_be_noted(self) -> Iterable[int]:
        return (number for number, word in enumerate(self.words) if not word.isascii())

    def find(self, word: str) -> int:
        """Find the number of a word as written, else of a lookalike, else in another case, else `UNK_ID`."""
        number = self.number(word)
        if number is None:
            number = self.variant(word)
        if number is None:
            mark = plain(word)
            number = next((n for n in map(self.number, (mark, *_variants(mark))) if n is not None), UNK_ID)
        return number


def _variants(word: str) -> list[str]:
    """Other forms of a word: its lookalikes, and all of them in lower case and capitalised.

    A model that does not fold holds curly apostrophes if its text did.
    """
    alike = [word, folded(word), word.replace("'", "’")]
    other_cases = [form for look in alike for form in (look.lower(), lowered(look), look.capitalize())]
    return list(dict.fromkeys(alike + other_cases))[1:]


class StoredVocabulary(Vocabulary):
    """A vocabulary read from a file: one text, from which a word is decoded when it is asked for."""

    def __init__(self, text: bytes):
        """Take the `text` of `Vocabulary.text`.

        Raises `ValueError` if it is not UTF-8, or does not begin with `<eos>` and `<unk>`.
        """
        if not text.isascii():
            text.decode("utf-8", "surrogatepass")
        if not (text + b"\n").startswith(f"{EOS}\n{UNK}\n".encode()):
            raise ValueError(f"its vocabulary does not begin with {EOS} and {UNK}")
        self._lines = b"\n%b\n" % text  # with a line feed before and after each word
        self._ends = np.flatnonzero(np.frombuffer(self._lines, np.uint8) == ord("\n"))
        self._lookups = 0
        self._decoded: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._ends) - 1

    @cached_property
    def words(self) -> Sequence[str]:
        return self._lines[1:-1].decode("utf-8", "surrogatepass").split("\n")

    def word(self, number: int) -> str:
        if number not in self._decoded:
            start, end = self._ends[number : number + 2]
            self._decoded[number] = self._lines[start + 1 : end].decode("utf-8", "surrogatepass")
        return self._decoded[number]

    def _may_be_noted(self) -> Iterable[int]:
        signs = re.compile("|".join(GAPS).encode())
        places = [found.start() for found in signs.finditer(self._lines)]
        return dict.fromkeys((np.searchsorted(self._ends, places) - 1).tolist())

    def number(self, word: str) -> int | None:
        self._lookups += 1
        if self._lookups > LOOKUPS_BEFORE_DICT:
            return super().number(word)
        start = self._lines.find(b"\n%b\n" % word.encode("utf-8", "surrogatepass"))
        return None if start < 0 or "\n" in word else int(np.searchsorted(self._ends, start))
