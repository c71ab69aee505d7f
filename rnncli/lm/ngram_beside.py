"""N-grams beside those of a model's own text: parts that answer as an `NGram` does, under names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .interface import Part, StoredParts
from .ngram import NGram, NGramContext, NGramState

if TYPE_CHECKING:
    from typing_extensions import Self

ORDER = "order"  # in the configuration of a model file


class NGramBeside(Part):
    """A part that holds an `ngram`, whose arrays a file keeps under the name of the part."""

    def __init__(self, ngram: NGram):
        self.ngram = ngram

    def initial_state(self, batch: int) -> NGramState:
        """Return the state at the beginning of a unit."""
        return self.ngram.initial_state(batch)

    def advance(
        self, words: np.ndarray, state: NGramState, before: Mapping[str, Any]
    ) -> tuple[NGramContext, NGramState]:
        """Read `words` (T, B)."""
        return self.ngram.advance(words, state, before)

    def context(self, state: NGramState, before: Mapping[str, Any]) -> NGramContext:
        """Return the context after the last word that was read."""
        return self.ngram.context(state, before)

    def probability(self, words: np.ndarray, context: NGramContext, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B)."""
        return self.ngram.probability(words, context, prefixes)

    def add_to(self, p: np.ndarray, context: NGramContext, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        self.ngram.add_to(p, context, weight)

    def examine(self, p: np.ndarray, context: NGramContext, weight: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Do `add_to`, and return the probability (T, B) of each of the `words`."""
        return self.ngram.examine(p, context, weight, words)

    @property
    def groups(self) -> int:
        """One kind of context for each number of known words."""
        return self.ngram.groups

    def group(self, context: NGramContext) -> np.ndarray:
        """Return how many of the last words (T, B) occurred together before, followed by some word."""
        return self.ngram.group(context)

    def stored_config(self) -> dict[str, Any]:
        """Return the order of the n-grams."""
        return {self.name: {ORDER: self.ngram.order}}

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the n-grams."""
        arrays = self.ngram.stored_arrays()
        return {_renamed(name, NGram.name, self.name): array for name, array in arrays.items()}

    @classmethod
    def stored_ngram(cls, stored: StoredParts) -> NGram | None:
        """Return the n-grams of the part in a model file; None if it holds no such part."""
        config = stored.config.get(cls.name)
        if config is None:
            return None
        own = {
            _renamed(name, cls.name, NGram.name): array
            for name, array in stored.arrays.items()
            if name.startswith(f"{cls.name}.")
        }
        ngram = NGram.from_file(stored._replace(config={"ngram_order": config[ORDER]}, arrays=own))
        if ngram is None:
            raise ValueError(f"its part {cls.name} is empty")
        return ngram

    def description(self) -> str:
        """Describe the n-grams in a few words."""
        return f"{self.name} {self.ngram.description()}"


class BaseNGram(NGramBeside):
    """The n-grams of the model that a training went on from."""

    name: ClassVar[str] = "base"
    prior_weight: ClassVar[float] = 0.1

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the part of a model file."""
        ngram = cls.stored_ngram(stored)
        return cls(ngram) if ngram else None


def _renamed(array: str, old: str, new: str) -> str:
    """Name an array of one part as one of another part."""
    return new + array.removeprefix(old)


def ngram_of(part: Part) -> NGram | None:
    """Return the n-grams that a part is, or holds."""
    if isinstance(part, NGramBeside):
        return part.ngram
    return part if isinstance(part, NGram) else None
