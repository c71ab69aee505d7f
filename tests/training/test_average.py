"""The average of a network's values over the last steps."""

import numpy as np
import pytest

from rnncli.nn.threads import Threads
from rnncli.training.average import MAX_PERIOD, POWER, Average
from rnncli.training.trainer import Trainer


def averaged(values: np.ndarray, threads: int = 1) -> tuple[Average, list[int]]:
    """Average values (N, ...), one for each step; returns the steps that were taken as well."""
    average = Average({"w": np.zeros_like(values[0])})
    taken = []
    for step, value in enumerate(values, 1):
        if average.count():
            average.take({"w": value}, Threads(threads))
            taken.append(step)
    return average, taken


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_the_weight_of_a_step_grows_with_a_power_of_its_number(rng, steps):
    values = rng.normal(size=(steps, 3, 2)).astype(np.float32)
    ends = np.arange(steps + 1.0) ** (POWER + 1)
    weights = np.diff(ends) / ends[-1]
    average, taken = averaged(values)
    assert taken == list(range(1, steps + 1))
    np.testing.assert_allclose(average.values["w"], np.tensordot(weights, values, 1), rtol=1e-4, atol=1e-5)


def test_later_steps_are_taken_less_often(rng):
    _, taken = averaged(rng.normal(size=(2000, 2)).astype(np.float32))
    periods = np.diff(taken)
    assert periods[0] == 1
    assert periods.max() == periods[-1] == MAX_PERIOD
    assert (np.diff(periods) >= 0).all()


def test_several_threads_give_the_same(rng):
    values = rng.normal(size=(3, 500, 200)).astype(np.float32)
    one, two = averaged(values)[0], averaged(values, threads=2)[0]
    np.testing.assert_array_equal(one.values["w"], two.values["w"])


def test_an_average_begins_anew(rng):
    average, _ = averaged(rng.normal(size=(10, 2)).astype(np.float32))
    average.restart({"w": np.ones(2, np.float32)})
    assert average.values["w"].tolist() == [1, 1]
    assert average.count()
    average.take({"w": np.full(2, 3, np.float32)}, Threads(1))
    assert average.values["w"].tolist() == [3, 3]


def test_what_is_measured_and_kept_is_the_average(corpus_file):
    trainer = Trainer.start(corpus_file, hidden_size=8, epochs=4, patience=9, lr=0.05, threads=1)
    for _ in trainer.run():
        pass
    state = trainer.state
    last = state.history[-1].valid_perplexity
    assert last == pytest.approx(np.exp(trainer.watch.loss(state.averaged)))
    assert last != pytest.approx(np.exp(trainer.watch.loss(state.network)), rel=1e-4)
    assert last == state.best.perplexity
    for name, value in state.average.values.items():
        np.testing.assert_array_equal(state.best.values[name], value)
