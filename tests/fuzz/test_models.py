"""Some cases of the campaign against model files (see `models.py`). What failed once is in tests/storage."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = 300


def test_spoiled_model_files_are_used_or_refused_in_one_line():
    pytest.importorskip("resource", reason="limits memory as POSIX does")
    script = Path(__file__).with_name("models.py")
    command = [sys.executable, str(script), "--cases", str(CASES), "--seed", "11"]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout + run.stderr
    *outcomes, summary = run.stdout.splitlines()
    assert f"{CASES} cases, seed 11: 0 defects" in summary
    counts = {kind: int(count) for count, kind in (re.match(r"\s*([\d,]+)  (.*)", line).groups() for line in outcomes)}
    assert counts["used"] > CASES / 20  # else only the checks at the door would be tested
    assert sum(count for kind, count in counts.items() if kind.startswith("refused")) > CASES / 2
