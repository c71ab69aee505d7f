"""What a training is at one moment, and what it tells of itself."""

import math
from dataclasses import dataclass, field

import numpy as np

from .lm.network import Network, State
from .nn.optimizers import SGD, Adam


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to. `step`, `words` and `seconds` count from the beginning of the training."""

    epoch: int
    step: int
    words: int
    seconds: float  # of training alone, without validation
    words_per_second: float  # in this epoch
    learning_rate: float  # at its end
    train_perplexity: float  # as it went, with dropout
    valid_perplexity: float


@dataclass(frozen=True)
class Progress:
    """Where the training stands after a step."""

    epoch: int  # the one that is under way, from 1
    share: float  # of the whole training that is done, from 0 to 1
    words_per_second: float  # in this epoch
    train_perplexity: float  # in this epoch so far
    finished: Epoch | None = None  # after the last step of an epoch


@dataclass
class TrainingState:
    """All that changes while a network learns: whoever has it, the text and the settings can go on from there."""

    network: Network  # the parameters
    optimizer: Adam | SGD  # their moments
    rng: np.random.Generator  # for dropout, and for the words of a sampled softmax
    carried: State  # what the network remembers of each stream
    position: int = 0  # the row of the streams that is read next
    step: int = 0
    words: int = 0
    seconds: float = 0.0
    rate_scale: float = 1.0  # halved at each rollback
    epoch_loss: float = 0.0  # the sum over the words of this epoch so far
    epoch_words: int = 0
    epoch_seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, np.ndarray] = field(default_factory=dict)  # the values that did best on validation
    best_perplexity: float = math.inf
    stale: int = 0  # epochs since then
    rollbacks: int = 0  # since then
    given_up: bool = False  # because it diverged again and again
