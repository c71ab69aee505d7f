"""Answering what comes line by line."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import TextError
from .output import complain, send


class Unanswered(NamedTuple):
    """A line that has no answer, and why."""

    line: str
    error: str


def answered(
    batches: Iterable[list[str]], ask: Callable[[list[str]], Iterable[Any]], most: int, source: str = ""
) -> Iterator[Any]:
    """What `ask` makes of the lines in `batches`, one answer for each, in order; `most` lines are asked for together.

    In the place of a line that has no answer, for which it raises a `TextError`, or that could not be decoded, stands
    an `Unanswered`; that is complained of, with the number of the line in its `source`, if there is one.
    """
    from ..text.reading import is_undecoded

    def answers(lines: list[str], number: int) -> Iterator[Any]:
        """What stands for some lines, the first of which has this number; those at fault are found by halving."""
        try:
            if source and any(map(is_undecoded, lines)):
                raise TextError("this is in another encoding: name it with --encoding, such as --encoding latin-1")
            found = list(ask(lines))
        except TextError as error:
            if len(lines) == 1:
                complain(f"{source}, line {number}: {error}" if source else str(error))
                yield Unanswered(lines[0], str(error))
            else:
                half = len(lines) // 2
                yield from answers(lines[:half], number)
                yield from answers(lines[half:], number + half)
        else:
            yield from found

    number = 1
    for batch in batches:
        for start in range(0, len(batch), most):
            some = batch[start : start + most]
            yield from answers(some, number)
            send()
            number += len(some)
