import numpy as np
import pytest

from rnncli.nn.speed import ROUNDS, SIZE, gflops
from rnncli.nn.threads import Threads


@pytest.mark.parametrize("count", [1, 2])
def test_the_speed_is_that_of_the_fastest_round_on_all_threads(count):
    seconds = [0.02] * ROUNDS
    seconds[3] = 0.01
    times = iter(np.cumsum([0, *(step for round_seconds in seconds for step in (round_seconds, 1.0))]))
    assert gflops(Threads(count), lambda: next(times)) == pytest.approx(count * 2 * SIZE**3 / 0.01 / 1e9)


def test_a_clock_that_stands_still_gives_a_speed():
    assert 0 < gflops(Threads(1), lambda: 5.0) < float("inf")
