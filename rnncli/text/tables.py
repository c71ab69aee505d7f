"""Reads one field of a table: of tab-separated lines by its number, of CSV by the name of its column."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from ..errors import TextError

DELIMITERS = (",", ";", "\t", "|")
SHOWN_CHARACTERS = 60  # of a line or a heading, in a message


def field_units(lines: Iterable[str], field: int, name: str) -> Iterator[str]:
    """Yield the field at this place, from 1 on, of each line that is not blank.

    Raises `TextError` where there is none.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.count("\t") < field - 1:
            shown = line[:SHOWN_CHARACTERS]
            raise TextError(f"{name}, line {number}: there is no field {field} in {shown!r}: tabs separate fields")
        if text := line.split("\t", field)[field - 1].strip():
            yield text


def column_units(lines: Iterable[str], column: str, name: str) -> Iterator[str]:
    """Yield each cell of a column of CSV, as one line. The first row names the columns.

    Raises `TextError`, which calls the file by its `name`, where the column is missing or the CSV is broken.
    """
    lines = iter(lines)
    header = next(lines, "")
    delimiter = delimiter_of(header, column)
    if not delimiter:
        rows = max((_cells(header, delimiter) for delimiter in DELIMITERS), key=len)
        shown = ", ".join(rows)[: 2 * SHOWN_CHARACTERS] or "not to be read"
        raise TextError(f"{name} has no column {column[:SHOWN_CHARACTERS]!r}: its columns are {shown}")
    place = _cells(header, delimiter).index(column)
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    start = 2  # the line in which the row begins
    try:
        for row in reader:
            start = reader.line_num + 2
            if text := " ".join("".join(row[place : place + 1]).split()):
                yield text
    except csv.Error as error:
        if "field limit" in str(error):
            longest = f"a cell of the row that begins here has more than {csv.field_size_limit():,} characters"
            raise TextError(f"{name}, line {start}: {longest}: close its quotation mark, or shorten it") from None
        raise TextError(f"{name}, line {reader.line_num + 1}: this is no CSV ({error}): mend the file") from None


def delimiter_of(header: str, column: str) -> str:
    """Return what parts the cells of a CSV whose header names the column; empty where none does."""
    return next((delimiter for delimiter in DELIMITERS if column in _cells(header, delimiter)), "")


def _cells(header: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []
