"""What a rank knows of the others by their signs of life."""

import time

import pytest

from rnncli.ranks.heartbeat import PATIENCE, WAITING, Heartbeat


class Comm:
    """The communicator of the second of two ranks."""

    rank = 1
    size = 2

    def allgather(self, name):
        return ["first", name]


@pytest.fixture
def heartbeat(monkeypatch):
    """A heartbeat that hears nothing: what it knows comes from the test."""
    monkeypatch.setattr(Heartbeat, "_run", lambda self: None)
    return Heartbeat(Comm(), 10.0)


def test_a_rank_may_wait_for_the_first_one_for_a_while(heartbeat):
    assert heartbeat.seconds_left == pytest.approx((WAITING - PATIENCE) * 10.0)


def test_the_time_that_a_rank_may_wait_runs_from_the_loss_on(heartbeat, monkeypatch):
    heartbeat.note("rank 0 on first was not heard of for 6 seconds")
    noted = time.monotonic()
    left = []
    for seconds in (1.0, 2.0, 60.0):
        monkeypatch.setattr(time, "monotonic", lambda now=noted + seconds: now)
        left.append(heartbeat.seconds_left)
    assert left == pytest.approx([2.0, 1.0, 0.0], abs=0.5)


def test_what_was_noted_first_counts(heartbeat):
    heartbeat.note("rank 0 on first ended: the disk is full\nsome traceback")
    heartbeat.note("rank 0 cannot be reached")
    assert heartbeat.lost == "rank 0 on first ended: the disk is full"
