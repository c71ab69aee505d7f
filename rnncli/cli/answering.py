"""Answering lines as they come."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..errors import TextError
from .output import flush, print_error

Answered = TypeVar("Answered")
Failed = TypeVar("Failed")


def answer_lines(
    batches: Iterable[list[str]],
    ask: Callable[[list[str]], Iterable[Answered]],
    failed: Callable[[str, str], Failed],
    *,
    lines_per_call: int,
    source: str = "",
) -> Iterator[Answered | Failed]:
    """Answer the lines in `batches`, in their order.

    `ask` answers up to `lines_per_call` lines, or raises `TextError` for a line that has no answer. That error is
    printed, with the line's number in the `source` if there is one, and `failed(line, message)` takes the answer's
    place. The same is done for a line that could not be decoded.
    """
    from ..text.reading import is_undecoded

    def answers(lines: list[str], number: int) -> Iterator[Answered | Failed]:
        """Answer lines, the first of which has this number. Halving finds those that have no answer."""
        try:
            if source and any(map(is_undecoded, lines)):
                raise TextError("this is in another encoding: name it with --encoding, such as --encoding latin-1")
            found = list(ask(lines))
        except TextError as error:
            if len(lines) == 1:
                print_error(f"{source}, line {number}: {error}" if source else str(error))
                yield failed(lines[0], str(error))
            else:
                half = len(lines) // 2
                yield from answers(lines[:half], number)
                yield from answers(lines[half:], number + half)
        else:
            yield from found

    number = 1
    for batch in batches:
        for start in range(0, len(batch), lines_per_call):
            lines = batch[start : start + lines_per_call]
            yield from answers(lines, number)
            flush()
            number += len(lines)
