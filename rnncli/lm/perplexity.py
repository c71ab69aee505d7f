"""The loss of a language model on a whole text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..text.vocabulary import EOS_ID
from .mixture import WORDS_PER_PASS, passes

SEQUENCES = 32  # that a text is read in, side by side
SEQUENCES_PER_JOB = 8
MAX_LOSS = 690.0  # nats a word: e^690 is about as large as a number can be


def perplexity(loss: float) -> float:
    """Return exp(loss) of a loss in nats; infinity where that is too large for a number."""
    return math.exp(loss) if loss < MAX_LOSS else math.inf if loss == loss else math.nan


class Scorer(Protocol):
    """What can tell how likely words are: a mixture, or a network alone."""

    def initial_state(self, batch: int) -> Any:
        """Return the state at the beginning of a unit."""

    def score(self, words: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """Return minus the log-probability (T, B) of each of the `words`, and the state after them."""


def mean_loss(lm: Scorer, ids: np.ndarray, side_by_side: Callable[..., Any] = map) -> float:
    """Return the mean loss in nats over a text (N,), each word predicted once; read as several sequences at once.

    `side_by_side` is `map`, or what does the same on several threads.
    """
    batch = max(1, min(SEQUENCES, len(ids) // WORDS_PER_PASS))
    length = -(-len(ids) // batch)
    padded = np.full(batch * length, EOS_ID, np.int32)
    padded[: len(ids)] = ids
    sequences = padded.reshape(batch, length)

    def losses(first: int) -> np.ndarray:
        words = sequences[first : first + SEQUENCES_PER_JOB].T
        nll = np.empty(words.shape)
        with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged predicts nothing
            state = lm.initial_state(words.shape[1])
            for chunk in passes(length):
                nll[chunk], state = lm.score(words[chunk], state)
        return np.transpose(nll)

    nll = np.concatenate(list(side_by_side(losses, range(0, batch, SEQUENCES_PER_JOB))))
    return float(nll.ravel()[: len(ids)].mean())
