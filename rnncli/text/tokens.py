"""Numbers the words of a text, and keeps how they stand there."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .reserved import EOS, EOS_ID, UNK, UNK_ID
from .tokenizers import Segments


@dataclass(frozen=True)
class Tokens:
    """A text in numbers: `ids` (N,) are indices of `types`, the distinct words in order of appearance.

    Every unit ends in `<eos>`. `<eos>` is always the first type and `<unk>` the second, also where the text holds none.

    A tokenizer of words also keeps how the tokens stand in the text. `gaps` (N,) are indices of `gap_names`, the white
    space before each token. `form_places` (K,) are the tokens that were folded, in rising order, and `forms` (K,)
    indices of `form_names`, how they are written.
    """

    types: list[str]
    ids: np.ndarray
    gaps: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))
    gap_names: Sequence[str] = ()
    form_places: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    forms: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    form_names: Sequence[str] = ()

    @classmethod
    def from_units(cls, units: Iterable[Sequence[str]]) -> "Tokens":
        """Number the words of a text, given as one sequence of words for each unit."""
        return cls.from_segments(Segments(list(words)) for words in units)

    @classmethod
    def from_segments(cls, units: Iterable[Segments]) -> "Tokens":
        """Number the words of a text, and keep how they stand there."""
        numbers = Numbers({EOS: EOS_ID, UNK: UNK_ID})
        names = Numbers({"": 0})
        ids = array("i")
        gaps = bytearray()
        form_names = Numbers()
        form_places = array("q")
        forms = array("i")
        for unit in units:
            form_places.extend(len(ids) + place for place in unit.forms)
            forms.extend(map(form_names.__getitem__, unit.forms.values()))
            ids.extend(map(numbers.__getitem__, unit.tokens))
            ids.append(EOS_ID)
            if len(unit.gaps) == len(unit.tokens):
                gaps.extend(map(names.__getitem__, unit.gaps))
                gaps.append(0)
        return cls(
            list(numbers),
            np.frombuffer(ids, np.int32),
            np.frombuffer(gaps if len(gaps) == len(ids) else b"", np.uint8),
            tuple(names),
            np.frombuffer(form_places, np.int64),
            np.frombuffer(forms, np.int32),
            tuple(form_names),
        )

    def part(self, begin: int, end: int) -> "Tokens":
        """Return a part of the text."""
        formed = slice(*np.searchsorted(self.form_places, [begin, end]))
        return replace(
            self,
            ids=self.ids[begin:end],
            gaps=self.gaps[begin:end],
            form_places=self.form_places[formed] - begin,
            forms=self.forms[formed],
        )

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
        return self.part(0, cut), self.part(cut, len(self))


class Numbers(dict[str, int]):
    """The number of each of some words: a new one gets the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number
