"""Whether a training on several ranks survives the loss of one: python benchmarks/losses.py DATA_FOLDER [--times N]

On the first lines of DATA_FOLDER/ptb/train.txt, three ranks train under `mpiexec`, and at a random moment a random one
is killed, or stopped for good. Two ranks train on machines of their own (see `links.py`, which needs root), and the
link between them is cut. Each time all ranks must have ended within the timeout, and the training must go on from its
checkpoint. No work is lost if that holds all steps up to the last report, at least.

By default the launcher kills the other ranks when one was killed, before they can keep anything; with
`-disable-auto-cleanup` it leaves that to them.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import results
from links import Link, can_be_made

import rnncli

BIN = Path(sys.executable).parent
LINES = 2000
TIMEOUT = 10
OPTIONS = f"--hidden-size 64 --threads 1 --epochs 100000 --patience 100000 --mpi-timeout {TIMEOUT}s --quiet".split()
CUTS = 10
LEAST_SECONDS = 2.0  # of a training before it is struck
Prepare = Callable[[], object]
Strike = Callable[[dict[int, int]], object]  # at the processes of a training, by rank
COLUMNS = {
    "what": "",
    "times": "d",
    "ended in time": "d",
    "went on": "d",
    "lost no work": "d",
    "slowest, seconds": ".1f",
}


class Outcome(NamedTuple):
    """What became of a training that was struck."""

    seconds: float  # until its ranks had ended
    goes_on: bool
    is_whole: bool  # no work is lost


def ranks_in(folder: Path) -> dict[int, int]:
    """Find the processes that train in a folder: the number of each, by its rank."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = entry.joinpath("cmdline").read_bytes().split(b"\0")
            if str(folder / "model.npz").encode() in words and b"python" in words[0]:
                lines = entry.joinpath("environ").read_bytes().split(b"\0")
                variables = dict(line.partition(b"=")[::2] for line in lines)
                found[int(variables.get(b"PMI_RANK", b"-1"))] = int(entry.name)
    return found


def lose(folder: Path, launcher: list[str], strike: Strike, wait: float) -> Outcome:
    """Start a training, and strike after a while."""
    checkpoint = folder / "model.checkpoint.npz"
    log = folder / "log.jsonl"
    for old in (checkpoint, log):
        old.unlink(missing_ok=True)
    command = [*launcher, BIN / "rnncli", "train", folder / "corpus.txt", "-o", folder / "model.npz", "--log", log]
    command += OPTIONS
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not checkpoint.exists():
            if process.poll() is not None:
                raise SystemExit(f"{command} failed")
            time.sleep(0.1)
        time.sleep(wait)
        strike(ranks_in(folder))
        began = time.monotonic()
        while any(is_running(pid) for pid in ranks_in(folder).values()) and time.monotonic() < began + 6 * TIMEOUT:
            time.sleep(0.1)
        seconds = time.monotonic() - began
        for pid in ranks_in(folder).values():
            os.kill(pid, signal.SIGKILL)
        process.kill()
    training = rnncli.start_training(folder / "corpus.txt", resume=checkpoint, threads=1)
    step = training.state.step
    for _ in training.run():  # the first report may be one that the loss of a rank had put off
        if training.state.step > step:
            break
    reports = log.read_text(encoding="utf-8").splitlines()
    is_whole = bool(reports) and step >= json.loads(reports[-1])["step"]
    return Outcome(seconds, training.state.step == step + 1, is_whole)


def is_running(pid: int) -> bool:
    """Whether a process is neither gone nor stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZX"
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--times", type=int, default=15)
    results.add_option(parser)
    arguments = parser.parse_args()
    found = results.Results("losses", COLUMNS, arguments.json)
    times = arguments.times
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        lines = (arguments.data / "ptb" / "train.txt").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / "corpus.txt").write_text("".join(lines[:LINES]), encoding="utf-8")

        def repeat(what: str, launcher: list[str], strike: Strike, count: int, prepare: Prepare = lambda: None) -> None:
            outcomes = []
            for _ in range(count):
                prepare()
                outcomes.append(lose(folder, launcher, strike, LEAST_SECONDS + 3 * chance.random()))
            in_time = sum(outcome.seconds <= TIMEOUT for outcome in outcomes)
            goes_on = sum(outcome.goes_on for outcome in outcomes)
            whole = sum(outcome.is_whole for outcome in outcomes)
            found.add(what, count, in_time, goes_on, whole, max(outcome.seconds for outcome in outcomes))

        def by_signal(number: signal.Signals) -> Strike:
            return lambda ranks: os.kill(ranks[chance.choice(sorted(ranks))], number)

        mpiexec = str(BIN / "mpiexec")
        three = [mpiexec, "-n", "3"]
        alone = [mpiexec, "-disable-auto-cleanup", "-n", "3"]
        repeat("a rank of three is killed, and the launcher kills the others", three, by_signal(signal.SIGKILL), times)
        repeat("a rank of three is killed alone", alone, by_signal(signal.SIGKILL), times)
        repeat("a rank of three is stopped", three, by_signal(signal.SIGSTOP), times)
        if can_be_made():
            with Link(folder) as link:
                launcher = link.command(BIN / "mpiexec")
                cut = functools.partial(link.set_up, False)
                mend = functools.partial(link.set_up, True)
                repeat("the link between two ranks is cut", launcher, lambda ranks: cut(), CUTS, mend)


if __name__ == "__main__":
    main()
