import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnncli.errors import RankLostError
from rnncli.ranks import Ranks


class Meeting:
    """Where some threads exchange what they have."""

    def __init__(self, count: int):
        self.count = count
        self.brought = [None] * count
        self.barrier = threading.Barrier(count)

    def exchange(self, number: int, value) -> list:
        self.brought[number] = pickle.dumps(value)
        self.barrier.wait(60)
        found = [pickle.loads(data) for data in self.brought]
        self.barrier.wait(60)
        return found


class ThreadRanks(Ranks):
    """The ranks of a job in one process. After so many sums, they are lost to each other."""

    def __init__(self, meeting: Meeting, number: int, sums: float = float("inf")):
        self.meeting = meeting
        self.number = number
        self.count = meeting.count
        self.sums = sums

    def sum(self, arrays) -> None:
        self.sums -= 1
        if self.sums < 0:
            raise RankLostError("another rank was killed")
        totals = [sum(each) for each in zip(*self.all([array.copy() for array in arrays]), strict=True)]
        for array, total in zip(arrays, totals, strict=True):
            array[...] = total

    def copy_first(self, arrays) -> None:
        arrays = list(arrays)
        for array, first in zip(arrays, self.all([array.copy() for array in arrays])[0], strict=True):
            array[...] = first

    def first(self, value):
        return value if self.sums < 0 else self.all(value)[0]

    def all(self, value) -> list:
        if self.sums < 0:
            raise RankLostError("another rank was killed")
        return self.meeting.exchange(self.number, value)


@pytest.fixture
def as_ranks():
    """Do a work on some ranks, which are threads; returns what each of them makes of it."""

    def run(count: int, work, sums: float = float("inf")) -> list:
        meeting = Meeting(count)
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda number: work(ThreadRanks(meeting, number, sums)), range(count)))

    return run
