"""Tables, bars and coloured words for people, drawn by Rich."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from .output import escape_controls, on_terminal

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

BAR_WIDTH = 20  # columns
UNLIMITED_WIDTH = 10**9  # columns
COLUMN_GAP = 2  # columns
MIN_WORD_WIDTH = 8  # columns of a word that a narrow terminal must leave beside the bars; else the bars go
MIN_TEXT_WIDTH = 16  # columns of a text that a narrow terminal must leave beside its numbers; else it goes below
MIN_COLOURED_INFLUENCE = 0.05  # of the largest influence
MIN_BOLD_INFLUENCE = 0.5  # of the largest influence


class Table(NamedTuple):
    """A table. A column is of text ("<"), right-aligned (">"), of bars ("|", numbers from 0 to 1) or flexible ("~").

    If a terminal is too narrow, the text of the flexible column is wrapped; if too little is left for that, the bars
    are left out. Nothing is cut.
    """

    rows: Sequence[Sequence[Any]]
    columns: Sequence[str]
    header: Sequence[str] = ()
    title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.table import Table as RichTable
        from rich.text import Text

        header = self.header or [""] * len(self.columns)
        cells = self._cells(ascii_only=not console.encoding.startswith("utf"))
        widths = [max(cell.cell_len for cell in column) for column in zip(map(Text, header), *cells, strict=True)]
        spare = console.width - sum(widths) - COLUMN_GAP * (len(widths) - 1)
        if "|" in self.columns and any(
            kind == "~" and width + spare < min(MIN_WORD_WIDTH, width)
            for kind, width in zip(self.columns, widths, strict=True)
        ):
            yield self._without_bars(header)
            return
        table = RichTable(box=None, pad_edge=False, show_header=any(header), header_style="dim")
        for kind, name, width in zip(self.columns, header, widths, strict=True):
            table.add_column(
                name,
                justify="right" if kind == ">" else "left",
                overflow="fold",
                max_width=max(1, width + spare) if kind == "~" else None,
            )
        for row in cells:
            table.add_row(*row)
        if self.title:
            yield Text(escape_controls(self.title), "bold")
        yield table

    def _cells(self, ascii_only: bool) -> list[list[Text]]:
        from rich.text import Text

        draw_bar = _ascii_bar if ascii_only else bar
        return [
            [
                Text(draw_bar(cell), "cyan") if kind == "|" else Text(escape_controls(cell))
                for cell, kind in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]

    def _without_bars(self, header: Sequence[str]) -> Table:
        kept = [place for place, kind in enumerate(self.columns) if kind != "|"]
        rows = [[row[place] for place in kept] for row in self.rows]
        columns = [self.columns[place] for place in kept]
        return self._replace(rows=rows, columns=columns, header=[header[place] for place in kept])


class FixedRow(NamedTuple):
    """A row of a table that grows answer by answer: right-aligned cells, then a text that is wrapped."""

    cells: Sequence[str]
    widths: Sequence[int]
    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        gap = " " * COLUMN_GAP
        numbers = gap.join(f"{cell:>{width}}" for cell, width in zip(self.cells, self.widths, strict=True))
        indent = len(numbers) + COLUMN_GAP
        if console.width - indent < MIN_TEXT_WIDTH:
            yield Text(numbers)
            yield Text(escape_controls(self.text))
            return
        lines = Text(escape_controls(self.text)).wrap(console, console.width - indent, overflow="fold")
        margins = [f"{numbers}{gap}", *[" " * indent] * (len(lines) - 1)]
        for margin, line in zip(margins, lines or [Text()], strict=True):
            yield Text(margin + line.plain)


class ColouredWords(NamedTuple):
    """Words in a line, each coloured by a number from -1 (red) over 0 (plain) to 1 (green); None is bold."""

    words: Sequence[tuple[str, float | None]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        line = Text()
        for word, value in self.words:
            line.append(escape_controls(word), _style(value)).append(" ")
        yield line


def _style(value: float | None) -> str:
    if value is None:
        return "bold"
    if abs(value) < MIN_COLOURED_INFLUENCE:
        return ""
    colour = "green" if value > 0 else "red"
    return f"{colour} bold" if abs(value) >= MIN_BOLD_INFLUENCE else colour


def readable_word(word: str, unit: str) -> str:
    """A word as people read it in a table: the end of a unit in words, white space in quotes."""
    from ..text.vocabulary import EOS

    if word == EOS:
        return f"end of the {unit}"
    return word if word.strip() else repr(word)


def record_table(record: dict[str, Any], title: str) -> Table:
    """A table of names and their values."""
    rows = [(name.replace("_", " "), _readable(value)) for name, value in record.items()]
    return Table(rows, ["<", "~"], title=title)


def _readable(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.6g}"
    return "-" if value is None else str(value)


def format_probability(p: float) -> str:
    """A probability as tables show it: four decimals, or a power of ten if these would be zeros."""
    return f"{p:.4f}" if p >= 1e-4 or p == 0 else f"{p:.0e}"


# Not `rich.bar.Bar`: it rounds down to an eighth of a column, so a full bar may lack its end, and it has no ASCII form.
def bar(fraction: float, width: int = BAR_WIDTH) -> str:
    """A bar of up to `width` characters, drawn to the nearest eighth of one."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _ascii_bar(fraction: float) -> str:
    return "#" * round(fraction * BAR_WIDTH)


def draw(renderables: Iterable[Any]) -> None:
    """Draw tables and lines on standard output, as wide as the terminal; in a pipe, as wide as they are."""
    console = _console(sys.stdout)
    for renderable in renderables:
        console.print(renderable)


@lru_cache(maxsize=1)  # to make one takes as long as to draw a row
def _console(stdout: TextIO | None) -> Console:
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise  # Rich would end the program with a status of its own

    console = Output(highlight=False)
    if not on_terminal(stdout):
        console.width = UNLIMITED_WIDTH
    return console
