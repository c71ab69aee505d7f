"""Numbers the words of a text on several ranks: each numbers every so many-th block, and gets the others."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..ranks import Ranks
from .columns import Column, Store
from .numbering import Numbering
from .reserved import EOS, EOS_ID, UNK, UNK_ID
from .tokenizers import Tokenizer
from .tokens import Numbers, Tokens

CHARACTERS_PER_BLOCK = 2**20


class Block(NamedTuple):
    """What a rank has numbered of a block. The names are those that were new to it."""

    types: list[str]
    gap_names: list[str]
    form_names: list[str]
    ids: np.ndarray
    gaps: np.ndarray
    form_places: np.ndarray
    forms: np.ndarray


class Names:
    """The names that all ranks know, and the number of each by the numbers of each rank."""

    def __init__(self, known: dict[str, int], ranks: int):
        self.numbers = Numbers(known)
        self._of_ranks = [np.array(list(known.values()), np.int64) for _ in range(ranks)]

    def learn(self, rank: int, names: Iterable[str]) -> np.ndarray:
        """Take the new names of a rank: returns the numbers of all its names, in its order."""
        new = np.fromiter((self.numbers[name] for name in names), np.int64)
        self._of_ranks[rank] = np.concatenate([self._of_ranks[rank], new])
        return self._of_ranks[rank]

    def new_of(self, rank: int, names: Iterable[str]) -> list[str]:
        """Return those of the names of a rank that are new to the others."""
        return list(islice(names, len(self._of_ranks[rank]), None))


class SharedNumbering:
    """Takes the units of a text one by one, as all ranks do, then gives its `tokens`: see `Numbering`.

    The numbers are those that one rank alone would give: a word that is new has its place in the text.
    """

    def __init__(self, tokenizer: Tokenizer, store: Store, ranks: Ranks):
        self._ranks = ranks
        self._own = Numbering(tokenizer)
        start = self._own.tokens()
        self._types = Names({EOS: EOS_ID, UNK: UNK_ID}, ranks.count)
        self._gap_names = Names({name: number for number, name in enumerate(start.gap_names)}, ranks.count)
        self._form_names = Names({}, ranks.count)
        self._ids = Column(store, start.ids.dtype)
        self._gaps = Column(store, start.gaps.dtype)
        self._form_places = Column(store, start.form_places.dtype)
        self._forms = Column(store, start.forms.dtype)
        self._block = 0  # of the ranks, whose turn it is
        self._characters = 0  # in the block

    def add(self, text: str) -> None:
        """Number a unit, if it is in a block of this rank."""
        if self._block == self._ranks.number:
            self._own.add(text)
        self._characters += len(text) + 1
        if self._characters > CHARACTERS_PER_BLOCK:
            self._characters = 0
            self._block += 1
            if self._block == self._ranks.count:
                self._exchange()

    def count(self) -> int:
        """Return how many tokens the units so far have, with their ends."""
        self._exchange()
        return len(self._ids)

    def discard(self) -> None:
        """Give the text up, as it cannot be read to its end."""
        for column in (self._ids, self._gaps, self._form_places, self._forms):
            column.discard()

    def tokens(self) -> Tokens:
        """Return the text in numbers. No unit is to come after that."""
        self._exchange()
        return Tokens(
            list(self._types.numbers),
            self._ids.array(),
            self._gaps.array(),
            tuple(self._gap_names.numbers),
            self._form_places.array(),
            self._forms.array(),
            tuple(self._form_names.numbers),
        )

    def _exchange(self) -> None:
        """Give the others what this rank has numbered since the last time, and take theirs."""
        number = self._ranks.number
        own = self._own.take()
        block = Block(
            self._types.new_of(number, own.types),
            self._gap_names.new_of(number, own.gap_names),
            self._form_names.new_of(number, own.form_names),
            own.ids,
            own.gaps,
            own.form_places,
            own.forms,
        )
        for rank, theirs in enumerate(self._ranks.all(block)):
            self._append(rank, theirs)
        self._block = 0
        self._characters = 0

    def _append(self, rank: int, block: Block) -> None:
        types = self._types.learn(rank, block.types)
        gap_names = self._gap_names.learn(rank, block.gap_names)
        form_names = self._form_names.learn(rank, block.form_names)
        self._form_places.append(block.form_places + len(self._ids))
        self._forms.append(form_names[block.forms])
        self._ids.append(types[block.ids])
        self._gaps.append(gap_names[block.gaps])
