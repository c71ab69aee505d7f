"""Explains a prediction: what each word of the prompt, and each part of the model, contributes to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..callbacks import OnProgress
from ..errors import SettingError, TextError, quoted
from ..lm.mixture import MixtureContext, MixtureState
from ..model import Model
from ..nn.threads import on_all_cores
from ..text.vocabulary import EOS_ID, UNK_ID
from .batching import chunks
from .evidence import CachedPlace, SeenSequence, SourceLine, cached_places, lines_of, seen_sequences
from .fill import BLANK
from .predict import best_words, of_words

VARIANTS_PER_GROUP = 64  # of a prompt, read side by side
MAX_HIDDEN_WORDS = 1000  # the last ones of a prompt; the words before them are read, and not hidden
GROUPS_PER_REPORT = 8  # that the cores work on between two reports of progress


@dataclass(frozen=True)
class Influence:
    """A word of the prompt, and its influence on the explained word."""

    word: str
    change: float  # nats of log-probability that it adds, compared with hiding it


@dataclass(frozen=True)
class Explanation:
    """Why a word is as likely as it is after a prompt."""

    prompt: str
    word: str
    probability: float
    parts: dict[str, float]  # what each part of the model contributes; their sum is the probability
    influences: list[Influence]  # of the last words, in the prompt's order
    unknown_words: list[str]  # of the prompt
    sequences: list[SeenSequence] = field(default_factory=list)  # that the n-grams have seen
    cached: list[CachedPlace] = field(default_factory=list)  # where the cache found the word
    lines: list[SourceLine] = field(default_factory=list)  # of the sources, with the word after the last ones


def explain(
    model: Model,
    prompt: str,
    word: str | None = None,
    *,
    lines: Sequence[SourceLine] = (),
    progress: OnProgress = lambda fraction: None,
) -> Explanation:
    """Measure how much each word of `prompt` changes the prediction of `word`, by default of the likeliest next word.

    Each word in turn is hidden, as if it were unknown, and the log-probability then is compared with that after the
    whole prompt. The work grows with the square of their number, so it is done for the last 1,000 words; `progress` is
    told the fraction that is done. Of the `lines` of some texts, those are named that hold the most of the last words
    and the predicted one in a row. Raises `SettingError` for a word that the model does not know.
    """
    if BLANK.search(prompt):
        raise TextError(f"{quoted(prompt)} has a blank: only what comes next is explained")
    ids, tokens, unknown = model.encode_segments(model.tokenizer.segment(prompt))
    first = max(0, len(ids) - MAX_HIDDEN_WORDS)
    starts: list[tuple[slice, MixtureState]] = []  # groups of words to hide, and the state before each group
    state = model.lm.read(ids[:first], model.lm.initial_state(1))
    for chunk in chunks(len(ids) - first, VARIANTS_PER_GROUP):
        starts.append((chunk, state))
        state = model.lm.read(ids[first:][chunk], state)
    context = model.lm.context(state)
    p = of_words(model.lm.distribution(context)[0, 0], model.vocabulary)
    target = int(best_words(p, 1)[0]) if word is None else model.number_of(word)
    if target == UNK_ID:
        raise SettingError(f"the model does not know the word {quoted(word or '')}: name one of its words")
    changes = _changes(model, ids[first:], starts, target, float(p[target]), progress)
    before = np.append([EOS_ID], ids)
    return Explanation(
        prompt,
        model.word(target),
        float(p[target]),
        _contributions(model, context, target, float(p[target])),
        [Influence(token, change) for token, change in zip(tokens[first:], changes, strict=True)],
        unknown,
        seen_sequences(model, context, before, target),
        cached_places(model, context, target),
        lines_of(model, lines, before, target),
    )


def _changes(
    model: Model,
    ids: np.ndarray,
    starts: list[tuple[slice, MixtureState]],
    target: int,
    p: float,
    progress: OnProgress,
) -> list[float]:
    """Return how much the log-probability of the `target`, `p` now, is less with each of the words (T, 1) hidden.

    `starts` are groups of these words, and the state before each group.
    """

    def changes_in(group: tuple[slice, MixtureState]) -> list[float]:
        hidden_p = _hide_each(model, ids, *group)[:, target]
        changes: list[float] = np.log(p / hidden_p).tolist()
        return changes

    changes: list[float] = []
    for chunk in chunks(len(starts), GROUPS_PER_REPORT):
        changes += itertools.chain.from_iterable(on_all_cores(changes_in, starts[chunk]))
        rest = 1 - len(changes) / len(ids)
        progress(1 - rest * rest)  # the later a hidden word, the fewer words are read after it
    return changes


def _hide_each(model: Model, ids: np.ndarray, chunk: slice, state: MixtureState) -> np.ndarray:
    """Return the probabilities (K, V) after K variants of the words: in each, one of `chunk` words is hidden.

    `state` is that before these words.
    """
    count = chunk.stop - chunk.start
    hidden = np.repeat(ids[chunk.start :], count, axis=1)
    np.fill_diagonal(hidden, UNK_ID)
    variants = model.lm.read(hidden, state.repeat(count))
    return of_words(model.lm.distribution(model.lm.context(variants))[0], model.vocabulary)


def _contributions(model: Model, context: MixtureContext, target: int, p: float) -> dict[str, float]:
    """Divide the probability `p` of a word by what the parts contribute to it."""
    contributions = model.vocabulary.merge(model.lm.contributions(context)[:, 0, 0])[:, target].astype(np.float64)
    contributions *= p / max(contributions.sum(), np.finfo(np.float32).tiny)
    return dict(zip(model.lm.names, contributions.tolist(), strict=True))
