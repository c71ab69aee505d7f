"""How a training keeps to its time. A fake clock stands for time that passes."""

import math
import random
import threading

import numpy as np
import pytest

import rnncli
from rnncli.lm.network import Network
from rnncli.nn.schedules import LAST
from rnncli.training.budget import (
    CACHE_FILL,
    PROBE_WORDS,
    SAVING_SECONDS,
    TUNING_FRACTION,
    WATCHING_FRACTION,
    affordable_words,
)
from rnncli.training.clock import AwakeTime
from rnncli.training.hooks import Hooks
from rnncli.training.trainer import Trainer

STRONG_DROPOUT_EPOCHS = 10**6


@pytest.mark.parametrize("limit", [400.0, 1500.0])
def test_a_training_by_the_clock_anneals_to_its_end_within_its_time(start, clock, limit):
    trainer = start(time=limit, patience=99, epochs=STRONG_DROPOUT_EPOCHS)
    progress = list(trainer.run())
    assert clock.now <= limit + 5  # a few looks at the clock
    assert clock.now > 0.9 * limit
    assert progress[-1].fraction == 1
    reports = [moment.report for moment in progress if moment.report]
    assert len(reports) == 10
    assert reports[-1].learning_rate == pytest.approx(LAST * trainer.plan.training.lr)
    rates = [report.learning_rate for report in reports]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("epochs", [STRONG_DROPOUT_EPOCHS, 4])
def test_networks_share_the_time_that_is_left(start, finish, clock, epochs):
    limit = 1500.0
    trainer = start(time=limit, patience=99, epochs=epochs, networks=3)
    reports = finish(trainer)
    by_network = [[report for report in reports if report.network == number] for number in (1, 2, 3)]
    assert [len(own) for own in by_network] == [10, 10, 10]
    assert [own[-1].learning_rate for own in by_network] == pytest.approx([LAST * trainer.plan.training.lr] * 3)
    if epochs == 4:
        assert [own[-1].epoch for own in by_network] == [4, 4, 4]
        assert clock.now < 0.9 * limit
    else:
        assert 0.9 * limit < clock.now <= limit + 5
        read = [own[-1].epoch for own in by_network]
        assert max(read) < 1.2 * min(read)


def test_a_text_that_is_soon_read_often_enough_ends_a_training_before_its_time(start, finish, clock):
    trainer = start(time=1e9, epochs=3, patience=99)
    reports = finish(trainer)
    assert trainer.state.epochs == 3
    assert len(reports) == 10
    assert reports[-1].epoch == 3
    assert trainer.plan.training.time == 1e9
    assert clock.now < 1000


def test_the_time_counts_from_the_reading_of_the_text_on(corpus_file, start, clock):
    def slow_sources():
        clock.now += 5000
        yield corpus_file

    trainer = start(slow_sources(), time=6000.0, epochs=STRONG_DROPOUT_EPOCHS, patience=99)
    fractions = [progress.fraction for progress in trainer.run()]
    assert 0 < len(fractions) < 1000
    assert fractions[0] < 0.01  # the schedule begins with its beginning nevertheless
    assert clock.now <= 6005


@pytest.fixture
def slow_reading(clock, monkeypatch):
    """Have each held-out word take some seconds of the fake clock.

    Only measuring and tuning read by `Network.advance`; a step of the training does not. No text is as slow by itself.
    """

    def slow(seconds: float) -> None:
        advance = Network.advance

        def advance_slowly(network, words, state, before):
            clock.now += seconds * words.size
            return advance(network, words, state, before)

        monkeypatch.setattr(Network, "advance", advance_slowly)

    return slow


@pytest.mark.parametrize(("seconds_per_word", "limited"), [(0.00015, "watching"), (0.001, "tuning")])
def test_time_is_kept_for_watching_the_network_and_for_tuning_the_mixture(
    corpus_file, start, finish, clock, slow_reading, seconds_per_word, limited
):
    limit = 500.0
    clock.tick = 0.0
    slow_reading(seconds_per_word)
    trainer = start(
        valid=[corpus_file] * 12, time=limit, epochs=STRONG_DROPOUT_EPOCHS, patience=99, cache_size=25, threads=1
    )
    watched = trainer.state.watched_words
    tuning = trainer.state.tuning_words
    if limited == "watching":
        assert 0.8 < watched * seconds_per_word / (WATCHING_FRACTION * limit) < 1.1
        assert tuning == len(trainer.corpus.valid)
    else:
        assert 0.8 < tuning * seconds_per_word / (TUNING_FRACTION * limit) < 1.1
        assert watched == PROBE_WORDS
    clock.tick = 0.3  # a step, which takes three of them, may still begin just before the end
    finish(trainer)
    model = trainer.best()
    assert 0.95 * limit < clock.now <= limit
    assert model.about["corpus"]["watched_words"] == watched == trainer.watch.words
    assert model.about["tuning"]["words"] == sum(map(len, trainer.builder.tuning_texts(trainer.corpus.valid, tuning)))


