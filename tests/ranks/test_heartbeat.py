"""What a rank knows of the others by their signs of life."""

import pytest

from rnncli.ranks.heartbeat import Heartbeat

LOST = "rank 0 on first was not heard of for 6 seconds"


class Comm:
    """The communicator of the second of two ranks."""

    rank = 1
    size = 2

    def allgather(self, name):
        return ["first", name]


class Clock:
    """The time, which only sleeping moves on."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("rnncli.ranks.heartbeat.time", made)
    return made


@pytest.fixture
def heartbeat(clock, monkeypatch):
    """A heartbeat that hears nothing: what it knows comes from the test."""
    monkeypatch.setattr(Heartbeat, "_run", lambda self: None)
    return Heartbeat(Comm(), 10.0)


def waited(heartbeat, clock) -> float:
    before = clock.now
    heartbeat.wait_for_end()
    return clock.now - before


def test_a_rank_waits_for_the_end_of_the_first_one_for_a_while(heartbeat, clock):
    assert waited(heartbeat, clock) == pytest.approx(3.0, abs=0.1)


def test_the_wait_counts_from_the_loss_of_a_rank_on(heartbeat, clock):
    heartbeat.note(LOST)
    clock.sleep(1.5)
    assert waited(heartbeat, clock) == pytest.approx(1.5, abs=0.1)


def test_a_rank_that_learns_of_a_loss_late_still_leaves_the_others_some_time(heartbeat, clock):
    heartbeat.note(LOST)
    clock.sleep(60.0)
    assert waited(heartbeat, clock) == pytest.approx(1.0, abs=0.1)


def test_nobody_waits_once_the_first_rank_has_told_its_end(heartbeat, clock):
    heartbeat.is_told = True
    assert waited(heartbeat, clock) == 0


def test_what_was_noted_first_counts(heartbeat):
    heartbeat.note("rank 0 on first ended: the disk is full\nsome traceback")
    heartbeat.note("rank 0 cannot be reached")
    assert heartbeat.lost == "rank 0 on first ended: the disk is full"
