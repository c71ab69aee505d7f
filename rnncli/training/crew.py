"""All who work on a training: the threads of this process, and those of the other ranks."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from ..nn.threads import Threads
from ..ranks import Ranks
from ..ranks.agreement import check_alike
from ..text.corpus import Corpus
from ..version import __version__
from .checkpoint import corpus_digests
from .plan import Plan

A = TypeVar("A")
R = TypeVar("R")


class Crew:
    """The threads of all ranks, who share the pieces of a job."""

    def __init__(self, threads: int, ranks: Ranks):
        self.threads = Threads(threads)  # of this rank
        self.ranks = ranks
        self.counts = ranks.all(threads)  # the threads of each rank
        self.count = sum(self.counts)

    def map(self, work: Callable[[A], R], pieces: Iterable[A]) -> list[R]:
        """Return what `work` makes of each of the pieces, in their order."""
        return self.ranks.map(self.threads.map, work, pieces)


def check_options_agree(ranks: Ranks, options: Mapping[str, Any]) -> None:
    """Refuse ranks that were started with other options, or are of another version, than the first one."""
    own = {name: value for name, value in options.items() if name != "threads"}
    check_alike(
        ranks,
        {
            "another version of rnncli": __version__,
            "another version of Python": platform.python_version(),
            "another version of NumPy": np.__version__,
            "other options": _digest(own),
        },
    )


def check_texts_agree(ranks: Ranks, plan: Plan, corpus: Corpus) -> None:
    """Refuse ranks that have read another text than the first one, or a model with another name for it."""
    if ranks.count > 1:
        text = {name: value for name, value in asdict(plan.text).items() if name != "valid"}  # where it is may differ
        decided = {"init": plan.init_sha256, "network": asdict(plan.network), "text": text}
        texts = corpus_digests(corpus)
        check_alike(
            ranks,
            {
                "another text": texts["text"],
                "another validation text": texts["valid"],
                "other settings": _digest(decided),
            },
        )


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
