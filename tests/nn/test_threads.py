import os
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnncli.nn import threads
from rnncli.nn.threads import (
    STEPS_PER_TRIAL,
    TRIED_STEPS,
    FasterThreads,
    Threads,
    on_all_cores,
    one_thread,
    usable_cores,
)


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_results_come_in_the_order_of_the_pieces(count):
    assert Threads(count).map(lambda x: x * x, range(7)) == [0, 1, 4, 9, 16, 25, 36]
    assert Threads(count).map(abs, []) == []


@pytest.mark.parametrize("pieces", [[], [3], [1, 2, 3, 4]])
def test_all_cores_give_the_results_in_the_order_of_the_pieces(pieces):
    assert on_all_cores(lambda x: x * x, pieces) == [x * x for x in pieces]


def test_work_on_all_cores_within_such_work_waits_for_none_of_them():
    many = range(4 * usable_cores())
    assert on_all_cores(lambda x: on_all_cores(lambda y: x * y, [1, 2, 3]), many) == [[x, 2 * x, 3 * x] for x in many]


def test_as_many_threads_work_as_were_asked_for():
    meeting = threading.Barrier(3, timeout=30)  # breaks unless three are there at the same time
    assert len(set(Threads(3).map(lambda _: meeting.wait(), range(3)))) == 3


def test_an_exception_in_a_thread_is_raised():
    def fail(piece):
        raise MemoryError(f"piece {piece}")

    with pytest.raises(MemoryError, match="piece 0"):
        Threads(2).map(fail, range(2))


def product_threads(_=None) -> list[int]:
    """How many threads each library of products starts."""
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_products_keep_to_one_core_while_threads_work():
    with threadpool_limits(2, user_api="blas"):
        before = product_threads()
        assert Threads(2).map(product_threads, range(2)) == [[1] * len(before)] * 2
        assert product_threads() == before


def test_products_keep_to_one_core_where_that_is_asked_for():
    with threadpool_limits(2, user_api="blas"):
        before = product_threads()
        with one_thread():
            assert product_threads() == [1] * len(before)
        assert product_threads() == before


@pytest.mark.parametrize(("alone", "together", "fewest"), [(1.0, 3.0, 1), (3.0, 1.0, 2)])
def test_steps_go_on_with_the_number_of_threads_that_takes_less_time(alone, together, fewest, monkeypatch):
    now = 0.0
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now)
    used = []
    faster = FasterThreads()
    with threadpool_limits(2, user_api="blas"):
        blas = len(product_threads())
        for _ in range(STEPS_PER_TRIAL + TRIED_STEPS):
            with faster.step():
                used.append(product_threads())
                now += alone if used[-1] == [1] * blas else together
        assert product_threads() == [2] * blas
    tried = [[2] * blas, [1] * blas] * (TRIED_STEPS // 2)
    assert used == [*tried, *[[fewest] * blas] * (STEPS_PER_TRIAL - TRIED_STEPS), *tried]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no CPU affinity")
def test_the_usable_cores_are_those_of_the_process():
    kept = os.sched_getaffinity(0)
    assert usable_cores() == len(kept)
    try:
        os.sched_setaffinity(0, {min(kept)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, kept)


def test_where_the_system_has_no_affinity_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
