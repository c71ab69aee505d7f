"""A training that goes on from its state alone ends exactly as one that never stopped."""

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest

from rnncli.training.state import BEST_NUMBERS
from rnncli.training.trainer import Trainer


def never(trainer) -> None:
    """Leave a training alone."""


def ruin(trainer) -> None:
    """Make the loss of the 11th step a number no longer."""
    if trainer.state.step == 10:
        trainer.state.network.parameters["softmax.bias"].value[5] = np.nan


def spoil(trainer) -> None:
    """Make the network worse than it was, in the second epoch."""
    if trainer.state.step == 27:
        trainer.state.network.parameters["softmax.bias"].value[5] += 20


def run(trainer, disturb) -> list:
    """Run a training to its end, and return a copy of its state before the first step and after each."""
    states = [copy.deepcopy(trainer.state)]
    for _ in trainer.run():
        disturb(trainer)
        states.append(copy.deepcopy(trainer.state))
    return states


def facts(trainer) -> dict:
    """Return what must be the same at the end, but for arrays."""
    state = trainer.state
    return {
        "history": [replace(report, seconds=0, words_per_second=0) for report in state.history],
        "best": {name: getattr(state.best, name) for name in BEST_NUMBERS},
        "place": (state.step, state.words, state.epochs, state.position, state.fraction),
        "way": (state.rate_scale, state.cooldown, state.gave_up),
        "budget": (state.watched_words, state.tuning_words),
    }


def assert_same_end(trainer, other) -> None:
    assert facts(trainer) == facts(other)
    for name, value in other.state.best.values.items():
        np.testing.assert_array_equal(trainer.state.best.values[name], value)
    for name, value in other.state.network.values().items():
        np.testing.assert_array_equal(trainer.state.network.values()[name], value)
    model = trainer.best()
    other_model = other.best()
    assert model.about == other_model.about
    np.testing.assert_array_equal(model.lm.weights, other_model.lm.weights)


def after(step: int):
    return lambda states: states[step]


def last_but_one(states):
    return states[-2]


def last(states):
    return states[-1]


def first_where(condition):
    return lambda states: next(state for state in states if condition(state))


PLACES = {"the second step": after(1), "another": after(17), "the last step": last_but_one, "the end": last}


@pytest.mark.parametrize("place", ["the first step", *PLACES])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 2, "dropout": 0.3, "word_dropout": 0.1, "recurrent_dropout": 0.2, "threads": 2},
        {"softmax": "sampled", "samples": 6, "tied": False, "weight_decay": 1e-3},
        {"optimizer": "sgd", "cell": "gru", "schedule": "step"},
    ],
    ids=["usual", "noise", "sampled", "sgd"],
)
def test_a_training_by_epochs_goes_on_at_any_step(start, options, place):
    trainer = start(**options)
    kept = {"the first step": after(0), **PLACES}[place](run(trainer, never))
    resumed = Trainer(trainer.plan, trainer.corpus, state=kept)
    run(resumed, never)
    assert_same_end(resumed, trainer)


@pytest.mark.parametrize("softmax", [{}, {"softmax": "sampled", "samples": 6}])
@pytest.mark.parametrize(
    "condition",
    [
        lambda state: state.best.reports_since >= 1,  # the cooldown is decided, and not begun
        lambda state: state.cooldown is not None,
        lambda state: state.cooldown and state.step >= 35,
    ],
    ids=["before", "at its beginning", "within"],
)
def test_a_training_that_cools_down_goes_on(start, softmax, condition):
    trainer = start(epochs=30, patience=1, **softmax)
    kept = first_where(condition)(run(trainer, spoil))
    assert trainer.state.cooldown
    resumed = Trainer(trainer.plan, trainer.corpus, state=kept)
    run(resumed, spoil)
    assert_same_end(resumed, trainer)


@pytest.mark.parametrize("softmax", [{}, {"softmax": "sampled", "samples": 6}])
@pytest.mark.parametrize("step", [10, 11, 12], ids=["before", "at once", "later"])
def test_a_training_that_went_back_goes_on(start, softmax, step):
    trainer = start(**softmax)
    states = run(trainer, ruin)
    assert trainer.state.rate_scale == 0.5
    resumed = Trainer(trainer.plan, trainer.corpus, state=states[step])
    run(resumed, never)
    assert_same_end(resumed, trainer)


class ScriptedClock:
    """A clock that goes on by the next of some ticks each time it is read. It stands in for Python's."""

    def __init__(self, ticks):
        self.now = 0.0
        self.ticks = iter(ticks)

    def __call__(self) -> float:
        self.now += next(self.ticks)
        return self.now


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("disturb", [never, spoil], ids=["to its end", "cooling down"])
def test_a_training_by_the_clock_goes_on_with_the_time_that_is_left(start, monkeypatch, disturb, place):
    monkeypatch.setattr("time.perf_counter", ScriptedClock(itertools.repeat(1.0)))
    trainer = start(time=200.0, epochs=10**6, patience=1 if disturb is spoil else 99)
    kept = PLACES[place](run(trainer, disturb))
    assert (trainer.state.cooldown is not None) == (disturb is spoil)
    # The resumed training reads the clock twice before its first step. The other one did not: no time passes there.
    monkeypatch.setattr("time.perf_counter", ScriptedClock(itertools.chain([5000.0, 0.0], itertools.repeat(1.0))))
    resumed = Trainer(trainer.plan, trainer.corpus, state=kept)
    run(resumed, disturb)
    assert resumed.state.budget == trainer.state.budget
    assert_same_end(resumed, trainer)
