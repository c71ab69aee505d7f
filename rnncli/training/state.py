"""The state of a training: everything that changes while it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..lm.network import Network, NetworkState
from ..lm.network_config import NetworkConfig
from ..nn.optimizers import OPTIMIZERS, SGD, Adam
from ..options import TrainingOptions
from .average import Average
from .report import Report

# The fields of a state that are numbers, and those that hold some.
NUMBERS = (
    "watched_words",
    "tuning_words",
    "counted_words",
    "epochs",
    "position",
    "fraction",
    "step",
    "words",
    "seconds",
    "rate_scale",
    "gave_up",
    "is_report_due",
)
BEST_NUMBERS = ("perplexity", "lowest_reported", "reports_since", "rollbacks_since")


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
    start: float = 0.0  # when the first step of the network began
    end: float = math.inf  # when the last step ends
    reserved: float = 0.0  # for the last report, tuning and saving, which come after it

    def limit(self, seconds: float) -> None:
        """Give the training some seconds in all; the steps get half of them at least."""
        self.end = max(seconds - self.reserved, seconds / 2)

    def fraction(self, networks: int = 1) -> float:
        """Return the fraction of a network's time that is over, where some `networks` share what is left for steps."""
        if math.isinf(self.end):
            return 0.0
        return 1.0 if self.elapsed >= self.end else networks * (self.elapsed - self.start) / (self.end - self.start)


@dataclass
class SinceReport:
    """Sums over the steps since the last report."""

    loss: float = 0.0  # the sum over the words
    words: int = 0
    seconds: float = 0.0

    @property
    def words_per_second(self) -> float:
        """How fast these steps were."""
        return self.words / max(self.seconds, 1e-9)


@dataclass
class Best:
    """The values of the network that did best on validation."""

    values: dict[str, np.ndarray] = field(default_factory=dict)
    perplexity: float = math.inf
    lowest_reported: float = math.inf  # what a fine-tuning begins with is not reported
    reports_since: int = 0  # the lowest one
    rollbacks_since: int = 0  # these values


@dataclass
class TrainingState:
    """Everything that changes while a network learns: with it, the corpus and the plan, a training goes on exactly.

    A training by the clock goes on from the time that it had used.
    """

    network: Network  # the parameters
    optimizer: Adam | SGD  # their moments, and the last step of each row
    rng: np.random.Generator  # for the noise of the steps
    carried: NetworkState  # of each sequence, after the last step
    average: Average  # of the parameters over the last steps
    watched_words: int = 0  # of the held-out text, measured for each report
    tuning_words: int = 0  # of the held-out text, that the mixture is tuned on at the end
    counted_words: int = 0  # of the training text, whose n-grams are counted
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
    is_report_due: bool = False  # after the last step
    environments: list[dict[str, str]] = field(default_factory=list)  # where it has run, each once
    trained: list[Best] = field(default_factory=list)  # of the networks before this one
    begun_with: list[dict[str, np.ndarray]] = field(default_factory=list)  # values of each; see `interpolation`

    @property
    def averaged(self) -> Network:
        """The network whose parameters are the average: the one that is measured and kept."""
        return Network(self.network.config, self.average.values)

    @property
    def is_network_over(self) -> bool:
        """Whether nothing is left to train of this network."""
        return self.fraction >= 1 or self.gave_up

    def numbers(self) -> dict[str, Any]:
        """Return all of the state but its arrays, as JSON can hold it."""
        return {
            **{name: getattr(self, name) for name in NUMBERS},
            "budget": asdict(self.budget),
            "recent": asdict(self.recent),
            "history": [asdict(report) for report in self.history],
            "best": _best_numbers(self.best),
            "cooldown": self.cooldown and asdict(self.cooldown),
            "optimizer": self.optimizer.numbers(),
            "average": self.average.numbers(),
            "rng": self.rng.bit_generator.state,
            "environments": self.environments,
            "trained": [_best_numbers(best) for best in self.trained],
            "begun_with": len(self.begun_with),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the state by name, not copied."""
        named = {
            "network": self.network.values(),
            "average": self.average.values,
            "best": self.best.values,
            "optimizer": self.optimizer.arrays(),
            **{f"trained{number}": best.values for number, best in enumerate(self.trained)},
            **{f"begun_with{number}": values for number, values in enumerate(self.begun_with)},
            "carried": {
                f"{number}.{name}": array
                for number, layer in enumerate(self.carried)
                for name, array in layer._asdict().items()
            },
        }
        return {f"{group}.{name}": array for group, arrays in named.items() for name, array in arrays.items()}


def restored(
    config: NetworkConfig, training: TrainingOptions, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> TrainingState:
    """Return the state that has these `numbers` and `arrays`, which are copied.

    Raises `ValueError`, `KeyError` or `TypeError` where they are not those of such a training.
    """
    network = Network(config, {name: np.empty(shape, np.float32) for name, shape in config.shapes().items()})
    optimizer = OPTIMIZERS[training.optimizer](network.parameters, training.weight_decay)
    rng = np.random.default_rng(0)
    rng.bit_generator.state = numbers["rng"]
    best = Best(_empty_values(network), **numbers["best"])
    state = TrainingState(
        network,
        optimizer,
        rng,
        network.zero_state(training.batch_size),
        Average(network.values()),
        budget=TimeBudget(**numbers["budget"]),
        recent=SinceReport(**numbers["recent"]),
        history=[Report(**report) for report in numbers["history"]],
        best=best,
        cooldown=numbers["cooldown"] and Cooldown(**numbers["cooldown"]),
        environments=[dict(environment) for environment in numbers["environments"]],
        trained=[Best(_empty_values(network), **own) for own in numbers["trained"]],
        begun_with=[_empty_values(network) for _ in range(numbers.get("begun_with", 0))],
        **{name: numbers[name] for name in NUMBERS},
    )
    for name, array in state.arrays().items():
        stored = arrays[name]
        if stored.shape != array.shape or stored.dtype != array.dtype:
            raise ValueError(f"{name} is {stored.dtype} {stored.shape}")
        array[...] = stored
    optimizer.restore(numbers["optimizer"])
    state.average.restore(numbers["average"])
    return state


def _best_numbers(best: Best) -> dict[str, Any]:
    return {name: getattr(best, name) for name in BEST_NUMBERS}


def _empty_values(network: Network) -> dict[str, np.ndarray]:
    return {name: np.empty_like(value) for name, value in network.values().items()}
