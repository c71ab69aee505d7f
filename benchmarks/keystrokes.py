"""Measure how soon `rnncli type` answers a key: python benchmarks/keystrokes.py DATA_FOLDER [--model MODEL] [--lines N]

DATA_FOLDER/tatoeba/test.txt holds sentences. The script types some of them, letter by letter, into `rnncli type` in a
pseudo-terminal of 80 columns, and takes the time from each key to the last change of the screen that it causes. The
model is the bundled one unless you name another. There is no peer: an answer within 20 ms seems instant.
"""

import argparse
import fcntl
import itertools
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from pathlib import Path

import results

QUIET_SECONDS = 0.1  # without a change: the screen is then taken to be complete


def start(model: Path) -> tuple[int, int]:
    """Start `rnncli type`, and return its process and the terminal that it draws on."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", PROMPT_TOOLKIT_NO_CPR="1")
        os.execvp(sys.executable, [sys.executable, "-m", "rnncli", "type", "-m", str(model)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return process, terminal


def drawn(terminal: int, patience: float = QUIET_SECONDS) -> float | None:
    """Wait until the screen is complete, and return the time of its last change by `time.perf_counter`."""
    last = None
    while select.select([terminal], [], [], patience if last is None else QUIET_SECONDS)[0]:
        if not os.read(terminal, 2**16):
            break
        last = time.perf_counter()
    return last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    bundled = Path(__file__).resolve().parents[1] / "models" / "english.npz"
    parser.add_argument("--model", type=Path, default=bundled, metavar="MODEL", help="the bundled one by default")
    parser.add_argument("--lines", type=int, default=10)
    results.add_option(parser)
    arguments = parser.parse_args()
    with (arguments.data / "tatoeba" / "test.txt").open(encoding="utf-8") as file:
        lines = [line.strip() for line in itertools.islice(file, arguments.lines)]
    times = []
    for line in lines:
        process, terminal = start(arguments.model)
        drawn(terminal, patience=30.0)
        for key in line:
            if key.isdigit():  # a digit would accept a word
                continue
            began = time.perf_counter()
            os.write(terminal, key.encode())
            if (answered := drawn(terminal, patience=2.0)) is not None:
                times.append(1e3 * (answered - began))
        os.write(terminal, b"\x03")
        os.close(terminal)
        os.waitpid(process, 0)
    columns = {"keys": ",d", "median ms": ".1f", "ninth decile ms": ".1f"}
    found = results.Results("keystrokes", columns, arguments.json)
    found.add(len(times), statistics.median(times), statistics.quantiles(times, n=10)[-1])


if __name__ == "__main__":
    main()