def test_a_large_cache_leaves_time_for_fewer_words_to_tune_on(corpus_file, start, clock, slow_reading):
    limit = 10_000.0
    clock.tick = 0.0
    slow_reading(0.01)
    cache_size = 4 * PROBE_WORDS
    slowdown = 4 * CACHE_FILL  # of a word, beside those of the probe
    trainer = start(valid=[corpus_file] * 6, time=limit, epochs=STRONG_DROPOUT_EPOCHS, cache_size=cache_size, threads=1)
    watching = trainer.state.watched_words * 0.01
    tuning = slowdown * trainer.state.tuning_words * 0.01
    assert 0.8 < tuning / (TUNING_FRACTION * limit) < 1.1
    assert trainer.state.budget.end == pytest.approx(limit - watching - tuning - SAVING_SECONDS, abs=2)


@pytest.mark.parametrize(
    ("words", "seconds", "most", "slowdown", "affordable"),
    [
        (100_000, 5000, 100_000, 1, (10_000, 5000)),
        (100_000, 5000, 100_000, 2, (5000, 5000)),
        (100_000, 5000, 100_000, 4, (PROBE_WORDS, 2 * PROBE_WORDS)),  # never fewer than were read already
        (100_000, 5000, 6000, 1, (6000, 3000)),
        (7000, 5000, 100_000, 1, (7000, 3500)),
        (50, 5000, 100_000, 2, (50, 50)),
    ],
)
def test_as_many_words_are_affordable_as_some_take_now(clock, words, seconds, most, slowdown, affordable):
    clock.tick = 0.0

    def read(ids) -> None:
        assert len(ids) <= PROBE_WORDS
        clock.now += 0.5 * len(ids)

    assert affordable_words(read, np.zeros(words, int), clock, seconds, most, slowdown) == affordable


def test_a_training_whose_time_is_up_before_it_begins_still_takes_a_step_and_gives_a_model(
    start, finish, clock, tmp_path
):
    trainer = start(time=1.0, epochs=None)
    reports = finish(trainer)
    assert (len(reports), trainer.state.step) == (1, 1)
    assert 0 < reports[0].epoch < 1
    rnncli.save(trainer.best(), tmp_path / "model.npz")
    assert rnncli.load(tmp_path / "model.npz").about["history"][0]["step"] == 1


def test_a_training_by_the_clock_ends_sooner_when_validation_no_longer_improves(
    corpus_file, start, finish, clock, tmp_path
):
    words = corpus_file.read_text().split()
    random.Random(1).shuffle(words)
    shuffled = tmp_path / "shuffled.txt"
    shuffled.write_text(" ".join(words))  # the better the order of words is known, the worse this is predicted
    limit = 20_000.0
    clock.tick = 20.0
    trainer = start(valid=shuffled, time=limit, epochs=STRONG_DROPOUT_EPOCHS, dropout=0)
    reports = finish(trainer)
    perplexities = [report.valid_perplexity for report in reports]
    assert min(perplexities[:4]) == perplexities[0]
    assert len(reports) == 10
    assert reports[3].learning_rate > 0.5 * trainer.plan.training.lr
    assert reports[-1].learning_rate == pytest.approx(LAST * trainer.plan.training.lr)
    assert reports[-1].epoch == pytest.approx(1.5 * trainer.state.cooldown.epochs, rel=0.1)
    assert clock.now < 0.7 * limit


def test_by_default_a_training_takes_ten_minutes_but_with_epochs_as_long_as_they_take(start):
    assert start(epochs=None).plan.training.time == 600
    assert start(epochs=1).plan.training.time == math.inf


def test_all_that_a_training_times_it_times_by_the_clock_that_it_was_given(corpus_file, clock, monkeypatch, finish):
    monkeypatch.setattr("time.perf_counter", lambda: pytest.fail("another clock is asked"))
    trainer = Trainer.start(corpus_file, hooks=Hooks(now=clock), hidden_size=8, epochs=99, bptt=10, time=1000.0)
    reports = finish(trainer)
    assert reports[-1].seconds == reports[-1].step  # a tick for each


# The time that a machine slept.


class Clocks:
    """Python's clocks, which a test moves on: the time, and the time that the process has computed."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        self.computed = 5.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        monkeypatch.setattr("time.process_time", lambda: self.computed)

    def go_on(self, seconds: float, computed: float) -> None:
        self.now += seconds
        self.computed += computed


def test_time_in_which_a_process_was_stopped_does_not_count(monkeypatch):
    clocks = Clocks(monkeypatch)
    awake = AwakeTime()
    began = awake()
    clocks.go_on(0.5, 0.4)
    assert awake() - began == pytest.approx(0.5)
    clocks.go_on(3600, 0.1)  # Ctrl-Z, or a lid that was closed
    slept = awake() - began
    assert slept == pytest.approx(0.5 + AwakeTime.TICK_SECONDS)
    clocks.go_on(2, 1)
    assert awake() - began == pytest.approx(slept + 2)


@pytest.mark.parametrize(("seconds", "computed"), [(4.0, 0.1), (30.0, 30.0), (30.0, 55.0)])
def test_time_in_which_a_process_waited_a_little_or_computed_for_long_counts(monkeypatch, seconds, computed):
    clocks = Clocks(monkeypatch)
    awake = AwakeTime()
    began = awake()
    clocks.go_on(seconds, computed)
    assert awake() - began == pytest.approx(seconds)


def test_the_clock_is_looked_at_while_nobody_asks_for_the_time():
    with AwakeTime() as awake:
        assert [thread.name for thread in threading.enumerate() if thread.name == "rnncli-clock"]
        assert awake() <= awake()
