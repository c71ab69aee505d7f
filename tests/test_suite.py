"""The tests themselves: they pass wherever they are started, and end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATUS = "grep -E '^Sig(Ign|Blk)' /proc/self/status"  # masks of signals: bit n - 1 is for signal n
HANG_UP = 1  # which nohup ignores, for all


@pytest.fixture
def linux(posix) -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs /proc")


def masks(shown: str) -> list[int]:
    return [int(line.split()[1], 16) & ~HANG_UP for line in shown.splitlines() if line.startswith("Sig")]


@pytest.mark.usefixtures("linux")
def test_a_program_in_a_test_takes_every_signal(shell, terminal):
    assert masks(shell(STATUS).stdout) == [0, 0]
    assert masks(terminal(STATUS)[0]) == [0, 0]


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize("started", ["", "trap '' INT QUIT TERM TSTP;", "nohup"])
def test_the_tests_of_signals_pass_where_a_script_runs_them_in_the_background(shell, started):
    test = f"{Path(__file__)}::test_a_program_in_a_test_takes_every_signal"
    run = shell(f"{started} {sys.executable} -m pytest -q -n 0 -p no:cacheprovider '{test}' & wait $!", cwd=ROOT)
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout


def test_a_command_that_hangs_is_killed_with_all_that_it_started(shell):
    with pytest.raises(subprocess.TimeoutExpired):
        shell("sleep 1000 | sleep 1000", timeout=0.1)


def test_a_test_that_hangs_fails(pytestconfig):
    assert 0 < float(pytestconfig.getini("timeout")) <= 600
