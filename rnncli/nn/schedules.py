"""The learning rate over a training, as a factor of its peak: functions of progress, from 0 (start) to 1 (end)."""

import math

WARM_UP = 0.02  # the share of the training in which the rate climbs from near zero


def cosine(progress: float) -> float:
    """A half cosine from 1 to 0 (Loshchilov and Hutter 2017), after a short linear warm-up."""
    return _warm_up(progress) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def stepwise(progress: float) -> float:
    """1 for the first half, then halved at every twentieth of the training, after a short linear warm-up."""
    return _warm_up(progress) * 0.5 ** max(0, math.floor(20 * min(progress, 1.0) + 1e-9) - 9)


def _warm_up(progress: float) -> float:
    return min(1.0, 0.01 + progress / WARM_UP)


SCHEDULES = {"cosine": cosine, "step": stepwise}
