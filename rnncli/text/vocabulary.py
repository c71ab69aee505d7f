"""A text as numbers, and the words behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

EOS, UNK = "<eos>", "<unk>"  # the end of a unit; any word that is not in the vocabulary
EOS_ID, UNK_ID = 0, 1
FEW = 100  # words that are looked for in the text, before a dictionary is made of it


@dataclass(frozen=True)
class Tokens:
    """A text in numbers: `ids` (N,) point into `types`, the different words in order of appearance.

    Every unit ends in `<eos>`, which is always the first type; `<unk>`, also where the text holds none, the second.
    """

    types: list[str]
    ids: np.ndarray

    @classmethod
    def from_units(cls, units: Iterable[Sequence[str]]) -> "Tokens":
        """Number the words of a text that comes as one sequence of words a unit."""
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
        """How often each of the `types` occurs."""
        return np.bincount(self.ids, minlength=len(self.types))

    def words(self) -> int:
        """How many words there are, without the ends of units."""
        return int(np.count_nonzero(self.ids != EOS_ID))

    def split(self, fraction: float) -> tuple["Tokens", "Tokens"]:
        """Cut off the last units, about `fraction` of all of them: (the rest, the cut-off), each with a word.

        A text of a single unit is cut inside of it. There must be two words at least.
        """
        ends = np.flatnonzero(self.ids == EOS_ID) + 1
        wanted = ends[max(0, len(ends) - 1 - max(1, round(len(ends) * fraction)))]
        words_before = np.cumsum(self.ids != EOS_ID)[:-1]  # of each place to cut, from 1 on
        places = 1 + np.flatnonzero((words_before > 0) & (words_before < self.words()))
        between_units = places[self.ids[places - 1] == EOS_ID]
        if len(between_units):
            places = between_units
        else:
            wanted = len(self) * (1 - fraction)
        cut = places[np.abs(places - wanted).argmin()]
        return Tokens(self.types, self.ids[:cut]), Tokens(self.types, self.ids[cut:])


class Vocabulary:
    """The words a model knows, each with its number: `<eos>` 0, `<unk>` 1, then the most frequent first."""

    words: Sequence[str]

    def __init__(self, words: Sequence[str]):
        self.words = list(words)

    @classmethod
    def from_tokens(cls, tokens: Tokens, min_count: int = 1, max_size: int = 0) -> "Vocabulary":
        """The words that occur at least `min_count` times, at most `max_size` in all (0: no limit).

        Equally frequent words come in the order of their first appearance.
        """
        counts = tokens.counts()
        order = np.argsort(-counts, kind="stable")
        keep = [i for i in order if i > UNK_ID and counts[i] >= max(min_count, 1)]
        if max_size:
            keep = keep[: max(max_size - 2, 0)]
        return cls([EOS, UNK, *(tokens.types[i] for i in keep)])

    def extended(self, tokens: Tokens, min_count: int = 1, most: int = 0) -> "Vocabulary":
        """This vocabulary, and after it the words of a text that it lacks and that occur `min_count` times there.

        The most frequent ones of them, `most` at most (0: no limit).
        """
        new = [word for word in Vocabulary.from_tokens(tokens, min_count).words if word not in self.numbers]
        return Vocabulary([*self.words, *new[: most or None]])

    def __len__(self) -> int:
        return len(self.words)

    def text(self) -> bytes:
        """The words in UTF-8, one a line."""
        return "\n".join(self.words).encode("utf-8", "surrogatepass")

    def word(self, number: int) -> str:
        """The word of a number."""
        return self.words[number]

    def number(self, word: str) -> int | None:
        """The number of a word as it is written, or None."""
        return self.numbers.get(word)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, tokens: Tokens) -> np.ndarray:
        """The numbers (N,) of a text's words, exactly as written; those of unknown words are `UNK_ID`."""
        table = np.array([self.numbers.get(word, UNK_ID) for word in tokens.types], np.int32)
        return table[tokens.ids]

    def find(self, word: str) -> int:
        """The number of a word as written, else in lower case, else capitalised, else `UNK_ID`."""
        number = self.number(word)
        if number is None:
            variants = {word.lower(): None, word.capitalize(): None}
            number = next((number for number in map(self.number, variants) if number is not None), UNK_ID)
        return number


class StoredVocabulary(Vocabulary):
    """A vocabulary as it comes from a file: text, of which no word is cut out before it is asked for."""

    def __init__(self, text: bytes):
        """`text` is what `Vocabulary.text` gives. Raises `ValueError` where it does not begin as it should."""
        if not (text + b"\n").startswith(f"{EOS}\n{UNK}\n".encode()):
            raise ValueError(f"its vocabulary does not begin with {EOS} and {UNK}")
        self._lines = b"\n%b\n" % text  # with a line's end before and after each word
        self._ends = np.flatnonzero(np.frombuffer(self._lines, np.uint8) == ord("\n"))
        self._asked, self._cut = 0, dict[int, str]()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @cached_property
    def words(self) -> Sequence[str]:
        return self._lines[1:-1].decode("utf-8", "surrogatepass").split("\n")

    def word(self, number: int) -> str:
        if number not in self._cut:
            start, end = self._ends[number : number + 2]
            self._cut[number] = self._lines[start + 1 : end].decode("utf-8", "surrogatepass")
        return self._cut[number]

    def number(self, word: str) -> int | None:
        self._asked += 1
        if self._asked > FEW:
            return super().number(word)
        place = self._lines.find(b"\n%b\n" % word.encode("utf-8", "surrogatepass"))
        return None if place < 0 or "\n" in word else int(np.searchsorted(self._ends, place))
