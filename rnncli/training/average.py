"""Averages the values of a network over the last part of its training: the average predicts better than the values.

At a high learning rate the values go to and fro around better ones, and their mean is nearer to these (Polyak and
Juditsky 1992). The weight of a step grows with a power of its number (Shamir and Zhang 2013, polynomial-decay
averaging): so the average is over the last part of the steps so far, whenever the training ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..nn.optimizers import blocks_of_rows
from ..nn.threads import Threads

POWER = 3  # of the number of a step: half of the weight is on the last sixth of the steps
MAX_PERIOD = 20  # steps between those that are averaged
STEPS_PER_PERIOD = 20  # of the training, for each step of the period: at the beginning, the values change fast
Values = dict[str, np.ndarray]


class Average:
    """The average of a network's values, which are taken every few steps."""

    def __init__(self, values: Mapping[str, np.ndarray]):
        self.values: Values = {name: np.empty_like(value) for name, value in values.items()}
        self.restart(values)

    def restart(self, values: Mapping[str, np.ndarray]) -> None:
        """Forget the steps so far, and begin with these values."""
        for name, value in values.items():
            self.values[name][...] = value
        self.steps = 0
        self.taken = 0  # the last step whose values were taken

    def numbers(self) -> dict[str, Any]:
        """Return all but the values, as JSON can hold it."""
        return {"steps": self.steps, "taken": self.taken}

    def restore(self, numbers: Mapping[str, Any]) -> None:
        """Go on from the `numbers` of another average, whose values have been written into those of this one."""
        self.steps = numbers["steps"]
        self.taken = numbers["taken"]

    def count(self) -> bool:
        """Count a step; return whether its values are to be taken."""
        self.steps += 1
        return self.steps >= self.taken + min(MAX_PERIOD, max(1, self.taken // STEPS_PER_PERIOD))

    def take(self, values: Mapping[str, np.ndarray], threads: Threads) -> None:
        """Take the values after the last step that was counted."""
        old = np.float32((self.taken / self.steps) ** (POWER + 1))
        blocks = [
            (self.values[name][rows], value[rows]) for name, value in values.items() for rows in blocks_of_rows(value)
        ]

        def move(number: int) -> None:
            with np.errstate(over="ignore", invalid="ignore"):  # the trainer deals with what is not finite
                for average, value in blocks[number :: threads.count]:
                    average -= value
                    average *= old
                    average += value

        threads.map(move, range(threads.count))
        self.taken = self.steps
