"""The personal part: n-grams of the texts that a model has learned since it was trained, and the texts themselves.

A model with a personal part follows from the model before it, the base, and from these texts: to forget one of them is
to make it again from the others. So the part keeps what tells the base apart: how many words it knew, its unigrams and
its weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ..errors import ModelError
from ..text.vocabulary import EOS, EOS_ID, UNK, Tokens
from .interface import StoredParts
from .ngram import NGram
from .ngram_beside import NGramBeside

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_TEXTS = 1000  # besides the lines that were typed
LEARNED = "learned"  # the fact that tells of the texts
PRIOR_WEIGHTS = (0.1, 0.7)  # where nothing of the context is known, and where as much as may be
# Names of arrays in a model file.
PREFIX = "personal."
SHARES = "base_shares"
UNIGRAMS = "base_unigrams"


class LearnedText:
    """A text that was learned: its name, the day, as YYYY-MM-DD, and its words in numbers."""

    def __init__(self, name: str, date: str, words: bytes, ids: np.ndarray):
        """Take the distinct `words` in UTF-8, one a line, and of each word of the text (N,) which of them it is."""
        self.name = name
        self.date = date
        self.words = words
        self.ids = ids

    @classmethod
    def of(cls, name: str, date: str, tokens: Tokens) -> LearnedText:
        """Make what is kept of a text."""
        return cls(name, date, "\n".join(tokens.types).encode("utf-8", "surrogatepass"), tokens.ids)

    @cached_property
    def tokens(self) -> Tokens:
        """The words. Raises `ModelError` where they make no sense."""
        types = self.words.decode("utf-8", "surrogatepass").split("\n")
        ids = self.ids
        is_sound = ids.ndim == 1 and ids.dtype.kind in "iu" and len(ids) and ids.min() >= 0 and ids.max() < len(types)
        if not is_sound or ids[-1] != EOS_ID or types[:2] != [EOS, UNK]:
            raise ModelError(f"the model's file is damaged: the text {self.name} that it has learned makes no sense")
        return Tokens(types, ids)

    @cached_property
    def sha256(self) -> str:
        """The hash of the words."""
        import hashlib  # not at the top: most commands need none

        return hashlib.sha256(self.words + b"\0" + self.ids.astype("<i4").tobytes()).hexdigest()


class Gain(NamedTuple):
    """What it is worth to have learned: mean losses on the held-out ends of the texts, in nats a word.

    No numbers where the texts are too short for that.
    """

    loss: float = math.nan  # without the personal part
    loss_now: float = math.nan
    loss_of_known: float = math.nan  # of the words that the base knows, without the personal part
    loss_of_known_now: float = math.nan
    unknown: float = math.nan  # the fraction of the words that the base does not know
    words: float = 0.0  # that were held out


NO_GAIN = Gain()


class Before(NamedTuple):
    """What tells a model before it learned anything apart."""

    size: int  # of the vocabulary
    weights: np.ndarray  # (groups, parts), of the mixture
    unigrams: Mapping[str, np.ndarray]  # (V,), of each n-gram part, by name


class Personal(NGramBeside):
    """The n-grams of the texts that were learned, what the model was `before`, and what these texts are worth."""

    name: ClassVar[str] = "personal"
    prior_weight: ClassVar[float] = 0.3

    def __init__(self, ngram: NGram, texts: Sequence[LearnedText], before: Before, gain: Gain = NO_GAIN):
        super().__init__(ngram)
        self.texts = tuple(texts)
        self.before = before
        self.gain = gain

    @property
    def prior_weights(self) -> np.ndarray:
        """How much of the weight is this part's (groups,) before it is tuned: the more of the context is known."""
        return np.linspace(*PRIOR_WEIGHTS, self.groups)

    # Storing and showing.

    def stored_config(self) -> dict[str, Any]:
        """Return the order of the n-grams, how many words the base knows, the gain, and the texts' names and days."""
        texts = [{"name": text.name, "date": text.date} for text in self.texts]
        config = super().stored_config()
        gain = [None if math.isnan(number) else number for number in self.gain]
        config[self.name] |= {"base_size": self.before.size, "gain": gain, "texts": texts}
        return config

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the n-grams, those of the base, and the words of each text."""
        arrays = super().stored_arrays()
        arrays[PREFIX + SHARES] = self.before.weights
        arrays |= {f"{PREFIX}{UNIGRAMS}.{name}": unigrams for name, unigrams in self.before.unigrams.items()}
        for number, text in enumerate(self.texts, 1):
            arrays[f"{PREFIX}text{number}.words"] = np.frombuffer(text.words, np.uint8)
            arrays[f"{PREFIX}text{number}.ids"] = text.ids
        return arrays

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the personal part of a model file."""
        ngram = cls.stored_ngram(stored)
        if ngram is None:
            return None
        config = stored.config[cls.name]
        arrays = stored.arrays
        size = config["base_size"]
        if not isinstance(size, int) or not 2 <= size <= stored.vocabulary_size:
            raise ValueError("what it has learned makes no sense")
        weights = arrays[PREFIX + SHARES]

        def is_unsound(own: np.ndarray) -> bool:
            return own.shape != (size,) or own.dtype.kind != "f" or not (own > 0).all()

        begin = f"{PREFIX}{UNIGRAMS}."
        unigrams = {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
        if weights.ndim != 2 or weights.dtype.kind != "f" or any(map(is_unsound, unigrams.values())):
            raise ValueError("what it tells of the model before it learned makes no sense")
        if not 1 <= len(config["texts"]) <= MAX_TEXTS + 1:
            raise ValueError(f"it has learned {len(config['texts'])} texts")
        texts = [_text(stored, number, **facts) for number, facts in enumerate(config["texts"], 1)]
        gain = Gain(*(math.nan if number is None else float(number) for number in config["gain"]))
        return cls(ngram, texts, Before(size, weights, unigrams), gain)

    def facts(self) -> dict[str, Any]:
        """Return what was learned."""
        return {
            LEARNED: [
                {
                    "name": text.name,
                    "date": text.date,
                    "words": text.tokens.words(),
                    "sha256": text.sha256,
                }
                for text in self.texts
            ]
        }


def _text(stored: StoredParts, number: int, name: str, date: str) -> LearnedText:
    """Read a text from a model file. Raises an error where it makes no sense."""
    if not isinstance(name, str) or not isinstance(date, str):
        raise ValueError(f"the text {number} that it has learned has no name or date")
    words, ids = (stored.arrays[f"{PREFIX}text{number}.{array}"] for array in ("words", "ids"))
    text = LearnedText(name, date, words.tobytes(), ids)
    if stored.is_checked:
        _ = text.tokens
    return text


def new_words(texts: Iterable[LearnedText], number: Callable[[str], int | None], most: int) -> list[str]:
    """Return the words of some texts that have no `number` yet, the most frequent first, `most` at most."""
    counts: dict[str, int] = {}
    for text in texts:
        for word, count in zip(text.tokens.types, text.tokens.counts().tolist(), strict=True):
            if count and number(word) is None:
                counts[word] = counts.get(word, 0) + count
    return sorted(counts, key=lambda word: -counts[word])[:most]
