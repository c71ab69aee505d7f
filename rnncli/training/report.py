"""The reports of a training, and its progress."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """Figures after an epoch, or a tenth of the time. `step`, `words` and `seconds` count from the beginning."""

    epoch: float  # how often the network has read the text
    step: int
    words: int
    seconds: float  # of training alone, without validation
    words_per_second: float  # since the last report
    learning_rate: float  # now
    train_perplexity: float  # since the last report, with dropout
    valid_perplexity: float
    network: int = 1  # the one that is trained, from 1


@dataclass(frozen=True)
class Progress:
    """Where the training is after a step."""

    epoch: int  # the one that is under way, from 1
    fraction: float  # of the whole training that is done, from 0 to 1
    words_per_second: float  # since the last report
    train_perplexity: float  # since then
    is_cooling_down: bool = False  # whether it comes to an early end, as validation no longer improves
    report: Report | None = None  # where one is due after this step
    network: int = 1  # the one that is trained, from 1
