"""Ranking the next words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import SettingError
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
    unknown_words: list[str]  # of the prompt, in its order


def rank(model: Model, prompt: str, n: int = 10) -> Ranking:
    """The `n` likeliest next words after `prompt`, or all of them where `n` is 0.

    The prompt stands at the beginning of a unit. `<unk>` is left out, and the probabilities of the other words,
    `<eos>` (the end of the unit) among them, sum to one.
    """
    if n < 0:
        raise SettingError(f"n is {n}, and must be 0 (all words) or more")
    ids, unknown = model.encode(prompt)
    state = model.lm.start(1)
    if len(ids):
        state = model.lm.read(ids, state)
    probabilities = of_real_words(model.lm.log_prob(state))[0]
    best = np.argsort(-probabilities, kind="stable")
    best = best[best != UNK_ID][: n or None]
    words = model.vocabulary.words
    return Ranking(prompt, [Prediction(words[i], float(probabilities[i])) for i in best], unknown)


def of_real_words(log_p: np.ndarray) -> np.ndarray:
    """The probabilities (B, V), in float64, that log-probabilities leave to the words that can be named."""
    p = np.exp(log_p.astype(np.float64))
    p[:, UNK_ID] = 0
    return p / p.sum(axis=1, keepdims=True)
