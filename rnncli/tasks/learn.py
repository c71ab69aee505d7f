"""Learns texts in seconds, into the personal part of a model, and forgets them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..errors import SettingError, TextError, shortened
from ..lm.interface import Part
from ..lm.mixture import Mixture
from ..lm.ngram import NGram
from ..lm.personal import MAX_TEXTS, LearnedText, Personal, new_words
from ..lm.tuning import tuned_beside
from ..lm.widening import narrowed, widened
from ..model import Model
from ..text.corpus import Sources
from ..text.reading import listed, source_name
from ..text.vocabulary import EOS_ID, Tokens, Vocabulary
from .texts import tokens_for

ORDER = 5  # of the n-grams, where the model has none
MAX_NEW_WORDS = 50_000
HELD_OUT_FRACTION = 0.1  # of the units of a text, its last ones, on which the weights are tuned
MAX_HELD_OUT_WORDS = 10_000  # of all texts
M = TypeVar("M", bound=Model)


def learn(
    model: M,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    day: str | None = None,
    warn: Callable[[str], object] = lambda warning: None,
) -> M:
    """Return a model that has learned the texts in `sources` besides those before; `model` stays as it is.

    Each source is a text by itself, with its name and the `day` (by default today, as YYYY-MM-DD). The new version of a
    text that was learned under the same name takes its place. `warn` is told what was left out.
    """
    base, texts = before_learning(model)
    day = day or date.today().isoformat()
    learned = {text.name: text for text in texts}
    for source in listed(sources):
        tokens = tokens_for(base, [source], encoding, warn)
        if tokens.words() == 0:
            raise TextError(f"{source_name(source)} holds no word to learn")
        name = source_name(source)
        learned[name] = LearnedText(name, day, Tokens(tokens.types, tokens.ids))
    if len(learned) > MAX_TEXTS:
        raise SettingError(f"a model learns {MAX_TEXTS:,} texts at most: learn a folder of them as one")
    return _after_learning(base, list(learned.values()))


def forget(model: M, names: Sequence[str] | None = None) -> M:
    """Return a model that answers as if it had never learned the texts of these `names`; none at all by default.

    Raises `SettingError` for a name of a text that was not learned.
    """
    base, texts = before_learning(model)
    if names is None:
        return base
    forgotten = {_found(name, texts) for name in names}
    return _after_learning(base, [text for text in texts if text.name not in forgotten])


def _found(name: str, texts: Iterable[LearnedText]) -> str:
    """Return the name of the text that is meant: by its whole name, or else by that of its file alone."""
    names = [text.name for text in texts]
    if name in names:
        return name
    same_file = [other for other in names if Path(other).name == Path(name).name]
    if len(same_file) == 1:
        return same_file[0]
    known = ", ".join(map(shortened, same_file or names)) or "nothing"
    raise SettingError(f"no text called {shortened(name)} was learned: the model has learned {known}")


def before_learning(model: M) -> tuple[M, tuple[LearnedText, ...]]:
    """Return a model as it was before it learned any text, to the last digit, and these texts."""
    personal = model.lm.find(Personal)
    if personal is None:
        return model, ()
    size = personal.base_size
    parts = [narrowed(part, size, personal.base_unigrams) for part in model.lm.parts if part is not personal]
    vocabulary = Vocabulary(model.vocabulary.words[:size])
    return replace(model, lm=Mixture(parts, size, personal.base_weights), vocabulary=vocabulary), personal.texts


def _after_learning(base: M, texts: Sequence[LearnedText]) -> M:
    """Return the model that a base becomes by these texts."""
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
        personal = Personal(counts, texts, len(base.vocabulary), base.lm.weights, ngram.unigrams if ngram else None)
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
    """Put the personal part behind the network and the n-grams: the order in which a file is loaded."""
    place = max(place for place, part in enumerate(parts, 1) if part.name in ("network", NGram.name))
    return [*parts[:place], personal, *parts[place:]]


def _cut(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text (N,) into its first units and the last ones, which are held out; a single unit stays whole."""
    ends = np.flatnonzero(ids == EOS_ID)
    kept = len(ends) - max(1, round(len(ends) * HELD_OUT_FRACTION))
    place = int(ends[kept - 1]) + 1 if kept > 0 else len(ids)
    return ids[:place], ids[place:]
