"""What ranks give each other, for a process that has no others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")
SideBySide = Callable[..., Iterable[Any]]  # `map`, or what does the same on several threads


class Ranks:
    """The ranks that share a job, as one of them sees them. All call the same methods in the same order.

    This one is the only rank: what it gives, it gets back.
    """

    number = 0
    count = 1
    machine: object = None  # the same for those that are on one machine

    @property
    def is_first(self) -> bool:
        """Whether this rank is the one that prints and writes."""
        return self.number == 0

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        """Sum each of the arrays over all ranks, in place. They must be contiguous. Raises `RankLostError`."""

    def copy_first(self, arrays: Iterable[np.ndarray]) -> None:
        """Take the numbers of the first rank in all arrays, in place. They must be contiguous."""

    def check(self) -> None:
        """Raise `RankLostError` where another rank is lost: call it in long work that needs no other one."""

    def first(self, value: T) -> T:
        """Return the value of the first rank; where it is lost, the own one."""
        return value

    def time(self, now: Callable[[], float]) -> float:
        """Return the time of the first rank by `now`; where it is lost, as its clock would have gone on."""
        return now()

    def all(self, value: T) -> list[T]:
        """Return the values of all ranks, in their order. Raises `RankLostError`."""
        return [value]

    def share_of(self, cores: Collection[int]) -> int:
        """Return how many of the cores that this rank may run on fall to it: others on its machine may run on them too.

        At least one. Raises `RankLostError`.
        """
        everyone = self.all((self.machine, tuple(cores)))
        here = [theirs for machine, theirs in everyone if machine == self.machine]
        share = sum(1 / sum(core in theirs for theirs in here) for core in cores)
        return max(1, int(share + 1e-6))  # thirds do not sum to one

    def map(self, side_by_side: SideBySide, work: Callable[[A], R], pieces: Iterable[A]) -> list[R]:
        """Return what `work` makes of each of the pieces, in their order: each rank does some, `side_by_side`."""
        everything = list(pieces)
        shares = self.all(list(side_by_side(work, everything[self.number :: self.count])))
        return [shares[place % self.count][place // self.count] for place in range(len(everything))]
