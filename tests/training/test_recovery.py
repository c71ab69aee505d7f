"""The ways back to the best network: where a training diverges, and where validation no longer improves."""

import math

import numpy as np
import pytest

from rnncli.errors import TrainingError
from rnncli.nn.schedules import LAST
from rnncli.training.recovery import MAX_ROLLBACKS
from rnncli.training.trainer import Trainer

SAMPLED = {"softmax": "sampled", "samples": 6}
HUGE = 1e45  # more than single precision can hold


def copies(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value.copy() for name, value in values.items()}


def assert_same(values: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> None:
    for name, value in values.items():
        np.testing.assert_array_equal(value, others[name])


def run_spoiled(trainer, reports: int = 2):
    """Run a training whose network is spoiled after some reports, so badly that it takes long to find back."""
    for progress in trainer.run():
        yield progress
        if progress.report and len(trainer.state.history) == reports:
            trainer.state.network.parameters["softmax.bias"].value[5] += 20


@pytest.mark.parametrize(("patience", "end"), [(1, 4.5), (2, 6.0)])  # half as many epochs again
def test_when_validation_no_longer_improves_a_training_returns_to_the_best_network_and_cools_down(
    start, before_each_step, patience, end
):
    trainer = start(epochs=30, patience=patience)
    first_values = []

    def look(noise) -> None:
        if trainer.state.cooldown and not first_values:
            first_values.append(copies(trainer.state.network.values()))
            assert all(not field.any() for layer in trainer.state.carried for field in layer)

    before_each_step(trainer, look)
    fractions = []
    cooling = []
    best = None
    for progress in run_spoiled(trainer):
        fractions.append(progress.fraction)
        cooling.append(progress.is_cooling_down)
        if len(trainer.state.history) == 2 and not best:
            best = trainer.state.best
    reports = trainer.state.history
    perplexities = [report.valid_perplexity for report in reports]
    assert min(perplexities[: 2 + patience]) == perplexities[1] == best.perplexity
    assert_same(first_values[0], best.values)
    assert trainer.state.cooldown.epochs == 2 + patience
    assert [report.epoch for report in reports[:-1]] == list(range(1, len(reports)))
    assert reports[-1].epoch == pytest.approx(end, abs=0.1)  # the end is measured wherever it is
    assert reports[-1].step == trainer.state.step
    assert reports[1 + patience].learning_rate > 0.9 * trainer.plan.training.lr
    assert reports[-1].learning_rate == pytest.approx(LAST * trainer.plan.training.lr)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert cooling == [step > reports[1 + patience].step for step in range(1, len(cooling) + 1)]
    assert trainer.state.best.perplexity == min(perplexities) == perplexities[-1]


@pytest.mark.parametrize("options", [{}, SAMPLED])
@pytest.mark.parametrize("broken", ["loss", "validation"])
def test_a_loss_that_is_not_finite_leads_back_to_the_best_network_and_half_the_rate(start, finish, broken, options):
    trainer = start(**options)
    state = trainer.state
    untrained = trainer.measure()
    next(trainer.run())
    state.network.parameters["softmax.bias"].value[3] = np.nan
    if broken == "loss":
        next(trainer.run())
    else:
        state.average.values["softmax.bias"][3] = np.nan
        assert math.isnan(trainer.report().valid_perplexity)
    assert (state.best.rollbacks_since, state.rate_scale) == (1, 0.5)
    assert (state.best.reports_since, state.best.perplexity) == (0, untrained)
    assert_same(state.network.values(), state.best.values)
    assert state.optimizer.steps == 0
    assert all(not field.any() for layer in state.carried for field in layer)
    reports = finish(trainer)
    assert all(math.isfinite(report.valid_perplexity) for report in reports)
    assert state.best.perplexity < untrained


class BrokenTeam:
    """A team whose loss, or one number of whose gradient, is not finite."""

    is_local = False
    is_whole = True

    def __init__(self, team, network, broken: str):
        self.team = team
        self.network = network
        self.broken = broken

    def learn(self, *arguments):
        loss, carried = self.team.learn(*arguments)
        if self.broken == "loss":
            return math.inf, carried
        self.network.parameters["recurrent.0.bias"].grad[2] = math.inf
        return loss, carried


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_a_step_whose_loss_or_gradient_is_not_finite_changes_no_parameter(start, broken):
    trainer = start()
    state = trainer.state
    assert trainer.stepper.step()
    values = copies(state.network.values())
    carried = state.carried
    words = state.recent.words
    trainer.stepper.team = BrokenTeam(trainer.stepper.team, state.network, broken)
    assert not trainer.stepper.step()
    assert_same(state.network.values(), values)
    assert state.carried is carried
    assert (state.recent.words, state.words, state.step, state.position) == (words, 2 * words, 2, 20)


def test_a_training_that_always_diverges_ends_with_an_error(start, finish):
    usual = start()
    trainer = Trainer(usual.plan, usual.corpus)
    for values in (trainer.state.network.values(), trainer.state.best.values):
        values["softmax.bias"][3] = np.nan
    with pytest.raises(TrainingError, match=r"training diverged, even with a learning rate of 0\.00013: try a smaller"):
        finish(trainer)
    assert trainer.state.step == MAX_ROLLBACKS + 1
    assert not trainer.state.gave_up


def test_a_training_that_diverges_late_ends_with_the_best_model(start):
    """After two epochs, the last step of each is so long that the validation text is no longer predicted."""
    trainer = start(epochs=30, patience=30)
    state = trainer.state
    perplexities = []
    for progress in trainer.run():
        if progress.report:
            perplexities.append(progress.report.valid_perplexity)
        is_last = state.position + trainer.plan.training.bptt >= len(trainer.sequences) - 1
        scale = state.rate_scale if state.rate_scale <= 1 else 1.0
        state.rate_scale = HUGE if is_last and len(perplexities) >= 2 else scale
    assert len(perplexities) == 2 + MAX_ROLLBACKS + 1
    assert all(math.isfinite(perplexity) for perplexity in perplexities[:2])
    assert not any(math.isfinite(perplexity) for perplexity in perplexities[2:])
    assert state.gave_up
    assert_same(state.network.values(), state.best.values)
    assert trainer.best().about["best_valid_perplexity"] == state.best.perplexity == min(perplexities[:2])


@pytest.mark.parametrize("rate", [1e30, 1e39])
@pytest.mark.parametrize("options", [{"optimizer": "sgd"}, {}, SAMPLED, {"weight_decay": 1e30}])
def test_a_huge_learning_rate_never_gives_a_model_of_nans(start, options, rate):
    """One step is enough to ruin the network, so every second step leads back to the first values."""
    trainer = start(**options, lr=rate, clip=0, cell="elman", activation="relu")
    state = trainer.state
    first_values = copies(state.network.values())
    scales = []

    def run() -> None:
        for _ in trainer.run():
            if state.best.rollbacks_since > len(scales):
                scales.append(state.rate_scale)
                assert_same(state.network.values(), first_values)

    with pytest.raises(TrainingError, match="training diverged, even with a learning rate of"):
        run()
    assert scales == [0.5**number for number in range(1, MAX_ROLLBACKS + 1)]
    assert_same(state.best.values, first_values)
    with pytest.raises(TrainingError, match="no model came out that predicts the validation text"):
        trainer.best()
