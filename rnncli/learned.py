"""A model before and after it has learned texts: the second follows from the first, and from these texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from .errors import ModelError, SettingError
from .lm.cache import Cache
from .lm.interface import Part
from .lm.mixture import Mixture
from .lm.ngram import NGram
from .lm.personal import NO_GAIN, Before, Gain, LearnedText, Personal, new_words
from .lm.tuning import TunedBeside, tuned_beside
from .lm.voice import Voice
from .lm.widening import narrowed, unigrams_of, widened
from .model import Model
from .text.vocabulary import EOS_ID, UNK_ID, Vocabulary

ORDER = 5  # of the n-grams, where the model has none
MAX_NEW_WORDS = 50_000
HELD_OUT_FRACTION = 0.1  # of the units of a text, its last ones, on which the weights are tuned
MAX_HELD_OUT_WORDS = 5_000  # of all texts
WORDS_PER_PIECE = 2_500  # of them at least, that are read one after the other: several pieces go to several cores
M = TypeVar("M", bound=Model)


class Tuning(NamedTuple):
    """The weights (groups, parts) of a model that has learned, and what it has gained."""

    weights: np.ndarray
    gain: Gain


def learned_texts(model: Model) -> tuple[LearnedText, ...]:
    """Return the texts that a model has learned."""
    personal = model.lm.find(Personal)
    return personal.texts if personal else ()


def check_not_adapted(model: Model) -> None:
    """Raise `SettingError` for a model that has adapted to a text: its parts cannot be taken apart."""
    if model.lm.beginning is not None:
        raise SettingError("the model has adapted to a text: take it as it was before that")


def before_learning(model: M) -> tuple[M, tuple[LearnedText, ...]]:
    """Return a model as it was before it learned any text, to the last digit, and these texts."""
    personal = model.lm.find(Personal)
    if personal is None:
        return model, ()
    check_not_adapted(model)
    size, weights, unigrams = personal.before
    try:
        parts = [narrowed(part, size, unigrams) for part in model.lm.parts if part is not personal]
    except KeyError as error:
        raise ModelError(f"the model's file is damaged: it lacks the unigrams of its part {error}") from error
    lm = Mixture(parts, size, weights)
    try:
        lm.check_weights()
    except ValueError as error:
        raise ModelError(f"the model's file is damaged: before it learned, {error}") from error
    return replace(model, lm=lm, vocabulary=Vocabulary(model.vocabulary.words[:size])), personal.texts


def after_learning(base: M, texts: Sequence[LearnedText], tuning: Tuning | None = None) -> M:
    """Return the model that a `base`, which has learned nothing, becomes by these texts.

    Its weights are tuned on the ends of the texts, unless there is a `tuning`.
    """
    if not texts:
        return base
    check_not_adapted(base)
    new = new_words(texts, base.vocabulary.exactly, MAX_NEW_WORDS)
    vocabulary = Vocabulary([*base.vocabulary.words, *new])
    size = len(vocabulary)
    ids = [vocabulary.encode(text.tokens) for text in texts]
    order = _order(base)
    before = Before(len(base.vocabulary), base.lm.weights, unigrams_of(base.lm.parts))
    others = [widened(part, len(new)) for part in base.lm.parts]

    def personal_of(counted: Sequence[np.ndarray], gain: Gain = NO_GAIN) -> Personal:
        return Personal(NGram.count(np.concatenate(counted), size, order), texts, before, gain)

    if tuning is None:
        first, held_out = zip(*map(_cut, ids), strict=True)
        part = personal_of(first)
        mixture = Mixture(_inserted(others, part), size)
        ends = _tuning_texts(held_out)
        tuned = tuned_beside(mixture, part, part.prior_weights, base.lm.weights, ends)
        tuning = Tuning(tuned.weights, _gain(tuned, ends, len(base.vocabulary)))
    lm = Mixture(_inserted(others, personal_of(ids, tuning.gain)), size, tuning.weights)
    return replace(base, lm=lm, vocabulary=vocabulary)


def _gain(tuned: TunedBeside, ends: Sequence[np.ndarray], known_words: int) -> Gain:
    """Return what it is worth to have learned, on the ends (N,) of the texts."""
    if not ends:
        return NO_GAIN
    ids = np.concatenate(ends)
    known = (ids < known_words) & (ids != UNK_ID)
    losses = [tuned.before.mean(), tuned.after.mean()]
    losses += [loss[known].mean() if known.any() else np.nan for loss in (tuned.before, tuned.after)]
    return Gain(*map(float, [*losses, 1 - known.mean(), len(ids)]))


def tuning_of(model: Model) -> Tuning:
    """Return the weights of a model as they are, or as they are at first in one that has learned nothing."""
    personal = model.lm.find(Personal)
    if personal:
        return Tuning(model.lm.weights, personal.gain)
    one = np.array([EOS_ID])
    counted = NGram.count(one, len(model.vocabulary), _order(model))
    part = Personal(counted, (), Before(len(model.vocabulary), model.lm.weights, {}))
    mixture = Mixture(_inserted(model.lm.parts, part), len(model.vocabulary))
    return Tuning(tuned_beside(mixture, part, part.prior_weights, model.lm.weights, []).weights, NO_GAIN)


def _order(model: Model) -> int:
    """Return the order of the n-grams of a model, or of those that it would have."""
    ngram = model.lm.find(NGram)
    return ngram.order if ngram else ORDER


def _tuning_texts(held_out: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Take of each text (N,) its fraction of `MAX_HELD_OUT_WORDS`, in pieces."""
    fraction = min(1.0, MAX_HELD_OUT_WORDS / max(1, sum(map(len, held_out))))
    return [piece for text in held_out for piece in _pieces(text[: round(fraction * len(text))])]


def _pieces(text: np.ndarray) -> list[np.ndarray]:
    """Cut a text (N,) between its units into pieces of about the same size; a short one makes a single piece."""
    count = max(1, len(text) // WORDS_PER_PIECE)
    ends = np.flatnonzero(text == EOS_ID) + 1
    places = np.searchsorted(ends, [len(text) * number // count for number in range(1, count)])
    return [piece for piece in np.split(text, ends[places[places < len(ends)]]) if len(piece)]


def _inserted(parts: Sequence[Part], personal: Personal) -> list[Part]:
    """Put the personal part where it stands when a file is loaded: before the cache, or the voices of a mix."""
    place = next((place for place, part in enumerate(parts) if isinstance(part, Cache | Voice)), len(parts))
    return [*parts[:place], personal, *parts[place:]]


def _cut(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text (N,) into its first units and the last ones, which are held out; a single unit stays whole."""
    ends = np.flatnonzero(ids == EOS_ID)
    kept = len(ends) - max(1, round(len(ends) * HELD_OUT_FRACTION))
    place = int(ends[kept - 1]) + 1 if kept > 0 else len(ids)
    return ids[:place], ids[place:]
