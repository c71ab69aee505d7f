"""What a training is at one moment, and what it tells of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..lm.network import Network, State
from ..nn.optimizers import SGD, Adam


@dataclass(frozen=True)
class Report:
    """What an epoch came to, or a tenth of the time. `step`, `words` and `seconds` count from the beginning."""

    epoch: float  # how often the text has been read
    step: int
    words: int
    seconds: float  # of training alone, without validation
    words_per_second: float  # since the last report
    learning_rate: float  # now
    train_perplexity: float  # since the last report, as it went, with dropout
    valid_perplexity: float


@dataclass(frozen=True)
class Progress:
    """Where the training stands after a step."""

    epoch: int  # the one that is under way, from 1
    share: float  # of the whole training that is done, from 0 to 1
    words_per_second: float  # since the last report
    train_perplexity: float  # since then
    landing: bool = False  # whether it is on the way to a sooner end, as it got no better
    report: Report | None = None  # where one is due after this step


@dataclass(frozen=True)
class Landing:
    """Where the way to a sooner end began."""

    epochs: float  # how often the text had been read
    share: float  # of the whole training that was done


@dataclass
class TrainingState:
    """All that changes while a network learns: whoever has it, the text and the settings can go on from there."""

    network: Network  # the parameters
    optimizer: Adam | SGD  # their moments
    rng: np.random.Generator  # for dropout, and for the words of a sampled softmax
    carried: State  # what the network remembers of each stream
    epochs: int = 0  # how often the text has been read to its end
    position: int = 0  # the row of the streams that is read next
    share: float = 0.0  # of the whole training that is done, from 0 to 1
    step: int = 0
    words: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0  # halved at each rollback
    recent_loss: float = 0.0  # the sum over the words since the last report
    recent_words: int = 0
    recent_seconds: float = 0.0
    history: list[Report] = field(default_factory=list)
    best: dict[str, np.ndarray] = field(default_factory=dict)  # the values that did best on validation
    best_perplexity: float = math.inf
    stale: int = 0  # reports since then
    rollbacks: int = 0  # since then
    landing: Landing | None = None  # where it got no better for long
    given_up: bool = False  # because it diverged again and again
