"""What the tests of training share: small trainings, a fake clock, and a look at the network before each step."""

import pytest

import rnncli


@pytest.fixture
def start(corpus_file):
    """Prepare the training of a small network, by default on the small text."""

    def start(sources=corpus_file, **options):
        usual = {"hidden_size": 8, "epochs": 2, "bptt": 10, "cache_size": 50, "networks": 1}
        return rnncli.start_training(sources, **{**usual, **options})

    return start


@pytest.fixture
def finish():
    """Run a training to its end, and return the reports."""

    def finish(trainer):
        return [progress.report for progress in trainer.run() if progress.report]

    return finish


class FakeClock:
    """A clock that goes on by a tick each time it is read; a step of a training reads it three times."""

    def __init__(self):
        self.now = 0.0
        self.tick = 1.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Put a fake clock in the place of Python's, which a training has no other way to be told of."""
    clock = FakeClock()
    monkeypatch.setattr("time.perf_counter", clock)
    return clock


class WatchedTeam:
    """A team that calls `look` with the noise of each step before it takes the step."""

    is_local = False
    is_whole = True

    def __init__(self, team, look):
        self.team = team
        self.look = look
        self.agree = team.agree
        self.ranks = team.ranks
        self.threads = team.threads

    def learn(self, inputs, targets, state, noise):
        self.look(noise)
        return self.team.learn(inputs, targets, state, noise)


@pytest.fixture
def before_each_step():
    """Have a trainer call a function before each step, with the noise of the step."""

    def watch(trainer, look) -> None:
        trainer.stepper.team = WatchedTeam(trainer.stepper.team, look)

    return watch
