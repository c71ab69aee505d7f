"""Ranking the next words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .errors import ModelError, SettingError
from .text.vocabulary import UNK_ID

if TYPE_CHECKING:
    from .model import Model


class Prediction(NamedTuple):
    """A word and how likely it comes next."""

    word: str
    probability: float


@dataclass(frozen=True)
class Ranking:
    """The answer to a prompt."""

    prompt: str
    predictions: list[Prediction]  # best first
    parts: list[dict[str, float]]  # for each of them what each part of the model gave it; empty if not asked for
    unknown_words: list[str]  # of the prompt, in its order


def rank(model: Model, prompt: str, n: int = 10, parts: bool = False) -> Ranking:
    """The `n` likeliest next words after `prompt`, or all of them where `n` is 0.

    The prompt stands at the beginning of a unit. `<unk>` is left out, and the probabilities of the other words,
    `<eos>` (the end of the unit) among them, sum to one. With `parts` it is told what each part of the model gave to
    each word: that sums to the word's probability.
    """
    if n < 0:
        raise SettingError(f"n is {n}, and must be 0 (all words) or more")
    state, unknown = model.begin(prompt)
    log_p = of_real_words(model.lm.log_prob(state)[0])
    best = np.argsort(-log_p, kind="stable")
    best = best[best != UNK_ID][: n or None]
    words = model.vocabulary.words
    predictions = [Prediction(words[i], float(np.exp(log_p[i]))) for i in best]
    return Ranking(prompt, predictions, _parts(model, state, best) if parts else [], unknown)


def _parts(model: Model, state: Any, words: np.ndarray) -> list[dict[str, float]]:
    """What each part of the model gives to each of the `words`, of what all give to all but `<unk>`."""
    log_p, shares = model.lm.log_prob_parts(state)
    given = shares * np.exp(log_p[:, 0].astype(np.float64))  # (parts, V)
    given /= given.sum() - given[:, UNK_ID].sum()
    return [dict(zip(model.lm.parts, column, strict=True)) for column in given[:, words].T.tolist()]


def of_real_words(log_p: np.ndarray) -> np.ndarray:
    """The log-probabilities (V,), in float64, of the words that can be named, given that it is one of them."""
    log_p = log_p.astype(np.float64)
    log_p[UNK_ID] = -np.inf
    log_p -= log_p.max()
    log_p -= np.log(np.exp(log_p).sum())
    if np.isnan(log_p).any():
        raise ModelError("the model's numbers have run over, so it gives no probabilities: train it anew")
    return log_p
