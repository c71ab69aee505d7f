"""Answering what comes line by line."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import TextError


def answered(batches: Iterable[list[str]], ask: Callable[[list[str]], Iterable[Any]], most: int) -> Iterator[Any]:
    """What `ask` makes of the lines in `batches`, one answer for each, in order; `most` lines are asked for together.

    Where a line has no answer the error is raised once those before it are given.
    """
    for batch in batches:
        for start in range(0, len(batch), most):
            some = batch[start : start + most]
            try:
                answers = ask(some)
            except TextError:
                answers = (answer for line in some for answer in ask([line]))
            yield from answers
