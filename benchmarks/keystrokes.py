"""How soon a key is answered: python benchmarks/keystrokes.py DATA_FOLDER [--model MODEL] [--lines N]

DATA_FOLDER/tatoeba/test.txt holds sentences. Types some of them, letter by letter, into `rnncli type` in a
pseudo-terminal of 80 columns, and takes the time from each key to the last change that it makes to the screen. The
model is the bundled one, unless another is named. There is no peer: what is answered within 20 ms seems to be answered
at once.
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

QUIET = 0.1  # seconds without a change, after which the screen is taken to be drawn


def start(model: Path) -> tuple[int, int]:
    """The process of `rnncli type`, and the terminal that it draws on."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", PROMPT_TOOLKIT_NO_CPR="1")
        os.execvp(sys.executable, [sys.executable, "-m", "rnncli", "type", "-m", str(model)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return process, terminal


def drawn(terminal: int, patience: float = QUIET) -> float | None:
    """When the last change to the screen came, by `time.perf_counter`, once there is none for a while."""
    last = None
    while select.select([terminal], [], [], patience if last is None else QUIET)[0]:
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
    arguments = parser.parse_args()
    with (arguments.data / "tatoeba" / "test.txt").open(encoding="utf-8") as file:
        lines = [line.strip() for line in itertools.islice(file, arguments.lines)]
    times = []
    for line in lines:
        process, terminal = start(arguments.model)
        drawn(terminal, patience=30.0)
        for key in line:
            if key.isdigit():  # would accept a word
                continue
            began = time.perf_counter()
            os.write(terminal, key.encode())
            if (answered := drawn(terminal, patience=2.0)) is not None:
                times.append(1e3 * (answered - began))
        os.write(terminal, b"\x03")
        os.close(terminal)
        os.waitpid(process, 0)
    median, late = statistics.median(times), statistics.quantiles(times, n=10)[-1]
    print("| keys | median ms | of ten, nine within ms |")
    print("|--:|--:|--:|")
    print(f"| {len(times)} | {median:.1f} | {late:.1f} |")


if __name__ == "__main__":
    main()
