"""Figures in the documents come from result files, and nothing else."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULT_FILES = sorted((ROOT / "benchmarks" / "results").glob("*.json"))


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make", ROOT / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(make, tmp_path, monkeypatch):
    """The module that writes and reads result files, with a folder of its own."""
    module = make.figures.results
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks/cells.py", str(tmp_path), "--json", "cells.json", "lstm"])
    return module


def test_no_measured_figure_of_the_documents_stands_outside_of_the_tables_made_of_result_files(make):
    assert make.loose_figures() == {}


def test_a_loose_figure_is_found(make):
    page = "It takes 12.3 ms for 10,000 words, 5 % less.\n<!-- table: speed -->\n| 4.5 |\n<!-- end of table -->\n`0.5`"
    assert make.figures.loose_figures(page) == ["12.3", "10,000", "5 %"]


@pytest.mark.parametrize("path", RESULT_FILES, ids=lambda path: path.stem)
def test_a_result_file_says_what_was_measured_how_where_and_when(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert path.name.startswith(record["benchmark"])
    assert record["rows"]
    for row in record["rows"]:
        assert set(record["columns"]) <= set(row) <= {*record["columns"], "date"}
    if "command" in record:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
        assert re.fullmatch(r"\d+\.\d+\.\d+", record["rnncli"])


def test_every_result_file_is_shown_in_a_document(make):
    pages = "".join(path.read_text(encoding="utf-8") for path in make.WITH_FIGURES)
    shown = set(re.findall(r"<!-- table: ([\w-]+) -->", pages))
    assert {json.loads(path.read_text(encoding="utf-8"))["benchmark"] for path in RESULT_FILES} <= shown


def test_what_a_benchmark_adds_is_printed_written_and_rendered(make, results, capsys):
    found = results.Results("cells", {"cell": "", "rnncli": ".1f", "ratio": ".2f"})
    found.add("lstm", 1234.567891, 1.0)
    found.add("gru", None, 0.5)
    printed = capsys.readouterr().out
    assert printed.splitlines() == [
        "| cell | rnncli | ratio |",
        "|---|--:|--:|",
        "| lstm | 1234.6 | 1.00 |",
        "| gru |  | 0.50 |",
    ]
    (record,) = results.read("cells")
    assert record["rows"][0] == {"cell": "lstm", "rnncli": 1234.57, "ratio": 1.0}
    assert record["command"] == "python benchmarks/cells.py DATA_FOLDER lstm"
    rendered = make.figures.table("cells")
    assert rendered.startswith("| cell | rnncli | ratio | machine | version | date |\n")
    assert f"| lstm | 1234.6 | 1.00 | {results.machine_name(results.machine())} | {record['rnncli']} |" in rendered
    assert rendered.endswith("\nMeasured by `python benchmarks/cells.py DATA_FOLDER lstm`.\n")


def test_rows_of_two_machines_stand_side_by_side(make, results):
    for cpu, factor in (("One", 1), ("Two", 2)):
        rows = [{"what": name, "ms": factor * ms} for name, ms in (("a", 10), ("b", 20))]
        machine = {"cpu": cpu, "cores": factor, "simd": None}
        record = {"benchmark": "x", "command": "by hand", "rnncli": "1.0.0", "machine": machine, "date": "2026-01-01"}
        (results.FOLDER / f"x-{cpu}.json").write_text(
            results.dumps({**record, "columns": {"what": "", "ms": "d"}, "rows": rows})
        )
    lines = make.figures.table("x").splitlines()
    assert [line.split(" | ")[:3] for line in lines[2:6]] == [
        ["| a", "10", "One, 1 core"],
        ["| a", "20", "Two, 2 cores"],
        ["| b", "20", "One, 1 core"],
        ["| b", "40", "Two, 2 cores"],
    ]


def test_a_table_without_a_result_file_is_an_error(make):
    with pytest.raises(ValueError, match="no result file is of the benchmark nothing"):
        make.figures.with_figures("<!-- table: nothing -->\n<!-- end of table -->")
