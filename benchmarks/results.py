"""Result files: what a benchmark measured, by which command and version, on which machine, and when.

A benchmark names its columns and adds a row for each thing measured: that prints a line of a Markdown table, and writes
the JSON file. `docs/make.py` renders the tables of the documents from these files.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"

Columns = Mapping[str, str]  # the heading of each column, and how its numbers are formatted; "" for text
Row = Mapping[str, Any]  # the value in each column; None where nothing was measured


class Results:
    """The figures of a benchmark. `add` prints a row and rewrites the file, so an interrupted run loses nothing."""

    def __init__(self, benchmark: str, columns: Columns, path: Path | None = None):
        self.benchmark = benchmark
        self.columns = columns
        self.rows: list[Row] = []
        self.path = path or FOLDER / f"{benchmark}-{slug(machine())}.json"

    def add(self, *values: object) -> None:
        """Add a row: a value for each column, in order."""
        if not self.rows:
            print(heading(self.columns))
        self.rows.append(dict(zip(self.columns, map(plain, values), strict=True)))
        print(line(self.columns, self.rows[-1]), flush=True)
        self.write()

    def write(self) -> None:
        record = {
            "benchmark": self.benchmark,
            "command": command(sys.argv),
            "rnncli": version("rnncli"),
            "machine": machine(),
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "torch": version("torch"),
            "date": datetime.date.today().isoformat(),
            "columns": self.columns,
            "rows": self.rows,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(dumps(record), encoding="utf-8")


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--json FILE` to the command line of a benchmark."""
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="the result file to write; by default benchmarks/results/NAME-MACHINE.json",
    )


def read(benchmark: str) -> list[dict[str, Any]]:
    """Read all result files of a benchmark, in the order of their names."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return [record for record in records if record["benchmark"] == benchmark]


def dumps(record: Mapping[str, Any]) -> str:
    """A result file as text, with one row of figures a line."""
    fields = [
        f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in record.items()
        if name != "rows"
    ]
    rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in record["rows"])
    return "{\n" + ",\n".join(fields) + f',\n "rows": [\n{rows}\n ]\n}}\n'


def markdown(columns: Columns, rows: list[Row]) -> str:
    """A Markdown table."""
    return "\n".join([heading(columns), *(line(columns, row) for row in rows)]) + "\n"


def heading(columns: Columns) -> str:
    """The first two lines of a Markdown table. Columns of numbers are aligned to the right."""
    return "| " + " | ".join(columns) + " |\n|" + "|".join("--:" if form else "---" for form in columns.values()) + "|"


def line(columns: Columns, row: Row) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cell(row.get(name), form) for name, form in columns.items()) + " |"


def cell(value: object, form: str) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else format(value, form)


def plain(value: Any) -> object:
    """A value as JSON takes it: no scalar of NumPy, and six digits of a fraction."""
    value = value.item() if hasattr(value, "item") else value
    return float(f"{value:.6g}") if isinstance(value, float) else value


def command(words: list[str]) -> str:
    """A command line without the paths of one user's machine."""
    script, *rest = words
    shown = ["python", f"benchmarks/{Path(script).name}"]
    for before, word in zip([script, *rest], rest, strict=False):
        if not (word.startswith("--json") or before.startswith("--json")):
            if Path(word).is_dir():
                is_prepared = any(Path(word).glob("*.test.txt"))  # by models/prepare.py
                word = "CHECKOUT" if before == "--other" else "WORK_FOLDER" if is_prepared else "DATA_FOLDER"
            shown.append(Path(word).name if "/" in word else word)
    return shlex.join(shown)


def machine() -> dict[str, Any]:
    """The processor, how many cores may be used, and the widest vector instructions that it has."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        described = ""
    name = re.search(r"^model name\s*: (.*)$", described, flags=re.MULTILINE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    widest = [simd for flag, simd in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in described.split()]
    return {
        "cpu": name[1].strip() if name else platform.processor() or platform.machine(),
        "cores": cores,
        "simd": widest[0] if widest else None,
    }


def machine_name(found: Mapping[str, Any] | None) -> str:
    """A machine as the tables name it."""
    if not found:
        return ""
    cores = f"{found['cores']} core{'s' if found['cores'] != 1 else ''}" if found["cores"] else None
    return ", ".join(part for part in (found["cpu"], cores, found["simd"]) if part)


def slug(found: Mapping[str, Any]) -> str:
    """A machine as the names of files have it."""
    return re.sub(r"[^a-z0-9]+", "-", machine_name(found).lower()).strip("-")


def version(package: str) -> str | None:
    """The version of an installed package, if it is installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
