"""Writing to standard output and standard error."""

import os
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

import click

from ..errors import shortened

STREAMS = (0, 1, 2)  # the numbers of the standard streams
STDOUT = 1
STDERR = 2
FAILED_KEY = "rnncli.failed"  # of Click's context: whether an error was printed

MAX_WORDS_IN_WARNING = 20
MAX_MESSAGE_CHARACTERS = 1000
MESSAGE_END_CHARACTERS = 400  # that are kept of a longer message, at its beginning and at its end

# What can change a terminal's state or the order of the text: control characters, line and paragraph separators,
# bidirectional overrides. And lone surrogates, which no output can encode.
UNSAFE_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escape_controls(text: str) -> str:
    """Replace every character that a terminal would obey by an escape such as \\x1b."""
    if text.isprintable():
        return text
    return UNSAFE_CHARACTERS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def readable(message: str) -> str:
    """A message without what a terminal would obey; the middle of a long one, such as a long value, is left out."""
    message = escape_controls(message)
    if len(message) <= MAX_MESSAGE_CHARACTERS:
        return message
    return f"{message[:MESSAGE_END_CHARACTERS]} ... {message[-MESSAGE_END_CHARACTERS:]}"


def wrapped(message: str, before: str = "") -> str:
    """A message in lines of the terminal's width, if standard error is one. `before` is what comes before it."""
    if not on_terminal(sys.stderr):
        return before + message
    import shutil
    import textwrap

    columns = shutil.get_terminal_size().columns
    return textwrap.fill(before + message, columns, break_long_words=False, break_on_hyphens=False)


def on_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal. A closed standard stream is None, and is not."""
    return stream is not None and stream.isatty()


def for_stdout(text: str) -> str:
    """Escape control characters if standard output is a terminal; a pipe gets the text unchanged."""
    return escape_controls(text) if on_terminal(sys.stdout) else text


def write(text: str) -> None:
    """Write to the buffer of standard output."""
    if sys.stdout is not None:
        sys.stdout.write(text)


def flush() -> None:
    """Send the buffer of standard output: before a warning, when the input pauses, and at the end."""
    if sys.stdout is not None:
        sys.stdout.flush()


class _Stderr(TextIOWrapper):
    """Standard error. Where it is full or nobody reads it, all goes on without it: no work is lost for a message."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Send the rest nowhere: what is left in a buffer would fail again."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDERR)


def protect_streams() -> None:
    """Make sure that a broken standard error stops nothing, and that no file takes the place of a closed stream.

    A file that is opened gets the lowest free number: where standard error is closed, a message of a library would be
    written into the model.
    """
    for number in STREAMS:
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203
            os.open(os.devnull, os.O_RDWR)
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = _Stderr(
            sys.stderr.buffer, encoding=sys.stderr.encoding, errors="backslashreplace", line_buffering=True
        )


def discard_output() -> None:
    """Send the rest of standard output nowhere: writing it would fail again at the end, with a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)


def tell(text: str) -> None:
    """Print a message on standard error."""
    click.echo(wrapped(text), err=True)


def warn(text: str) -> None:
    """Print a warning on standard error."""
    flush()
    tell(f"Warning: {readable(text)}")


def print_error(text: str) -> None:
    """Print an error on standard error and go on; the exit status will be 1."""
    flush()
    tell(f"Error: {readable(text)}")
    click.get_current_context().meta[FAILED_KEY] = True


def unknown_words_warning(words: Sequence[str]) -> str:
    """The warning that names the `words` a model does not know; empty if there are none."""
    distinct = list(dict.fromkeys(words))
    named = ", ".join(map(shortened, distinct[:MAX_WORDS_IN_WARNING]))
    others = len(distinct) - MAX_WORDS_IN_WARNING
    return f"not in the model's vocabulary: {named}{f' and {others:,} others' if others > 0 else ''}" if words else ""
