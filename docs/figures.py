"""The tables and sentences of figures in the documents, made of the result files in `benchmarks/results/`.

A document has a table between `<!-- table: NAME -->` and `<!-- end of table -->`, and a sentence between
`<!-- text: NAME -->` and `<!-- end of text -->`. `TABLES` and `TEXTS` make them.
"""

import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import results

Row = Mapping[str, Any]
TEXT_ORDER = ["ptb", "wikitext-2", "wikitext-2, validation", "tatoeba", "novel"]
MARKED = re.compile(r"<!-- (table|text): ([\w-]+) -->\n.*?<!-- end of \1 -->", flags=re.DOTALL)


def with_figures(document: str) -> str:
    """Return a document with its tables and sentences of figures up to date."""

    def made(marked: re.Match[str]) -> str:
        name = marked[2]
        if marked[1] == "text":
            return f"<!-- text: {name} -->\n{TEXTS[name]()}\n<!-- end of text -->"
        inside = TABLES[name]() if name in TABLES else table(name)
        return f"<!-- table: {name} -->\n\n{inside}\n<!-- end of table -->"

    return MARKED.sub(made, document)


def loose_figures(document: str) -> list[str]:
    """Return the measured figures of a document that come from no result file.

    These are numbers with a fraction, with thousands, or in percent, outside of code and of the tables and sentences
    made here. Numbers of versions do not count.
    """
    for not_measured in (
        MARKED.pattern,
        r"<!-- options -->.*?<!-- end of options -->",
        r"```.*?```|`[^`]*`|^ {4}[^\n]*",  # code
        r"\]\([^)]*\)|(?:Python|version(?: before)?|CC BY(?:-SA)?|CDLA-Sharing) ?[\d.]+",
    ):
        document = re.sub(not_measured, "", document, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\d+\.\d+|\d{1,3}(?:,\d{3})+|\d+ ?%", document)


def table(benchmark: str, order: Callable[[Row], Any] | None = None) -> str:
    """Make the table of a benchmark: its rows on all machines, and how they were measured.

    Rows of several files are put side by side where they begin alike, unless there is an `order`. A column in which
    every cell is empty is left out.
    """
    records = results.read(benchmark)
    if not records:
        raise ValueError(f"no result file is of the benchmark {benchmark}")
    columns: dict[str, str] = {**records[0]["columns"]}
    if "source" not in columns:  # of a publication
        columns |= {"machine": "", "version": "", "date": ""}
    rows: list[Row] = [
        {
            "machine": results.machine_name(record["machine"]),
            "version": record["rnncli"],
            "date": record["date"],
            **row,
        }
        for record in records
        for row in record["rows"]
    ]
    if order is None and len(records) > 1:
        firsts = [row[next(iter(columns))] for row in rows]
        order = lambda row: firsts.index(row[next(iter(columns))])  # noqa: E731
    rows.sort(key=order or (lambda row: 0))
    shown = {name: form for name, form in columns.items() if any(row.get(name) not in (None, "") for row in rows)}
    commands = dict.fromkeys(record["command"] for record in records if record.get("command"))
    return results.markdown(shown, rows) + "".join(f"\n{_measured(command)}\n" for command in commands)


def _measured(command: str) -> str:
    """Say how a table was measured: by a script, or by hand."""
    shown = command if command.startswith("by hand") else f"by `{command}`"
    return _wrapped(f"Measured {shown}.")


def seconds(time: str) -> float:
    """Return a time such as 10m in seconds."""
    return float(time[:-1]) * {"s": 1, "m": 60, "h": 3600}[time[-1]]


def by_text_and_time(row: Row) -> tuple[int, float]:
    return TEXT_ORDER.index(row["text"]), seconds(row["time"])


def row_of(benchmark: str, **wanted: Any) -> Row:
    """Return the row with these values that was measured last."""
    found = [
        (record["date"], {"version": record["rnncli"], "machine": record["machine"], **row})
        for record in results.read(benchmark)
        for row in record["rows"]
        if all(row[name] == value for name, value in wanted.items())
    ]
    if not found:
        raise ValueError(f"no result file of the benchmark {benchmark} has a row with {wanted}")
    return max(found, key=lambda dated: dated[0])[1]


def summary() -> str:
    """Make the README's table: the 5-grams alone, ten minutes of training, and an hour."""
    texts = {"Penn Treebank": "ptb", "WikiText-2": "wikitext-2"}
    times = ("10m", "60m")
    measured = {(title, time): row_of("quality", text=texts[title], time=time) for title in texts for time in times}
    columns = {"test perplexity, on two CPU cores": "", **dict.fromkeys(texts, ".1f")}

    def line(name: str, time: str, figure: str) -> Row:
        return {"test perplexity, on two CPU cores": name, **{title: measured[title, time][figure] for title in texts}}

    rows = [
        line("5-gram model, modified Kneser-Ney", "10m", "5-gram"),
        line("rnncli, trained for ten minutes", "10m", "all parts"),
        line("rnncli, trained for an hour", "60m", "all parts"),
    ]
    return results.markdown(columns, rows)


def published_texts() -> str:
    """Say what published LSTMs reach, beside the README's table."""
    zaremba = row_of("published", source="Zaremba et al. 2014", model="LSTM, 2 × 650 units, 20 M parameters")
    grave = row_of("published", source="Grave et al. 2017")
    merity_ptb = row_of("published", source="Merity et al. 2018", text="ptb")
    merity_wikitext = row_of("published", source="Merity et al. 2018", text="wikitext-2")
    return _wrapped(
        f"Published LSTMs, trained on a GPU: on the Penn Treebank {zaremba['test perplexity']} (Zaremba et al. 2014)"
        f" and {merity_ptb['test perplexity']}, with a cache {merity_ptb['with a cache']} (Merity et al. 2018);"
        f" on WikiText-2 {grave['test perplexity']}, with a cache {grave['with a cache']} (Grave et al. 2017), and"
        f" {merity_wikitext['test perplexity']}, with a cache {merity_wikitext['with a cache']} (Merity et al. 2018)."
    )


def speed_text() -> str:
    """Say how fast rnncli is, in a line."""
    training = row_of("speed", **{"words per second in training": "LSTM, default softmax over full, V = 10,000"})
    start = row_of("startup", **{"whole process": "rnncli predict, bundled model"})
    return _wrapped(
        f"An LSTM with two layers of 200 units reads {rounded(training['rnncli'])} words a second in training"
        f" ({results.machine_name(training['machine'])}), {training['ratio']:.1f} times as many as in PyTorch's"
        f" example, which has a full softmax. `rnncli predict` answers in {start['ms'] / 1e3:.2f} seconds"
        f" ({results.machine_name(start['machine'])})."
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_on_hyphens=False)


def rounded(number: float) -> str:
    """Return a number with two digits that count: 12,000 for 12,365."""
    return f"{float(f'{number:.2g}'):,.0f}"


TABLES: dict[str, Callable[[], str]] = {
    "summary": summary,
    "quality": lambda: table("quality", order=by_text_and_time),
    "dynamic": lambda: table("dynamic", order=by_text_and_time),
    "step": lambda: table("step", order=lambda row: row["machine"]),
}
TEXTS: dict[str, Callable[[], str]] = {"published": published_texts, "speed": speed_text}
