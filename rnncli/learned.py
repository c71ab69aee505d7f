"""A model before and after it has learned texts: the second follows from the first, and from these texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .lm.cache import Cache
from .lm.interface import Part
from .lm.mixture import Mixture
from .lm.ngram import NGram
from .lm.personal import LearnedText, Personal, new_words
from .lm.tuning import tuned_beside
from .lm.widening import narrowed, unigrams_of, widened
from .model import Model
from .text.vocabulary import EOS_ID, Vocabulary

ORDER = 5  # of the n-grams, where the model has none
MAX_NEW_WORDS = 50_000
HELD_OUT_FRACTION = 0.1  # of the units of a text, its last ones, on which the weights are tuned
MAX_HELD_OUT_WORDS = 10_000  # of all texts
M = TypeVar("M", bound=Model)


def before_learning(model: M) -> tuple[M, tuple[LearnedText, ...]]:
    """Return a model as it was before it learned any text, to the last digit, and these texts."""
    personal = model.lm.find(Personal)
    if personal is None:
        return model, ()
    size = personal.base_size
    parts = [narrowed(part, size, personal.base_unigrams) for part in model.lm.parts if part is not personal]
    vocabulary = Vocabulary(model.vocabulary.words[:size])
    return replace(model, lm=Mixture(parts, size, personal.base_weights), vocabulary=vocabulary), personal.texts


def after_learning(base: M, texts: Sequence[LearnedText]) -> M:
    """Return the model that a `base`, which has learned nothing, becomes by these texts."""
    if not texts:
        return base
    new = new_words(texts, base.vocabulary.exactly, MAX_NEW_WORDS)
    vocabulary = Vocabulary([*base.vocabulary.words, *new])
    size = len(vocabulary)
    ngram = base.lm.find(NGram)
    order = ngram.order if ngram else ORDER
    ids = [vocabulary.encode(text.tokens) for text in texts]
    pieces = [_cut(own) for own in ids]

    def with_personal(counted: Sequence[np.ndarray]) -> tuple[Mixture, Personal]:
        counts = NGram.count(np.concatenate(counted), size, order)
        personal = Personal(counts, texts, len(base.vocabulary), base.lm.weights, unigrams_of(base.lm.parts))
        return Mixture(_inserted(others, personal), size), personal

    others = [widened(part, len(new)) for part in base.lm.parts]
    mixture, personal = with_personal([first for first, _ in pieces])
    share = MAX_HELD_OUT_WORDS / max(1, sum(len(last) for _, last in pieces))
    held_out = [last[: round(min(1.0, share) * len(last))] for _, last in pieces]
    weights = tuned_beside(
        mixture, personal, personal.prior_weights, base.lm.weights, [text for text in held_out if len(text)]
    )
    mixture, _ = with_personal(ids)
    return replace(base, lm=Mixture(mixture.parts, size, weights), vocabulary=vocabulary)


def _inserted(parts: Sequence[Part], personal: Personal) -> list[Part]:
    """Put the personal part where it stands when a file is loaded: before the cache."""
    place = next((place for place, part in enumerate(parts) if isinstance(part, Cache)), len(parts))
    return [*parts[:place], personal, *parts[place:]]


def _cut(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text (N,) into its first units and the last ones, which are held out; a single unit stays whole."""
    ends = np.flatnonzero(ids == EOS_ID)
    kept = len(ends) - max(1, round(len(ends) * HELD_OUT_FRACTION))
    place = int(ends[kept - 1]) + 1 if kept > 0 else len(ids)
    return ids[:place], ids[place:]
