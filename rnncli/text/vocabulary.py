"""Numbers the words of a text, and holds a vocabulary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .folding import folded, lowered
from .reserved import EOS as EOS
from .reserved import UNK as UNK

EOS_ID = 0
UNK_ID = 1
LOOKUPS_BEFORE_DICT = 100  # in a stored vocabulary, which are faster by search than by building a dictionary


@dataclass(frozen=True)
class Tokens:
    """A text in numbers: `ids` (N,) are indices of `types`, the distinct words in order of appearance.

    Every unit ends in `<eos>`. `<eos>` is always the first type and `<unk>` the second, also where the text holds none.
    """

    types: list[str]
    ids: np.ndarray

    @classmethod
    def from_units(cls, units: Iterable[Sequence[str]]) -> "Tokens":
        """Number the words of a text, given as one sequence of words for each unit."""
        numbers = {EOS: EOS_ID, UNK: UNK_ID}
        pieces = []
        for words in units:
            piece = [numbers.setdefault(word, len(numbers)) for word in words]
            piece.append(EOS_ID)
            pieces.append(np.array(piece, np.int32))
        return cls(list(numbers), np.concatenate(pieces) if pieces else np.empty(0, np.int32))

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> np.ndarray:
        """Count the occurrences of each of the `types`."""
        return np.bincount(self.ids, minlength=len(self.types))

    def words(self) -> int:
        """Count the words, without the ends of units."""
        return int(np.count_nonzero(self.ids != EOS_ID))

    def split(self, fraction: float) -> tuple["Tokens", "Tokens"]:
        """Split off the last units, about `fraction` of all: returns (first part, last part), each with a word.

        A text of a single unit is split inside the unit. The text must hold two words at least.
        """
        ends = np.flatnonzero(self.ids == EOS_ID) + 1
        wanted = ends[max(0, len(ends) - 1 - max(1, round(len(ends) * fraction)))]
        words_before = np.cumsum(self.ids != EOS_ID)[:-1]  # each position to cut at, from 1 on
        cuts = 1 + np.flatnonzero((words_before > 0) & (words_before < self.words()))
        between_units = cuts[self.ids[cuts - 1] == EOS_ID]
        if len(between_units):
            cuts = between_units
        else:
            wanted = len(self) * (1 - fraction)
        cut = cuts[np.abs(cuts - wanted).argmin()]
        return Tokens(self.types, self.ids[:cut]), Tokens(self.types, self.ids[cut:])


class Vocabulary:
    """The words a model knows, each with a number: `<eos>` 0, `<unk>` 1, then the others by descending frequency."""

    def __init__(self, words: Sequence[str]):
        self._words = list(words)

    @property
    def words(self) -> Sequence[str]:
        """All words, in the order of their numbers."""
        return self._words

    @classmethod
    def from_tokens(cls, tokens: Tokens, min_count: int = 1, max_size: int = 0) -> "Vocabulary":
        """Choose the words that occur at least `min_count` times, at most `max_size` in all (0: no limit).

        Equally frequent words keep the order of their first appearance.
        """
        counts = tokens.counts()
        order = np.argsort(-counts, kind="stable")
        keep = [i for i in order if i > UNK_ID and counts[i] >= max(min_count, 1)]
        if max_size:
            keep = keep[: max(max_size - 2, 0)]
        return cls([EOS, UNK, *(tokens.types[i] for i in keep)])

    def extended(self, tokens: Tokens, min_count: int = 1, most: int = 0) -> "Vocabulary":
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

    def encode(self, tokens: Tokens) -> np.ndarray:
        """Number a text's words (N,), exactly as written; unknown words are `UNK_ID`."""
        table = np.array([self.numbers.get(word, UNK_ID) for word in tokens.types], np.int32)
        ids: np.ndarray = table[tokens.ids]
        return ids

    def find(self, word: str) -> int:
        """Find the number of a word as written, else of a lookalike, else in another case, else `UNK_ID`."""
        number = self.number(word)
        if number is None:
            number = next((number for number in map(self.number, _variants(word)) if number is not None), UNK_ID)
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
        """Take the `text` of `Vocabulary.text`. Raises `ValueError` if it does not begin with `<eos>` and `<unk>`."""
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

    def number(self, word: str) -> int | None:
        self._lookups += 1
        if self._lookups > LOOKUPS_BEFORE_DICT:
            return super().number(word)
        start = self._lines.find(b"\n%b\n" % word.encode("utf-8", "surrogatepass"))
        return None if start < 0 or "\n" in word else int(np.searchsorted(self._ends, start))
