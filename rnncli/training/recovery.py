"""Going back to the best network: a rollback after divergence, a cooldown where validation no longer improves."""

from __future__ import annotations

import math
from dataclasses import replace

from ..errors import TrainingError
from .plan import Plan
from .state import Cooldown, TrainingState

MAX_ROLLBACKS = 5  # since the last improvement


def keep_best(state: TrainingState, perplexity: float) -> None:
    """Keep the average of the network's values as the best one so far, with its perplexity on validation."""
    state.best = replace(
        state.best,
        values={name: value.copy() for name, value in state.average.values.items()},
        perplexity=perplexity,
        rollbacks_since=0,
    )


def count_report(state: TrainingState, perplexity: float) -> None:
    """Count the reports since the lowest perplexity on validation.

    They are compared with each other, not with what a fine-tuning began with: its network is worse at first.
    """
    best = state.best
    best.reports_since += 1
    if perplexity < best.lowest_reported:
        best.lowest_reported = perplexity
        best.reports_since = 0


def roll_back(state: TrainingState, plan: Plan) -> None:
    """Go back to the best values after a loss that was not finite, and on with half the learning rate.

    After `MAX_ROLLBACKS` this network is given up. Raises `TrainingError` then if no network was measured yet.
    """
    state.best.rollbacks_since += 1
    if state.best.rollbacks_since > MAX_ROLLBACKS:
        if math.isinf(state.best.perplexity) and not state.trained:
            rate = plan.training.lr * state.rate_scale
            raise TrainingError(f"training diverged, even with a learning rate of {rate:.2g}: try a smaller one")
        state.gave_up = True
    state.rate_scale /= 2
    state.best.reports_since = 0
    state.optimizer.reset()
    _restore_best(state)


def cool_down(state: TrainingState, epochs: float) -> None:
    """Go back to the best values, and let the learning rate fall to its last within half as many epochs as so far.

    The optimizer keeps its moments: after a reset, its first steps would be as long as the rate allows.
    """
    state.cooldown = Cooldown(epochs, state.fraction)
    _restore_best(state)


def forget_end(state: TrainingState) -> None:
    """Let a training go on that has ended, or was about to: it gets its patience again."""
    state.cooldown = None
    state.gave_up = False
    state.best.reports_since = 0
    state.best.rollbacks_since = 0


def _restore_best(state: TrainingState) -> None:
    """Take the best values again; what the network carried from the last step is dropped."""
    for name, parameter in state.network.parameters.items():
        parameter.value[...] = state.best.values[name]
    state.average.restart(state.best.values)
    batch = state.carried[0].h.shape[0]
    state.carried = state.network.zero_state(batch)
