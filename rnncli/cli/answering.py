"""Answering lines as they come, and what `-` means: standard input, which can be read once."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import click

from ..errors import TextError
from .output import flush, on_terminal, print_error

Answered = TypeVar("Answered")
Failed = TypeVar("Failed")

STDIN = "-"
UNDECODED_MESSAGE = "this is in another encoding: name it with --encoding, such as --encoding latin-1"


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
    from ..text.decoding import is_undecoded

    def answers(lines: list[str], number: int) -> Iterator[Answered | Failed]:
        """Answer lines, the first of which has this number. Halving finds those that have no answer."""
        try:
            if source and any(map(is_undecoded, lines)):
                raise TextError(UNDECODED_MESSAGE)
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


def stdin_lines(encoding: str) -> Iterator[str | None]:
    """Read the lines of standard input as they come. One that could not be decoded is reported, and None."""
    from ..text.decoding import is_undecoded
    from ..text.reading import read_batches

    number = 0
    for batch in read_batches(STDIN, encoding, "surrogateescape"):
        for line in batch:
            number += 1
            if is_undecoded(line):
                print_error(f"standard input, line {number}: {UNDECODED_MESSAGE}")
                yield None
            else:
                yield line


def is_piped() -> bool:
    """Whether standard input is open and no terminal: what a command reads if no text is named."""
    return sys.stdin is not None and not on_terminal(sys.stdin)


def named_texts(texts: Sequence[str], metavar: str) -> tuple[str, ...]:
    """The texts that a command names, or standard input if it is piped: to one rank, if there are several."""
    from ..ranks.launched import started_ranks

    if started_ranks() > 1 and (not texts or STDIN in texts):
        raise click.UsageError(
            f"Missing argument '{metavar}': name a file, since standard input comes to one rank only."
        )
    if not texts and not is_piped():
        raise click.UsageError(f"Missing argument '{metavar}': name a text, or pipe one in.")
    if not texts and not _has_content(sys.stdin.buffer):
        raise TextError("standard input is empty: name a text, or pipe one in")
    return tuple(texts) or (STDIN,)


def _has_content(stream: Any) -> bool:
    """Whether a stream of bytes gives any. Nothing is taken from it."""
    if not stream.seekable():
        return bool(stream.peek(1))
    place = stream.tell()
    found = stream.read(1)
    stream.seek(place)
    return bool(found)


def check_stdin_once(texts: Sequence[str]) -> None:
    """Refuse to read standard input twice."""
    from ..ranks.launched import started_ranks

    if STDIN in texts and started_ranks() > 1:
        raise click.UsageError("Standard input comes to one rank only: name files.")
    if list(texts).count(STDIN) > 1:
        raise click.UsageError("- is standard input, which can be read once only: name files for the other texts.")
