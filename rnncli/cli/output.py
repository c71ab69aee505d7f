"""Printing results: as tables for people, as TSV and JSON lines for programs."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

FAILED = "rnncli.failed"  # in Click's context: something was complained of
BAR = 20  # columns
ENDLESS = 10**9  # columns
LEGIBLE = 8  # columns of a word that are left of it before a bar beside it goes
FAINT, STRONG = 0.05, 0.5  # of the largest influence on a word: what is coloured, and what is bold besides

# What may change a terminal's state or the order of what it shows: control characters, line and paragraph
# separators, bidirectional overrides; and lone surrogates, which no output can encode.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with everything that a terminal would obey, not show, written as an escape such as \\x1b."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def on_terminal(stream: TextIO | None) -> bool:
    """Whether somebody is looking; a stream that was closed is None."""
    return stream is not None and stream.isatty()


def put(text: str) -> None:
    """Write to standard output, where the text may wait for more until `send`."""
    if sys.stdout is not None:
        sys.stdout.write(text)


def send() -> None:
    """Send off what waits on standard output: before a warning, where the input pauses, and in the end."""
    if sys.stdout is not None:
        sys.stdout.flush()


def warn(text: str) -> None:
    """Tell of something that is not as it might be, on standard error."""
    send()
    click.echo(f"Warning: {visible(text)}", err=True)


def complain(text: str) -> None:
    """Tell of an error that ends nothing yet, on standard error: in the end the exit status is 1."""
    send()
    click.echo(f"Error: {visible(text)}", err=True)
    click.get_current_context().meta[FAILED] = True


def warn_of_unknown(words: Sequence[str]) -> None:
    """Name the words of a prompt that the model does not know, if there are any."""
    if words:
        warn(f"not in the model's vocabulary: {', '.join(dict.fromkeys(words))}")


def chosen_format(output_format: str | None) -> str:
    """The format asked for; by default a table on a terminal, and TSV in a pipe."""
    return output_format or ("table" if on_terminal(sys.stdout) else "tsv")


def number(value: Any) -> str:
    """A value as TSV and tables show it: six significant digits of a float, and - for none."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)


def short(p: float) -> str:
    """A probability as tables show it: four digits behind the point, or a power of ten where these are zeros."""
    return f"{p:.4f}" if p >= 1e-4 or p == 0 else f"{p:.0e}"


def for_stdout(text: str) -> str:
    """The text as standard output gets it: on a terminal without anything that it would obey."""
    return visible(text) if on_terminal(sys.stdout) else text


def print_tsv(rows: Sequence[Sequence[Any]]) -> None:
    """Print one row a line, its fields separated by tabs."""
    put("".join(["\t".join(map(number, row)) + "\n" for row in rows]))


def print_json(value: Any) -> None:
    """Print a value as JSON in one line."""
    utf = (getattr(sys.stdout, "encoding", None) or "utf").lower().startswith("utf")
    line = json.dumps(value, ensure_ascii=not utf, allow_nan=False)
    put(_UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line) + "\n")


def print_record(record: dict[str, Any], output_format: str, title: str) -> None:
    """Print names and their values in any of the formats."""
    if output_format == "jsonl":
        print_json(record)
    elif output_format == "tsv":
        print_tsv(list(record.items()))
    else:
        rows = [(name.replace("_", " "), _readable(value)) for name, value in record.items()]
        print_table(rows, ["<", "~"], title=title)


def _readable(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else number(value)


def print_table(
    rows: Sequence[Sequence[Any]], columns: Sequence[str], *, title: str = "", header: Sequence[str] = ()
) -> None:
    """Draw a table. A column is of text ("<"), right-aligned (">"), of bars ("|", numbers from 0 to 1) or flexible.

    Where a terminal is too narrow, the bars go, and the text of the flexible column ("~") is cut; in a pipe nothing is.
    """
    from rich.table import Table
    from rich.text import Text

    console = _console()
    bar = _bar if console.encoding.startswith("utf") else lambda share: "#" * round(share * BAR)
    cells = [
        [
            Text(bar(cell), "cyan") if kind == "|" else Text(visible(cell))
            for cell, kind in zip(row, columns, strict=True)
        ]
        for row in rows
    ]
    header = header or [""] * len(columns)
    lines = [*cells, [Text(name) for name in header]]
    widths = [max(line[place].cell_len for line in lines) for place in range(len(columns))]
    table = Table(box=None, pad_edge=False, show_header=any(header), header_style="dim")
    for place, kind in enumerate(columns):
        rest = console.width - sum(widths) + widths[place] - 2 * (len(columns) - 1)
        if kind == "~" and "|" in columns and rest < min(LEGIBLE, widths[place]):
            texts = [other for other, kind in enumerate(columns) if kind != "|"]
            kept = [[line[n] for n in texts] for line in (*rows, columns, header)]
            return print_table(kept[:-2], kept[-2], title=title, header=kept[-1])
        table.add_column(
            header[place],
            justify="right" if kind == ">" else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=max(1, rest) if kind == "~" else None,
        )
    for line in cells:
        table.add_row(*line)
    if title:
        console.print(Text(visible(title), "bold"))
    console.print(table)


def print_row(cells: Sequence[str], widths: Sequence[int], text: str) -> None:
    """Draw a row of a table that grows as answers come: right-aligned cells, and a text, cut where a terminal ends."""
    from rich.text import Text

    row = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    _console().print(Text(visible("  ".join([*row, text]))), no_wrap=True, overflow="ellipsis")


def print_words(words: Sequence[tuple[str, float | None]]) -> None:
    """Print words in a line, each coloured by a number from -1 (red) over 0 (plain) to 1 (green); None: bold."""
    from rich.text import Text

    line = Text()
    for word, value in words:
        style = "bold" if value is None else ("green" if value > 0 else "red") if abs(value) >= FAINT else ""
        if value is not None and abs(value) >= STRONG:
            style += " bold"
        line.append(visible(word), style).append(" ")
    _console().print(line)


def _console():
    """Where tables and colours go: as wide as the terminal, or in a pipe as wide as may be."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise  # Rich would end the program with a status of its own

    console = Output(highlight=False)
    if not on_terminal(sys.stdout):
        console.width = ENDLESS
    return console


def _bar(share: float, width: int = BAR) -> str:
    """A bar of up to `width` characters, drawn to an eighth of one."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
