"""The n-gram model: interpolated Kneser-Ney smoothing with modified discounts (Chen and Goodman 1998).

The probability of a word after n - 1 words comes from how often it followed them, less a discount. The discounts of a
context are its backoff weight: what it leaves to the estimate after n - 2 words, and so on down to equal probabilities.
Lower orders count in how many different contexts a word occurred, not how often (Kneser and Ney 1995).

N-grams do not cross the end of a unit: its `<eos>` is the first word of the next one's contexts, like `<s>` in other
programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ..errors import ModelError
from ..network_options import MAX_NGRAM_ORDER
from ..ranks import Ranks
from ..text.vocabulary import EOS_ID
from .interface import Part, StoredParts
from .ngram_file import levels_from_file
from .ngram_level import DAMAGED, UNSEEN, Expansion, Level, array_name

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..callbacks import OnProgress
    from ..options import TrainingOptions
    from .network_config import NetworkConfig

NGramState = np.ndarray  # (B, order): by length, the number of the n-gram that ends in the last word, or `UNSEEN`


class NGramContext(NamedTuple):
    """What the n-gram model predicts from in T * B places."""

    contexts: np.ndarray  # (T, B, order), the state before each place
    words: np.ndarray | None = None  # (T, B), the words in the places, if they were read
    ngrams: np.ndarray | None = None  # (T, B, order), by length, the n-grams that end in them


class NGram(Part):
    """A Kneser-Ney model of some order."""

    name: ClassVar[str] = "ngram"
    prior_weight: ClassVar[float] = 0.2

    def __init__(self, unigrams: np.ndarray, levels: list[Level]):
        """Take the probabilities (V,) of words without context, and the n-grams from length 2 on."""
        self.unigrams = unigrams
        self.levels = levels
        self._bigram_cache: dict[np.dtype, dict[int, tuple[Any, ...]]] = {}  # see `_bigrams`

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.levels) + 1

    # Predicting.

    def initial_state(self, batch: int) -> NGramState:
        """Return the state at the beginning of a unit."""
        state = np.full((batch, self.order), UNSEEN)
        state[:, 0] = EOS_ID
        return state

    def advance(
        self, words: np.ndarray, state: NGramState, before: Mapping[str, Any]
    ) -> tuple[NGramContext, NGramState]:
        """Read `words` (T, B)."""
        if words.size == 1:
            return self._advance_by_one(words, state)
        states = np.full((len(words) + 1, *state.shape), UNSEEN)
        states[0] = state
        states[1:, :, 0] = words
        ngrams = states[1:].copy()
        for n, level in enumerate(self.levels, 1):
            # All steps at once: the contexts of length n are known by now.
            ngrams[..., n] = level.find(states[:-1, :, n - 1], words)
            states[1:, :, n] = np.where(words == EOS_ID, UNSEEN, ngrams[..., n])
        return NGramContext(states[:-1], words, ngrams), states[-1]

    def _advance_by_one(self, words: np.ndarray, state: NGramState) -> tuple[NGramContext, NGramState]:
        """Do `advance` for one place, as a text is written: word by word."""
        word = int(words[0, 0])
        numbers = state[0].tolist()
        ngrams = [word, *(level.find_one(number, word) for level, number in zip(self.levels, numbers, strict=False))]
        read = np.array([[ngrams]])
        return NGramContext(state[None], words, read), read[0] if word != EOS_ID else self.initial_state(1)

    def context(self, state: NGramState, before: Mapping[str, Any]) -> NGramContext:
        """Return the context after the last word that was read."""
        return NGramContext(state[None])

    def _ngrams(self, words: np.ndarray, context: NGramContext) -> np.ndarray:
        """Return by length the n-grams (N, order) that end in each of the `words` (T, B)."""
        if context.ngrams is not None and context.words is words:
            return context.ngrams.reshape(-1, self.order)
        found = [words, *(level.find(context.contexts[..., n], words) for n, level in enumerate(self.levels))]
        return np.stack(found, axis=-1).reshape(-1, self.order)

    def probability(self, words: np.ndarray, context: NGramContext, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) of each of the `words` (T, B)."""
        ngrams = self._ngrams(words, context)
        states = context.contexts.reshape(-1, self.order)
        p = self.unigrams[ngrams[:, 0]]
        for n, level in enumerate(self.levels):
            contexts, index = np.unique(states[:, n], return_inverse=True)
            expansion = self._expanded(level, contexts)
            p *= expansion.backoff[index]
            p += level.discounted_probability(ngrams[:, n + 1], expansion.total[index])
        by_place: np.ndarray = p.reshape(words.shape)
        return by_place

    def probability_by_shorter_context(self, words: np.ndarray) -> np.ndarray:
        """Return the probability (N,) of the last of the `words` (N, n) after those between it and the first one."""
        begin = np.full((len(words), self.order), UNSEEN)
        context, _ = self.advance(words.T[1:], begin, {})
        found: np.ndarray = self.probability(words.T[-1:], NGramContext(context.contexts[-1:]))[0]
        return found

    def add_to(self, p: np.ndarray, context: NGramContext, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        self._add(p, context, weight)

    def examine(self, p: np.ndarray, context: NGramContext, weight: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Do `add_to`, and return the probability (T, B) of each of the `words`."""
        ngrams = self._ngrams(words, context)
        return self._add(p, context, weight, ngrams).reshape(words.shape)

    def _add(
        self, p: np.ndarray, context: NGramContext, weight: np.ndarray, ngrams: np.ndarray | None = None
    ) -> np.ndarray:
        """Add to `p`; return the probability (N,) of the last words of the `ngrams` (N, order), if there are any."""
        states = context.contexts.reshape(-1, self.order)
        rows = p.reshape(len(states), -1)
        weight = weight.ravel()
        if len(rows) == 1 and ngrams is None:
            self._add_to_row(rows[0], states[0].tolist(), float(weight[0]))
            return np.zeros(1)
        backoff = np.ones(len(rows))  # the product of the backoff weights of the longer contexts
        found = np.zeros(len(rows))
        for n, level in reversed(list(enumerate(self.levels))):
            if n:
                expansion = self._expanded(level, states[:, n])
                self._add_expansion(rows, expansion, weight * backoff)
                total = expansion.total
                own_backoff = expansion.backoff
            else:
                total, own_backoff = self._add_bigrams(rows, states[:, n], weight * backoff)
            if ngrams is not None:
                found += backoff * level.discounted_probability(ngrams[:, n + 1], total)
            backoff *= own_backoff
        unigrams = self.unigrams.astype(p.dtype)
        for row, factor in zip(rows, (weight * backoff).astype(p.dtype), strict=True):  # a row stays in the cache
            row += factor * unigrams
        return found if ngrams is None else found + backoff * self.unigrams[ngrams[:, 0]]

    def _add_to_row(self, row: np.ndarray, numbers: list[int], weight: float) -> None:
        """Do `_add` for one place, from its state."""
        for n, level in reversed(list(enumerate(self.levels))):
            if numbers[n] == UNSEEN:
                continue
            if n:
                words, discounted, total, backoff = level.followers(numbers[n])
                if words.max(initial=0) >= len(row):
                    raise ModelError(DAMAGED)
            else:
                ((words, discounted),), (total,), (backoff,) = self._bigrams(np.array(numbers[:1]), row.dtype)
            row[words] += (discounted * (weight / total)).astype(row.dtype)
            weight *= backoff
        row += row.dtype.type(weight) * self.unigrams.astype(row.dtype)

    @staticmethod
    def _add_expansion(rows: np.ndarray, expansion: Expansion, weight: np.ndarray) -> None:
        index = expansion.context_index
        probabilities = (expansion.discounted * (weight / expansion.total)[index]).astype(rows.dtype)
        np.add.at(rows.reshape(-1), index * rows.shape[1] + expansion.words, probabilities)

    def _add_bigrams(self, rows: np.ndarray, contexts: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bigrams, total, backoff = self._bigrams(contexts, rows.dtype)
        factors = (weight / total).astype(rows.dtype)
        for row, (words, discounted), factor in zip(rows, bigrams, factors, strict=True):
            np.add.at(row, words, discounted * factor)
        return total, backoff

    def _bigrams(self, contexts: np.ndarray, dtype: np.dtype) -> tuple[list[Any], np.ndarray, np.ndarray]:
        """Return the words and discounted counts of the bigrams of each context (N,), the totals and the backoffs.

        They are kept, as a few words are the contexts of most places: in the end all of them, some 12 bytes each.
        Threads may share them: what one adds is complete, and another would add the same.
        """
        cache = self._bigram_cache.setdefault(dtype, {})
        new = [context for context in set(contexts.tolist()) if context not in cache]
        if new:
            expansion = self._expanded(self.levels[0], np.array(new))
            ends = np.searchsorted(expansion.context_index, np.arange(1, len(new)))
            columns = (expansion.words.astype(np.intp), expansion.discounted.astype(dtype))
            bigrams = zip(*(np.split(column, ends) for column in columns), strict=True)
            cache.update(zip(new, zip(bigrams, expansion.total, expansion.backoff, strict=True), strict=True))
        found, total, backoff = zip(*(cache[context] for context in contexts.tolist()), strict=True)
        return list(found), np.array(total), np.array(backoff)

    def _expanded(self, level: Level, contexts: np.ndarray) -> Expansion:
        expansion = level.expand(contexts)
        if expansion.words.max(initial=0) >= len(self.unigrams):
            raise ModelError(DAMAGED)
        return expansion

    # Weighing.

    @property
    def groups(self) -> int:
        """One kind of context for each number of known words."""
        return self.order

    def group(self, context: NGramContext) -> np.ndarray:
        """Return how many of the last words (T, B) occurred together before, followed by some word."""
        length = np.zeros(context.contexts.shape[:-1], np.int64)
        if length.size == 1:
            numbers = context.contexts.ravel().tolist()
            lengths = (n for n, level in enumerate(self.levels, 1) if level.is_context(numbers[n - 1]))
            length[...] = max(lengths, default=0)
            return length
        for n, level in enumerate(self.levels, 1):
            shorter = context.contexts[..., n - 1]
            # For `UNSEEN` (-1) this compares the last start with the first one, which is never larger.
            length[level.starts[shorter] < level.starts[shorter + 1]] = n
        return length

    # Making, storing and showing.

    @classmethod
    def fit(
        cls,
        ids: np.ndarray,
        config: NetworkConfig,
        options: TrainingOptions,
        *,
        folder: Path | None = None,
        progress: OnProgress | None = None,
        ranks: Ranks | None = None,
    ) -> Self | None:
        """Count the n-grams of a training text (N,)."""
        order = options.ngram_order
        if not order:
            return None
        size = config.vocabulary_size
        return cls.count(ids, size, order, options.prune, folder=folder, progress=progress, ranks=ranks)

    @classmethod
    def count(
        cls,
        ids: np.ndarray,
        vocabulary_size: int,
        order: int = 5,
        prune: bool = False,
        *,
        folder: Path | None = None,
        progress: OnProgress | None = None,
        ranks: Ranks | None = None,
    ) -> Self:
        """Estimate the model of a text (N,), each unit of which ends in `<eos>`: see `count_ngrams`."""
        from .ngram_counts import count_ngrams  # not at the top: most commands count nothing

        return cls(*count_ngrams(ids, vocabulary_size, order, prune, folder=folder, progress=progress, ranks=ranks))

    def stored_config(self) -> dict[str, Any]:
        """Return the order."""
        return {"ngram_order": self.order}

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the unigrams and the arrays of each level."""
        levels = {
            array_name(n, entry.name): getattr(level, entry.name)
            for n, level in enumerate(self.levels, 2)
            for entry in fields(Level)
        }
        return {"ngram.unigrams": self.unigrams, **levels}

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the n-gram model of a file; see `rnncli.lm.ngram_file`."""
        order = stored.config.get("ngram_order", 0)
        if not isinstance(order, int) or not 0 <= order <= MAX_NGRAM_ORDER:
            raise ValueError(f"its ngram_order is {order!r}")
        return cls(*levels_from_file(stored, order)) if order else None

    def description(self) -> str:
        """Describe the n-grams in a few words."""
        return f"{self.order}-grams ({sum(len(level.words) for level in self.levels):,})"
