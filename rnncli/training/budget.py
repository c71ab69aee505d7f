"""Divides the time of a training: how much its steps get, and how much the other work may take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..lm.tuning import MAX_TUNING_WORDS
from ..nn.speed import Now
from .plan import Plan
from .state import TrainingState

WATCHING_FRACTION = 0.0025  # of the time, for each report
TUNING_FRACTION = 0.04  # of the time, for tuning the mixture at the end
SAVING_SECONDS = 1.0  # kept for writing the model
PROBE_WORDS = 4096  # of the held-out text, read to see how long that takes
CACHE_FILL = 0.75  # of the cache, on average while the mixture is tuned
COUNTING_FRACTION = 0.15  # of the time, for counting n-grams
COUNTED_PROBE_WORDS = 200_000  # of the training text, counted to see how long that takes
COUNTING_SLOWDOWN = 1.5  # of a word in a large text
MAX_COUNTED_WORDS = 30_000_000  # whose n-grams, some 100 MB, are part of the model
Read = Callable[[np.ndarray], Any]  # reads held-out words (N,)


def countable_words(plan: Plan, words: int, count: Callable[[int], object], now: Now) -> int:
    """Return of how many `words` of a training text there is time and memory to `count` the n-grams."""
    most = min(words, MAX_COUNTED_WORDS)
    if math.isinf(plan.training.time) or most <= COUNTED_PROBE_WORDS or not plan.training.ngram_order:
        return most
    began = now()
    count(COUNTED_PROBE_WORDS)
    seconds_per_word = COUNTING_SLOWDOWN * (now() - began) / COUNTED_PROBE_WORDS
    affordable = COUNTING_FRACTION * plan.training.time / seconds_per_word
    return int(min(most, max(COUNTED_PROBE_WORDS, affordable)))


def allot(state: TrainingState, plan: Plan, valid: np.ndarray, watch: Read, tune: Read, now: Now) -> None:
    """Decide how much held-out text is watched for each report, and tuned on at the end; and when the last step ends.

    `watch` and `tune` do so with some of the words of `valid` (N,). The time for the steps includes all reports but the
    last one.
    """
    state.watched_words = len(valid)
    state.tuning_words = min(MAX_TUNING_WORDS, len(valid))
    if math.isfinite(plan.training.time):
        _limit(state, plan, valid, watch, tune, now, fractions=(WATCHING_FRACTION, TUNING_FRACTION))


def allot_anew(state: TrainingState, plan: Plan, valid: np.ndarray, watch: Read, tune: Read, now: Now) -> None:
    """Give a training that goes on another time than it had. What is watched and tuned on stays the same."""
    if math.isinf(plan.training.time):
        state.budget.end = math.inf
    elif math.isinf(state.budget.end):
        _limit(state, plan, valid, watch, tune, now, fractions=(math.inf, math.inf))
    else:
        state.budget.limit(plan.training.time)


def _limit(
    state: TrainingState,
    plan: Plan,
    valid: np.ndarray,
    watch: Read,
    tune: Read,
    now: Now,
    fractions: tuple[float, float],
) -> None:
    seconds = plan.training.time
    state.watched_words, watching = affordable_words(watch, valid, now, fractions[0] * seconds, state.watched_words)
    # The fuller the cache, the slower is a word; and at the end there are all networks.
    slowdown = plan.training.networks * max(1.0, CACHE_FILL * plan.training.cache_size / PROBE_WORDS)
    state.tuning_words, tuning = affordable_words(
        tune, valid, now, fractions[1] * seconds, state.tuning_words, slowdown
    )
    state.budget.reserved = watching + tuning + SAVING_SECONDS
    state.budget.limit(seconds)


def affordable_words(
    read: Read, valid: np.ndarray, now: Now, seconds: float, most: int, slowdown: float = 1.0
) -> tuple[int, float]:
    """Return how many of at most `most` held-out words can be read in some seconds, and the seconds that takes.

    `read` reads some of them now, and its time is multiplied by `slowdown`.
    """
    probe = valid[:PROBE_WORDS]
    began = now()
    read(probe)
    seconds_per_word = slowdown * (now() - began) / len(probe)
    count = int(min(len(valid), most, max(PROBE_WORDS, seconds / seconds_per_word)))
    return count, count * seconds_per_word
