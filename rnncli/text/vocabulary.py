"""Numbers the words of a text, and holds a vocabulary."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .annotation import GAPS, combinations, is_mark, plain, simpler
from .folding import folded, lowered
from .reserved import EOS as EOS
from .reserved import UNK as UNK
from .tokenizers import Segments

EOS_ID = 0
UNK_ID = 1
LOOKUPS_BEFORE_DICT = 100  # in a stored vocabulary, which are faster by search than by building a dictionary


@dataclass(frozen=True)
class Tokens:
    """A text in numbers: `ids` (N,) are indices of `types`, the distinct words in order of appearance.

    Every unit ends in `<eos>`. `<eos>` is always the first type and `<unk>` the second, also where the text holds none.

    A tokenizer of words also keeps how the tokens stand in the text. `gaps` (N,) are indices of `gap_names`, the white
    space before each token. `forms` counts how tokens are written that were folded: by token, or for a mark by token,
    whether it is joined to the token before it ("1" or ""), and whether it is the second, fourth, ... of its unit.
    """

    types: list[str]
    ids: np.ndarray
    gaps: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))
    gap_names: Sequence[str] = ()
    forms: Mapping[tuple[tuple[str, ...], str], int] = field(default_factory=dict)

    @classmethod
    def from_units(cls, units: Iterable[Sequence[str]]) -> "Tokens":
        """Number the words of a text, given as one sequence of words for each unit."""
        return cls.from_segments(Segments(list(words)) for words in units)

    @classmethod
    def from_segments(cls, units: Iterable[Segments]) -> "Tokens":
        """Number the words of a text, and keep how they stand there."""
        numbers = _Numbers({EOS: EOS_ID, UNK: UNK_ID})
        names = _Numbers({"": 0})
        ids = array("i")
        gaps = bytearray()
        forms: Counter[tuple[tuple[str, ...], str]] = Counter()
        for unit in units:
            ids.extend(map(numbers.__getitem__, unit.tokens))
            ids.append(EOS_ID)
            if len(unit.gaps) == len(unit.tokens):
                gaps.extend(map(names.__getitem__, unit.gaps))
                gaps.append(0)
            for place, form in unit.forms.items():
                forms[_form_rule(unit, place), form] += 1
        has_gaps = len(gaps) == len(ids)
        kept = np.frombuffer(gaps if has_gaps else b"", np.uint8)
        return cls(list(numbers), np.frombuffer(ids, np.int32), kept, tuple(names), forms)

    def part(self, begin: int, end: int | None = None) -> "Tokens":
        """Return a part of the text; `forms` stay those of the whole."""
        return replace(self, ids=self.ids[begin:end], gaps=self.gaps[begin:end])

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
        return self.part(0, cut), self.part(cut)


class _Numbers(dict[str, int]):
    """The number of each of some words: a new one gets the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def _form_rule(unit: Segments, place: int) -> tuple[str, ...]:
    """Return what the form of a token is counted by (see `Tokens`)."""
    token = unit.tokens[place]
    if not is_mark(token):
        return (token,)
    is_joined = place > 0 and not unit.gaps[place]
    return (token, "1" if is_joined else "", "1" if unit.tokens[:place].count(token) % 2 else "")


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

        Equally frequent words keep the order of their first appearance. Marks with notes on their spaces come on top.
        """
        counts = tokens.counts()
        order = np.argsort(-counts, kind="stable")
        is_kept = counts >= max(min_count, 1)
        if max_size:
            is_kept[[i for i in order if is_kept[i] and i > UNK_ID][max(max_size - 2, 0) :]] = False
        # Marks with notes are kept however rare they are: without them, spaces would be wrong.
        noted = [i for i, word in enumerate(tokens.types) if counts[i] and plain(word) != word]
        is_kept[noted] = True
        words = [tokens.types[i] for i in order if is_kept[i] and i > UNK_ID]
        others = combinations(tokens.types[i] for i in noted).difference(words)
        return cls([EOS, UNK, *words, *sorted(others)])

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
        """Number a text's words (N,), exactly as written; unknown words are `UNK_ID`.

        A mark with notes that the vocabulary lacks has one note less, or none.
        """
        table = np.array([self._number_of_noted(word) for word in tokens.types], np.int32)
        ids: np.ndarray = table[tokens.ids]
        return ids

    def _number_of_noted(self, word: str) -> int:
        number = self.numbers.get(word)
        if number is None:
            number = next((self.numbers[less] for less in simpler(word) if less in self.numbers), UNK_ID)
        return number

    @cached_property
    def noted(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers (K,) of the marks with notes on their spaces, and of the same marks without notes."""
        numbers = [number for number in self._may_be_noted() if plain(self.word(number)) != self.word(number)]
        plain_numbers = [self.numbers.get(plain(self.word(number)), number) for number in numbers]
        return np.array(numbers, np.intp), np.array(plain_numbers, np.intp)

    def _may_be_noted(self) -> Iterable[int]:
        return range(len(self))

    def find(self, word: str) -> int:
        """Find the number of a word as written, else of a lookalike, else in another case, else `UNK_ID`."""
        number = self.number(word)
        if number is None:
            candidates = (*simpler(word), *_variants(plain(word)))
            number = next((number for number in map(self.number, candidates) if number is not None), UNK_ID)
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

    def _may_be_noted(self) -> Iterable[int]:
        return range(len(self)) if any(sign.encode() in self._lines for sign in GAPS) else ()

    def number(self, word: str) -> int | None:
        self._lookups += 1
        if self._lookups > LOOKUPS_BEFORE_DICT:
            return super().number(word)
        start = self._lines.find(b"\n%b\n" % word.encode("utf-8", "surrogatepass"))
        return None if start < 0 or "\n" in word else int(np.searchsorted(self._ends, start))
