"""The loss of a language model on a whole text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..text.batches import padded
from .mixture import passes

SEQUENCES_PER_JOB = 8
MAX_LOSS = 690.0  # nats a word: e^690 is about as large as a number can be


def perplexity(loss: float) -> float:
    """Return exp(loss) of a loss in nats; infinity where that is too large for a number."""
    return math.exp(loss) if loss < MAX_LOSS else math.inf if loss == loss else math.nan


class Scorer(Protocol):
    """What can tell how likely words are: a mixture, or a network alone."""

    def initial_state(self, batch: int) -> Any:
        """Return the state at the beginning of a unit."""

    def read(self, words: np.ndarray, state: Any) -> Any:
        """Return the state after reading `words` (T, B)."""

    def score(self, words: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """Return minus the log-probability (T, B) of each of the `words`, and the state after them."""


def mean_loss(lm: Scorer, texts: Sequence[np.ndarray], side_by_side: Callable[..., Any] = map) -> float:
    """Return the mean loss in nats over the words of some texts (N,), each read from the beginning of a unit.

    `side_by_side` is `map`, or what does the same on several threads.
    """
    texts = sorted(texts, key=len, reverse=True)  # those of about the same length stand in one batch

    def loss(first: int) -> float:
        words, lengths = padded(texts[first : first + SEQUENCES_PER_JOB])
        nll = np.empty(words.shape)
        with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged predicts nothing
            state = lm.initial_state(words.shape[1])
            for chunk in passes(len(words)):
                nll[chunk], state = lm.score(words[chunk], state)
        return float(nll[np.arange(len(words))[:, None] < lengths].sum())

    losses = side_by_side(loss, range(0, len(texts), SEQUENCES_PER_JOB))
    return float(sum(losses)) / sum(map(len, texts))
