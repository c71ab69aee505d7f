"""The personal part: n-grams of the texts that a model has learned since it was trained, and the texts themselves.

A model with a personal part follows from the model before it, the base, and from these texts: to forget one of them is
to make it again from the others. So the part keeps what tells the base apart: how many words it knew, its unigrams and
its weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..text.vocabulary import EOS, EOS_ID, UNK, Tokens
from .interface import Part, StoredParts
from .ngram import NGram, NGramContext, NGramState

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_TEXTS = 10_000
PRIOR_WEIGHTS = (0.1, 0.7)  # where nothing of the context is known, and where as much as may be
PREFIX = "personal."  # of the names of arrays in a model file
NGRAM_PREFIX = "ngram."  # of those of an n-gram part by itself


@dataclass(frozen=True)
class LearnedText:
    """A text that was learned: its words in numbers, its name and the day, as YYYY-MM-DD."""

    name: str
    date: str
    tokens: Tokens

    @property
    def sha256(self) -> str:
        """The hash of its words."""
        words = "\n".join(self.tokens.types).encode("utf-8", "surrogatepass")
        return hashlib.sha256(words + b"\0" + self.tokens.ids.astype("<i4").tobytes()).hexdigest()


class Personal(Part):
    """The n-grams of the texts that were learned."""

    name: ClassVar[str] = "personal"
    prior_weight: ClassVar[float] = 0.3

    def __init__(
        self,
        ngram: NGram,
        texts: Sequence[LearnedText],
        base_size: int,
        base_weights: np.ndarray,
        base_unigrams: np.ndarray | None,
    ):
        """Take the n-grams of all `texts`, and of the base the size of its vocabulary, its weights and its unigrams."""
        self.ngram = ngram
        self.texts = tuple(texts)
        self.base_size = base_size
        self.base_weights = base_weights
        self.base_unigrams = base_unigrams

    @property
    def prior_weights(self) -> np.ndarray:
        """How much of the weight is this part's (groups,) before it is tuned: the more of the context is known."""
        return np.linspace(*PRIOR_WEIGHTS, self.groups)

    # Predicting.

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
        """Return how many of the last words (T, B) occurred together in the texts, followed by some word."""
        return self.ngram.group(context)

    # Storing and showing.

    def stored_config(self) -> dict[str, Any]:
        """Return the order of the n-grams, how many words the base knows, and the names and days of the texts."""
        texts = [{"name": text.name, "date": text.date} for text in self.texts]
        return {self.name: {"order": self.ngram.order, "base_size": self.base_size, "texts": texts}}

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the n-grams, those of the base, and the words of each text."""
        arrays = {PREFIX + name.removeprefix(NGRAM_PREFIX): array for name, array in self.ngram.stored_arrays().items()}
        arrays[PREFIX + "base_shares"] = self.base_weights
        if self.base_unigrams is not None:
            arrays[PREFIX + "base_unigrams"] = self.base_unigrams
        for number, text in enumerate(self.texts, 1):
            words = "\n".join(text.tokens.types).encode("utf-8", "surrogatepass")
            arrays[f"{PREFIX}text{number}.words"] = np.frombuffer(words, np.uint8)
            arrays[f"{PREFIX}text{number}.ids"] = text.tokens.ids
        return arrays

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the personal part of a model file."""
        config = stored.config.get(cls.name)
        if config is None:
            return None
        arrays = stored.arrays
        own = {
            NGRAM_PREFIX + name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)
        }
        ngram = NGram.from_file(stored._replace(config={"ngram_order": config["order"]}, arrays=own))
        size = config["base_size"]
        if ngram is None or not isinstance(size, int) or not 2 <= size <= stored.vocabulary_size:
            raise ValueError("what it has learned makes no sense")
        weights = arrays[PREFIX + "base_shares"]
        unigrams = arrays.get(PREFIX + "base_unigrams")
        if weights.ndim != 2 or weights.dtype.kind != "f" or (unigrams is not None and unigrams.shape != (size,)):
            raise ValueError("what it tells of the model before it learned makes no sense")
        if not 1 <= len(config["texts"]) <= MAX_TEXTS:
            raise ValueError(f"it has learned {len(config['texts'])} texts")
        texts = [_text(arrays, number, **facts) for number, facts in enumerate(config["texts"], 1)]
        return cls(ngram, texts, size, weights, unigrams)

    def description(self) -> str:
        """Describe the n-grams in a few words."""
        return f"personal {self.ngram.description()}"

    def facts(self) -> dict[str, Any]:
        """Return what was learned."""
        return {
            "learned": [
                {
                    "name": text.name,
                    "date": text.date,
                    "words": text.tokens.words(),
                    "sha256": text.sha256,
                }
                for text in self.texts
            ]
        }


def _text(arrays: Mapping[str, np.ndarray], number: int, name: str, date: str) -> LearnedText:
    """Read a text from a model file. Raises `ValueError` where it makes no sense."""
    words = arrays[f"{PREFIX}text{number}.words"].tobytes().decode("utf-8", "surrogatepass").split("\n")
    ids = arrays[f"{PREFIX}text{number}.ids"]
    is_sound = ids.ndim == 1 and ids.dtype.kind in "iu" and len(ids) and ids.min() >= 0 and ids.max() < len(words)
    if not is_sound or ids[-1] != EOS_ID or words[:2] != [EOS, UNK] or not isinstance(name + date, str):
        raise ValueError(f"the text {number} that it has learned makes no sense")
    return LearnedText(name, date, Tokens(words, ids))


def new_words(texts: Iterable[LearnedText], number: Callable[[str], int | None], most: int) -> list[str]:
    """Return the words of some texts that have no `number` yet, the most frequent first, `most` at most."""
    counts: dict[str, int] = {}
    for text in texts:
        for word, count in zip(text.tokens.types, text.tokens.counts().tolist(), strict=True):
            if count and number(word) is None:
                counts[word] = counts.get(word, 0) + count
    return sorted(counts, key=lambda word: -counts[word])[:most]
