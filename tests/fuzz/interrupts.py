"""Presses Ctrl-C at random moments after commands begin: python tests/fuzz/interrupts.py [--cases 200] [--seed 1]

Every command must end with status 130, or by itself, and without a traceback. What comes while Python itself starts,
before any line of this program runs, is counted apart: there, Python prints a traceback of its own.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SECONDS = 0.3
COMMANDS = [
    ["--version"],
    ["--help"],
    ["predict", "-m", "bundled", "Tom is"],
    ["generate", "-m", "bundled", "Tom is"],
    ["score", "-m", "bundled", "text.txt"],
    ["evaluate", "-m", "bundled", "text.txt"],
    ["info", "-m", "bundled"],
    ["export", "-m", "bundled", "-o", "ngrams.arpa"],
    ["completion", "bash"],
    ["train", "text.txt", "--time", "5s", "-o", "model.npz", "--restart"],
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    rnncli = str(Path(sys.executable).with_name("rnncli"))
    found: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "text.txt").write_text("Tom is good at chess.\nMary is not.\n" * 200)
        for case in range(arguments.cases):
            words = COMMANDS[case % len(COMMANDS)]
            process = subprocess.Popen(
                [rnncli, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            moment = rng.random() * SECONDS
            time.sleep(moment)
            process.send_signal(signal.SIGINT)
            error = process.communicate()[1]
            outcome = judged(process.returncode, error)
            found[outcome] += 1
            if outcome == "defect":
                print(f"{' '.join(words)} after {moment:.3f} s: status {process.returncode}\n{error}", file=sys.stderr)
    print(f"seed {arguments.seed}:", ", ".join(f"{number} {outcome}" for outcome, number in found.items()))
    sys.exit(found["defect"] > 0)


def judged(status: int, error: str) -> str:
    """Say how a command ended."""
    if "Traceback" not in error and status in (0, 130):
        return "ended by itself" if status == 0 else "interrupted"
    if status == -signal.SIGINT and not error:
        return "ended by the system, before Python listened"
    if "rnncli/" not in error.replace("bin/rnncli", "").replace("__editable___rnncli", ""):
        return "while Python itself started"
    return "defect"


if __name__ == "__main__":
    main()
