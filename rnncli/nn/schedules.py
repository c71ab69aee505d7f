"""Learning rate schedules: the factor of the peak rate, as a function of progress from 0 (start) to 1 (end)."""

import math

WARM_UP_FRACTION = 0.02  # of the training, in which the learning rate climbs from near zero


LAST = 0.4  # what a cosine ends at: lower rates fit the text so closely that the average of the weights is worse


def cosine(progress: float) -> float:
    """A half cosine from 1 to `LAST` (Loshchilov and Hutter 2017), after a short linear warm-up."""
    return _warm_up(progress) * (LAST + (1 - LAST) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2)


def stepwise(progress: float) -> float:
    """1 for the first half, then halved at every twentieth of the training, after a short linear warm-up."""
    return _warm_up(progress) * 0.5 ** max(0, math.floor(20 * min(progress, 1.0) + 1e-9) - 9)


def _warm_up(progress: float) -> float:
    return min(1.0, 0.01 + progress / WARM_UP_FRACTION)


SCHEDULES = {"cosine": cosine, "step": stepwise}
