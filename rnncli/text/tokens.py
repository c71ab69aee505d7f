"""Numbers the words of a text, and keeps how they stand there."""

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .columns import Column, Store, bounds, counted, pieces, release
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
        places = self.form_places[formed]
        return replace(
            self,
            ids=self.ids[begin:end],
            gaps=self.gaps[begin:end],
            form_places=places - begin if begin else places,
            forms=self.forms[formed],
        )

    @classmethod
    def joined(cls, parts: Sequence["Tokens"], store: Store) -> "Tokens":
        """Join parts of one text, in their order, in a `store`."""
        first, *others = parts
        if not others:
            return first
        ids, gaps, places, forms = (
            Column(store, column.dtype) for column in (first.ids, first.gaps, first.form_places, first.forms)
        )
        for part in parts:
            before = len(ids)
            for column, own in ((ids, part.ids), (gaps, part.gaps), (forms, part.forms)):
                for piece in pieces(own):
                    column.append(piece)
            for piece in pieces(part.form_places):
                places.append(before + piece)
        return replace(first, ids=ids.array(), gaps=gaps.array(), form_places=places.array(), forms=forms.array())

    def release(self) -> None:
        """Let go of the memory of columns that are in files; they are read again when they are asked for."""
        for column in (self.ids, self.gaps, self.form_places, self.forms):
            release(column)

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> np.ndarray:
        """Count the occurrences of each of the `types`."""
        counts: np.ndarray = self._counts.copy()
        return counts

    @cached_property
    def _counts(self) -> np.ndarray:
        return counted(self.ids, len(self.types))

    def words(self) -> int:
        """Count the words, without the ends of units."""
        return len(self) - int(self._counts[EOS_ID])

    def split(self, fraction: float) -> tuple["Tokens", "Tokens"]:
        """Split off the last units, about `fraction` of all: returns (first part, last part), each with a word.

        A text of a single unit is split inside the unit. The text must hold two words at least.
        """
        units = int(self._counts[EOS_ID])
        last_unit = max(0, units - 1 - max(1, round(units * fraction)))  # of the first part
        first_word = last_word = -1
        wanted: float = 0
        for begin, end in bounds(len(self)):
            ids = self.ids[begin:end]
            ends = np.flatnonzero(ids == EOS_ID)
            if 0 <= last_unit < len(ends):
                wanted = begin + int(ends[last_unit]) + 1
            last_unit -= len(ends)
            if len(ends) < len(ids):
                words = np.flatnonzero(ids != EOS_ID)
                first_word = begin + int(words[0]) if first_word < 0 else first_word
                last_word = begin + int(words[-1])
            release(ids)
        cut = self._nearest_end(wanted, first_word + 1, last_word)
        if cut is None:
            wanted = len(self) * (1 - fraction)
            cut = min(max(math.ceil(wanted - 0.5), first_word + 1), last_word)
        return self.part(0, cut), self.part(cut, len(self))

    def _nearest_end(self, wanted: float, first: int, last: int) -> int | None:
        """Return the end of a unit from `first` to `last` that is nearest to a place; None if there is none."""
        nearest = None
        for begin, end in bounds(len(self)):
            ends = begin + 1 + np.flatnonzero(self.ids[begin:end] == EOS_ID)
            ends = ends[(first <= ends) & (ends <= last)]
            if len(ends):
                own = int(ends[np.abs(ends - wanted).argmin()])
                nearest = own if nearest is None or abs(own - wanted) < abs(nearest - wanted) else nearest
            release(self.ids)
        return nearest


class Numbers(dict[str, int]):
    """The number of each of some words: a new one gets the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number
