"""The output formats. A command makes a `Result`, and `print_result` prints it in the format that was asked for.

To add a format, write a function that prints a `Result` and add it to `FORMATS`. Results are named tuples, since to
define a dataclass takes half a millisecond of every start.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import click

from .output import UNSAFE_CHARACTERS, escape_controls, on_terminal, warn, write


class Result(Protocol):
    """What a command found, in three forms. A format calls only the method that it needs."""

    def records(self) -> Iterable[Any]:
        """Objects for JSON, one a line."""

    def rows(self) -> Iterable[Sequence[Any]]:
        """Rows of fields, for programs that read columns."""

    def tables(self) -> Iterable[Any]:
        """Tables and lines for people: Rich's renderables and those of `rnncli.cli.tables`."""


class Answer(Result, Protocol):
    """A `Result` that is one of many, such as the answer to a prompt."""

    def warnings(self) -> Iterable[str]:
        """Warnings to print before the answer."""


class Verbatim(str):
    """A field copied from the input. Unlike other text, it goes through a pipe unchanged."""


def print_result(result: Result, output_format: str) -> None:
    """Print a result in one of the `FORMATS`."""
    FORMATS[output_format].write(result)


def print_answers(answers: Iterable[Answer], output_format: str, *, separated: bool = True) -> None:
    """Print answers as they come, each after its warnings; if `separated`, with a blank line between two of them."""
    separator = FORMATS[output_format].separator if separated else ""
    for place, answer in enumerate(answers):
        if place:
            write(separator)
        for warning in answer.warnings():
            warn(warning)
        print_result(answer, output_format)


def _write_table(result: Result) -> None:
    from .tables import draw

    draw(result.tables())


def _write_tsv(result: Result) -> None:
    # Most fields are floats: this saves the call of a function for each.
    rows = (
        "\t".join([f"{value:.6g}" if type(value) is float else field(value) for value in row]) for row in result.rows()
    )
    write("".join([f"{row}\n" for row in rows]))


def _write_jsonl(result: Result) -> None:
    unicode = (getattr(sys.stdout, "encoding", None) or "utf").lower().startswith("utf")
    for record in result.records():
        line = json.dumps(record, ensure_ascii=not unicode, allow_nan=False)
        write(UNSAFE_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n")


class Format(NamedTuple):
    """A way to print results."""

    write: Callable[[Result], None]
    separator: str  # between two answers


FORMATS = {
    "table": Format(_write_table, separator="\n"),
    "tsv": Format(_write_tsv, separator="\n"),
    "jsonl": Format(_write_jsonl, separator=""),
}

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(list(FORMATS)),
    default=lambda: "table" if on_terminal(sys.stdout) else "tsv",
    help="The output format. By default a table on a terminal, and TSV in a pipe.",
)


def field(value: Any) -> str:
    """A value as TSV shows it: a float with six significant digits, None as -."""
    if isinstance(value, str):
        return value if isinstance(value, Verbatim) and not on_terminal(sys.stdout) else escape_controls(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)
