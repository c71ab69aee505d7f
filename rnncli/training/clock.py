"""The clock of a training: how much of it is done."""

from __future__ import annotations

from collections.abc import Callable

from .plan import Plan
from .state import TrainingState

COOLDOWN_FRACTION = 0.5  # of the epochs before it: how long a cooldown takes


class Clock:
    """Measures the progress of a training: by the text, by the time, or by a cooldown."""

    def __init__(self, plan: Plan, state: TrainingState, rows: int, began: float, time: Callable[[], float]):
        """`rows` are those of the sequences; `began` is when the time began to run, by `time`, in seconds."""
        self.plan = plan
        self.state = state
        self.rows = rows
        self.began = began
        self.time = time

    def now(self) -> float:
        """Return the seconds since the training began to read the text; the state keeps them."""
        self.state.budget.elapsed = self.time() - self.began
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
