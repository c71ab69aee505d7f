"""Filling a blank: what may stand between the words before it and those after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from .errors import OverflowedError, TextError
from .lm.mixture import repeated
from .text.vocabulary import UNK_ID

if TYPE_CHECKING:
    from .model import Model

BLANK = re.compile("_{3,}")
CANDIDATES = 500  # the likeliest words after what stands before the blank; no others are tried
STREAMS = 50  # candidates that are read side by side


def around(prompt: str) -> tuple[str, str]:
    """What stands before and after the blank of a prompt that has one."""
    before, *rests = BLANK.split(prompt)
    if len(rests) > 1:
        raise TextError(f"{prompt!r} has several blanks: fill one at a time")
    return before, rests[0]


def fill(
    model: Model, before: str, after: str, candidates: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The words (K,) that may stand in a blank, their probabilities (K,), and the unknown words around it.

    A word's probability is that of the word after what stands before the blank, times that of what stands behind the
    blank after the word, over the sum of these for all words that are tried. Those are the `candidates`, or the
    likeliest several hundred after what stands before: a word that nobody would expect there is never found, however
    well it fits what follows. `<unk>` and the end of the unit are no candidates; what comes after the prompt's last
    word is left open.
    """
    state, unknown = model.begin(before)
    rest, more_unknown = model.encode(after)
    log_p = model.lm.log_prob(state)[0].astype(np.float64)
    if candidates is None:
        candidates = np.arange(UNK_ID + 1, len(log_p))
        if len(candidates) > CANDIDATES:
            candidates = np.sort(candidates[np.argpartition(-log_p[candidates], CANDIDATES)[:CANDIDATES]])
    candidates = candidates[candidates > UNK_ID]
    log_p = log_p[candidates]
    for start in range(0, len(candidates) if len(rest) else 0, STREAMS):
        some = candidates[start : start + STREAMS]
        words = np.concatenate([some[None], np.repeat(rest, len(some), axis=1)])
        nll, _ = model.lm.score(words, repeated(state, len(some)))
        log_p[start : start + STREAMS] -= nll[1:].sum(axis=0)
    if not np.isfinite(log_p).all():
        raise OverflowedError
    p = np.exp(log_p - log_p.max(initial=-np.inf))
    return candidates, p / p.sum(), unknown + more_unknown
