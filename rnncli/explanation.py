"""Why a word is predicted: what each word of the prompt, and each part of the model, did for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .blanks import BLANK
from .errors import SettingError, TextError
from .lm.mixture import State, repeated
from .prediction import best_words, of_real_words
from .text.vocabulary import UNK_ID
from .threads import on_all_cores

if TYPE_CHECKING:
    from .model import Model

STREAMS = 64  # variants of a prompt that are read side by side, in one piece of work,
SIDE_BY_SIDE = 8  # so many of which are given to the cores at once


@dataclass(frozen=True)
class Influence:
    """A word of the prompt, and what it does for the word explained."""

    word: str
    change: float  # nats of log-probability that it adds, against being hidden


@dataclass(frozen=True)
class Explanation:
    """Why a word is as likely as it is after a prompt."""

    prompt: str
    word: str
    probability: float
    parts: dict[str, float]  # what each part of the model gave; their sum is the probability
    influences: list[Influence]  # in the prompt's order
    unknown_words: list[str]  # of the prompt


def explain(
    model: Model,
    prompt: str,
    word: str | None = None,
    *,
    progress: Callable[[float], object] = lambda share: None,
) -> Explanation:
    """How much each word of `prompt` moved the prediction of `word`, by default that of the likeliest next word.

    Each word in turn is hidden, as if it were an unknown one, and the log-probability then is compared with that after
    the prompt as it is. The work grows with the square of the prompt's length; `progress` is told which share of it is
    done, from 0 to 1. Raises `SettingError` for a word that the model does not know.
    """
    if BLANK.search(prompt):
        raise TextError(f"{prompt!r} has a blank: only what comes next is explained")
    tokens = model.tokenizer.tokenize(prompt)
    ids, unknown = model.number(tokens)
    blocks, state = [], model.lm.start(1)
    for start in range(0, len(ids), STREAMS):
        blocks.append((start, state))
        state = model.lm.read(ids[start : start + STREAMS], state)
    view = model.lm.here(state)
    p = of_real_words(model.lm.prob_at(view)[0])
    target = best_words(p, 1)[0] if word is None else model.vocabulary.find(word)
    if target == UNK_ID:
        raise SettingError(f"the model does not know the word {word!r}: name one of its words")

    def changes_from(start: int, before: State) -> list[float]:
        """What the next words from `start` on add, when all up to there is read."""
        count = min(STREAMS, len(ids) - start)
        hidden = np.repeat(ids[start:], count, axis=1)
        np.fill_diagonal(hidden, UNK_ID)
        variants = model.lm.read(hidden, repeated(before, count))
        return np.log(p[target] / of_real_words(model.lm.prob(variants))[:, target]).tolist()

    changes: list[float] = []
    for place in range(0, len(blocks), SIDE_BY_SIDE):
        some = blocks[place : place + SIDE_BY_SIDE]
        changes += itertools.chain.from_iterable(on_all_cores(lambda block: changes_from(*block), some))
        left = 1 - len(changes) / len(ids)
        progress(1 - left * left)  # the later a word, the less there is to read after it
    parts = model.lm.parts_at(view)[:, 0].astype(np.float64)
    given = parts[:, target] * p[target] / max(parts[:, target].sum(), np.finfo(np.float32).tiny)
    return Explanation(
        prompt,
        model.vocabulary.word(target),
        float(p[target]),
        dict(zip(model.lm.parts, given.tolist(), strict=True)),
        [Influence(token, change) for token, change in zip(tokens, changes, strict=True)],
        unknown,
    )
