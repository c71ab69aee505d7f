"""The clock of a training: how much of it is done, and how much time its other work may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .plan import Plan
from .state import TrainingState

WATCHING_FRACTION = 0.0015  # of the time, for each report
TUNING_FRACTION = 0.025  # of the time, for tuning the mixture at the end
SAVING_SECONDS = 1.0  # kept for writing the model
PROBE_WORDS = 4096  # of the held-out text, read to see how long that takes
COOLDOWN_FRACTION = 0.5  # of the epochs before it: how long a cooldown takes


class Clock:
    """Measures the progress of a training: by the text, by the time, or by a cooldown."""

    def __init__(self, plan: Plan, state: TrainingState, rows: int, began: float):
        """`rows` are those of the sequences; `began` is when the time began to run, by `time.perf_counter`."""
        self.plan = plan
        self.state = state
        self.rows = rows
        self.began = began

    def now(self) -> float:
        """Return the seconds since the training began to read the text; the state keeps them."""
        self.state.budget.elapsed = time.perf_counter() - self.began
        return self.state.budget.elapsed

    def epochs(self) -> float:
        """Return how often the text has been read."""
        return self.state.epochs + self.state.position / self.rows

    def fraction(self) -> float:
        """Return the fraction of the training that is done, from 0 to 1."""
        state = self.state
        self.now()
        fraction = max(self.epochs() / self.plan.training.epochs, state.budget.fraction())
        if cooldown := state.cooldown:
            cooled = (self.epochs() / cooldown.epochs - 1) / COOLDOWN_FRACTION
            fraction = max(fraction, cooldown.fraction + (1 - cooldown.fraction) * cooled)
        return min(fraction, 1.0)


def affordable_words(
    read: Callable[[np.ndarray], Any], valid: np.ndarray, seconds: float, most: int, slowdown: float = 1.0
) -> tuple[int, float]:
    """Return how many of at most `most` held-out words can be read in some seconds, and the seconds that takes.

    `read` reads some of them now, and its time is multiplied by `slowdown`.
    """
    probe = valid[:PROBE_WORDS]
    began = time.perf_counter()
    read(probe)
    seconds_per_word = slowdown * (time.perf_counter() - began) / len(probe)
    count = min(len(valid), most, max(PROBE_WORDS, int(seconds / seconds_per_word)))
    return count, count * seconds_per_word
