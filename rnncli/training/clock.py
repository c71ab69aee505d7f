"""The clock of a training: how much of it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .plan import Plan
from .state import TrainingState

if TYPE_CHECKING:
    from typing_extensions import Self

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
        """Return the fraction of the network's training that is done, from 0 to 1."""
        state = self.state
        self.now()
        networks = self.plan.training.networks - len(state.trained)
        fraction = max(self.epochs() / self.plan.training.epochs, state.budget.fraction(networks))
        if cooldown := state.cooldown:
            cooled = (self.epochs() / cooldown.epochs - 1) / COOLDOWN_FRACTION
            fraction = max(fraction, cooldown.fraction + (1 - cooldown.fraction) * cooled)
        return min(fraction, 1.0)


def is_over(plan: Plan, state: TrainingState) -> bool:
    """Whether nothing is left to train of any network."""
    return state.is_network_over and len(state.trained) + 1 >= plan.training.networks


class AwakeTime:
    """Tells the time in seconds, without that in which the process was stopped or the machine slept.

    with AwakeTime() as now: now()

    A thread looks at the clock twice a second. Where it could not for long, the process was stopped, by Ctrl-Z or a lid
    that was closed, unless it has computed meanwhile.
    """

    TICK_SECONDS = 0.5
    MAX_GAP_SECONDS = 5.0  # between two looks, that a busy machine may bring about

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost = 0.0
        self._last = time.perf_counter()
        self._computed = time.process_time()
        self._is_over = threading.Event()

    def __call__(self) -> float:
        with self._lock:
            now = time.perf_counter()
            computed = time.process_time()
            gap = now - self._last
            if gap > self.MAX_GAP_SECONDS:
                self._lost += gap - min(gap, max(computed - self._computed, self.TICK_SECONDS))
            self._last = now
            self._computed = computed
            return now - self._lost

    def __enter__(self) -> Self:
        threading.Thread(target=self._look, name="rnncli-clock", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()

    def _look(self) -> None:
        while not self._is_over.wait(self.TICK_SECONDS):
            self()
