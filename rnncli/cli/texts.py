"""Telling what was read of the texts of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import TextError
from .errors import in_options
from .output import escape_controls, tell, warn

if TYPE_CHECKING:
    from ..text.corpus import CacheEntry, TextFacts
    from ..text.reading import FileRead

BYTES_PER_UNIT = 1000.0
MAX_REASONS = 2  # that are told of one kind of unit


def warn_of_text(warning: str) -> None:
    """Print what was wrong with a text, in terms of the command line."""
    warn(in_options(TextError(warning), [click.get_current_context().command]))


def print_what_was_read(facts: TextFacts, token: str) -> None:
    """Print how much was read on standard error."""
    tell(escape_controls(what_was_read(facts, token)))


def what_was_read(facts: TextFacts, token: str = "word") -> str:
    """Say in one line how much was read, and what its units are, and why."""
    files = facts.read.files
    source = Path(files[0].name).name if len(files) == 1 else f"{len(files):,} files"
    size = format_bytes(sum(file.bytes for file in files))
    amount = f"{_number(facts.words, token)}, {facts.distinct_words:,} distinct, {facts.unknown:.1%} unknown"
    return f"Read {source}, {size}: {amount}; {', '.join(_units(files))}"


def print_cache_entry(entry: CacheEntry) -> None:
    """Tell where a large text is kept, and how much room that takes."""
    place = escape_controls(str(entry.folder))
    tell(f"{'Taken from' if entry.is_reused else 'Kept in'} {place}, {format_bytes(entry.bytes)}.")


def print_counted_part(counted: int, words: int) -> None:
    """Tell of how much of a text n-grams were counted, if not of all of it."""
    if counted < words:
        tell(f"n-grams are counted in {counted:,} of the {words:,} words, from all over the text.")


def _units(files: list[FileRead]) -> list[str]:
    """Say how many units of each kind there are, and why they are taken for such: the reason for most of them first."""
    found = []
    for unit in ("paragraph", "line"):
        characters: dict[str, int] = {}  # by reason
        of_kind = [file for file in files if file.unit == unit and file.units]
        for file in of_kind:
            characters[file.evidence] = characters.get(file.evidence, 0) + file.characters
        reasons = sorted(filter(None, characters), key=lambda reason: -characters[reason])
        if of_kind:
            shown = ", ".join(reasons[:MAX_REASONS]) + (", ..." if reasons[MAX_REASONS:] else "")
            found.append(_number(sum(file.units for file in of_kind), unit) + (f" ({shown})" if shown else ""))
    return found


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_bytes(count: float) -> str:
    """A number of bytes in few characters, such as 1.2 MB."""
    if count < BYTES_PER_UNIT:
        return _number(int(count), "byte")
    for unit in ("kB", "MB", "GB"):
        count /= BYTES_PER_UNIT
        if count < BYTES_PER_UNIT - 0.5 or unit == "GB":
            break
    return f"{count:.1f} {unit}" if count < 10 else f"{count:,.0f} {unit}"
