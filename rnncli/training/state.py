"""The state of a training: everything that changes while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..lm.network import Network, NetworkState
from ..nn.optimizers import SGD, Adam
from .report import Report


@dataclass(frozen=True)
class Cooldown:
    """When a cooldown, the way to an early end, began."""

    epochs: float  # how often the text had been read
    fraction: float  # of the training that was done


@dataclass
class TimeBudget:
    """The elapsed and the available time of a training, in seconds since it began to read the text.

    A training by epochs has no `end`.
    """

    elapsed: float = 0.0
    start: float = 0.0  # when the first step began
    end: float = math.inf  # when the last step ends

    def fraction(self) -> float:
        """Return the fraction of the time for steps that is over."""
        if math.isinf(self.end):
            return 0.0
        return 1.0 if self.elapsed >= self.end else (self.elapsed - self.start) / (self.end - self.start)


@dataclass
class SinceReport:
    """Sums over the steps since the last report."""

    loss: float = 0.0  # the sum over the words
    words: int = 0
    seconds: float = 0.0


@dataclass
class Best:
    """The values of the network that did best on validation."""

    values: dict[str, np.ndarray] = field(default_factory=dict)
    perplexity: float = math.inf
    reports_since: int = 0
    rollbacks_since: int = 0


@dataclass
class TrainingState:
    """Everything that changes while a network learns: with it, the corpus and the plan, a training goes on exactly.

    A training by the clock goes on from the time that it had used.
    """

    network: Network  # the parameters
    optimizer: Adam | SGD  # their moments, and the last step of each row
    rng: np.random.Generator  # for the noise of the steps
    carried: NetworkState  # of each sequence, after the last step
    watched_words: int = 0  # of the held-out text, measured for each report
    tuning_words: int = 0  # of the held-out text, that the mixture is tuned on at the end
    budget: TimeBudget = field(default_factory=TimeBudget)
    epochs: int = 0  # how often the text has been read to its end
    position: int = 0  # the row of the sequences that is read next
    fraction: float = 0.0  # of the training that is done, from 0 to 1
    step: int = 0
    words: int = 0
    seconds: float = 0.0  # of all steps
    rate_scale: float = 1.0  # halved at each rollback
    recent: SinceReport = field(default_factory=SinceReport)
    history: list[Report] = field(default_factory=list)
    best: Best = field(default_factory=Best)
    cooldown: Cooldown | None = None
    gave_up: bool = False  # because the training diverged again and again
