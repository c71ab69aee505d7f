"""Answering what comes line by line."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..errors import TextError
from .output import complain


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

    def ask_decoded(lines: list[str]) -> list[Any]:
        if source and any(map(is_undecoded, lines)):
            raise TextError("this is in another encoding: name it with --encoding, such as --encoding latin-1")
        return list(ask(lines))

    number = 0  # of lines before
    for batch in batches:
        for start in range(0, len(batch), most):
            some = batch[start : start + most]
            try:
                answers = ask_decoded(some)
            except TextError:
                places = (f"{source}, line {number + place}: " if source else "" for place in range(1, len(some) + 1))
                answers = (_answer(ask_decoded, line, where) for line, where in zip(some, places, strict=True))
            yield from answers
            number += len(some)


def _answer(ask: Callable[[list[str]], Iterable[Any]], line: str, where: str) -> Any:
    try:
        (answer,) = ask([line])
    except TextError as error:
        complain(f"{where}{error}")
        return Unanswered(line, str(error))
    return answer
