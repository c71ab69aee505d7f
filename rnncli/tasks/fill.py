"""Fills a blank: which words fit between the words before it and the words after it."""

from __future__ import annotations

import re

import numpy as np

from ..errors import OverflowedError, TextError, quoted
from ..model import Model
from ..text.vocabulary import UNK_ID
from .batching import chunks

BLANK = re.compile("_{3,}")
MIN_CANDIDATES = 500  # the likeliest words after the words before the blank, if fewer words are asked for
CANDIDATES_PER_GROUP = 50  # that are read side by side


def around_blank(prompt: str) -> tuple[str, str]:
    """Return the text before and after the blank of a prompt that has one."""
    before, *rest = BLANK.split(prompt)
    if len(rest) > 1:
        raise TextError(f"{quoted(prompt)} has several blanks: fill one at a time")
    return before, rest[0]


def fill(
    model: Model, before: str, after: str, candidates: np.ndarray | None = None, n: int = MIN_CANDIDATES
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the words (K,) that fit into a blank, their probabilities (K,), and the unknown words around it.

    The probability of a word is proportional to P(word | before) * P(after | before, word), over the `candidates`.
    By default these are the `n` likeliest words after `before`, at least `MIN_CANDIDATES`, and all words where `n` is
    0: a word that is very unlikely there is not found, however well it fits the words after the blank. `<unk>` and the
    end of the unit are no candidates; what follows the prompt is left open.
    """
    state, unknown = model.state_after(before)
    rest, more_unknown = model.encode(after)
    log_p = np.log(model.lm.distribution(model.lm.context(state))[0, 0].astype(np.float64))
    if candidates is None:
        candidates = np.setdiff1d(np.arange(UNK_ID + 1, len(log_p)), model.vocabulary.noted[0])
        size = max(n, MIN_CANDIDATES) if n else len(candidates)
        if len(candidates) > size:
            candidates = np.sort(candidates[np.argpartition(-log_p[candidates], size)[:size]])
    candidates = candidates[candidates > UNK_ID]
    log_p = log_p[candidates]
    for chunk in chunks(len(candidates) if len(rest) else 0, CANDIDATES_PER_GROUP):
        group = candidates[chunk]
        words = np.concatenate([group[None], np.repeat(rest, len(group), axis=1)])
        nll, _ = model.lm.score(words, state.repeat(len(group)))
        log_p[chunk] -= nll[1:].sum(axis=0)
    if not np.isfinite(log_p).all():
        raise OverflowedError
    p = np.exp(log_p - log_p.max(initial=-np.inf))
    return candidates, p / p.sum(), unknown + more_unknown
