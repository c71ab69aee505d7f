"""What a training asks its caller for, and tells it, while it prepares."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..ranks import Ranks
from ..text.corpus import Corpus

READING = "Reading"
COUNTING = "Counting n-grams"


def _wall_clock() -> float:
    return time.perf_counter()


def ignore(*told: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Hooks:
    """What a training asks its caller for, and tells it, while it prepares."""

    on_read: Callable[[Corpus], object] = ignore  # is told the text when it has been read
    on_progress: Callable[[str, float], object] = ignore  # is told the work that is done, and which fraction of it
    now: Callable[[], float] = _wall_clock  # tells the time in seconds
    cache_dir: str | Path | None = None  # where large texts are kept; by default the folder of the user's caches
    ranks: Ranks = field(default_factory=Ranks)  # that share the training

    def report(self, work: str, fraction: float) -> None:
        """Tell which fraction of some work is done. Raises `RankLostError` where another rank is lost meanwhile."""
        self.ranks.check()
        self.on_progress(work, fraction)

    def reading(self) -> dict[str, Any]:
        """Return what a reader of texts is told."""
        return {"cache_dir": self.cache_dir, "on_progress": partial(self.report, READING), "ranks": self.ranks}

    def agreed_now(self) -> float:
        """Return the time of the first rank, so that all decide alike by it."""
        return self.ranks.time(self.now)
