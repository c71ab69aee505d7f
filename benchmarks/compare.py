"""Whether a change made something slower: python benchmarks/compare.py DATA_FOLDER OTHER [--rounds N]

OTHER is a checkout of another version of this repository, with its bundled model. Both versions run in the same Python,
in turn, and do the same work: a training of one epoch on the first lines of DATA_FOLDER/ptb/train.txt without n-grams
and cache (its own figure of words per second, without reading and validation), `rnncli predict` of one prompt, and
`rnncli predict` and `rnncli score` of thousands of lines from DATA_FOLDER/tatoeba/test.txt, less the time of a single
line. Figures are medians of the rounds; the ratio is the median of the rounds' ratios of times, this version over the
other: above one is slower.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import results

HERE = Path(__file__).resolve().parents[1]
TRAINING_LINES = 3000
LINES = 6000
PROMPT = "Tom is not good at science, so he will"
COLUMNS = {"work": "", "unit": "", "this version": ".4g", "other version": ".4g", "ratio of times": ".3f"}


def environment(version: Path) -> dict[str, str]:
    """Return the variables with which Python imports this version, and keeps what it has compiled."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(version)}


def check(version: Path, folder: Path) -> None:
    """Make sure that a run in a folder of its own is one of this version: `-m` would find one in the current folder."""
    command = [sys.executable, "-c", "import rnncli; print(rnncli.__file__)"]
    run = subprocess.run(command, env=environment(version), cwd=folder, check=True, capture_output=True, text=True)
    if Path(run.stdout.strip()).parent.parent != version:
        raise SystemExit(f"{version} is not the version that runs: {run.stdout.strip()} is")


def run(version: Path, folder: Path, arguments: list[str], text: str = "") -> float:
    """Return the seconds of a run of `python -m rnncli` in a version of the program."""
    model = [] if arguments[0] == "train" else ["-m", str(version / "models" / "english.npz")]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "rnncli", *arguments, *model],
        input=text,
        text=True,
        check=True,
        env=environment(version),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def training_seconds(version: Path, corpus: Path, folder: Path) -> float:
    """Return the seconds a thousand words take in training, by the program's own report."""
    log = folder / "log.jsonl"
    options = ["--epochs", "1", "--hidden-size", "256", "--ngram-order", "0", "--cache", "0", "--quiet"]
    options += ["--tokenizer", "whitespace"]
    run(version, folder, ["train", str(corpus), *options, "-o", str(folder / "model.npz"), "--log", str(log)])
    report = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    return 1000 / float(report["words_per_second"])


def line_seconds(version: Path, folder: Path, arguments: list[str], lines: list[str]) -> float:
    """Return the seconds of all lines, less those of a single one."""
    text = "".join(f"{line}\n" for line in lines)
    return run(version, folder, arguments, text) - run(version, folder, arguments, f"{lines[0]}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("other", type=Path, metavar="OTHER")
    parser.add_argument("--rounds", type=int, default=7)
    results.add_option(parser)
    arguments = parser.parse_args()
    sentences = (arguments.data / "tatoeba" / "test.txt").read_text(encoding="utf-8").splitlines()[:LINES]
    prompts = [" ".join(line.split()[: 1 + place % 9]) for place, line in enumerate(sentences)]
    found = results.Results("compare", COLUMNS, arguments.json)
    other = arguments.other.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for version in (HERE, other):
            check(version, folder)
        corpus = folder / "corpus.txt"
        lines = (arguments.data / "ptb" / "train.txt").read_text(encoding="utf-8").splitlines(keepends=True)
        corpus.write_text("".join(lines[:TRAINING_LINES]), encoding="utf-8")
        jobs = {
            ("training step", "s / 1,000 words"): lambda version: training_seconds(version, corpus, folder),
            ("predict, start-up", "s"): lambda version: run(version, folder, ["predict", PROMPT]),
            (f"predict, {len(prompts):,} lines", "s"): lambda version: line_seconds(
                version, folder, ["predict"], prompts
            ),
            (f"score, {len(sentences):,} lines", "s"): lambda version: line_seconds(
                version, folder, ["score"], sentences
            ),
        }
        for (work, unit), job in jobs.items():
            rounds = arguments.rounds * (3 if "start-up" in work else 1)
            times = []
            for number in range(rounds + 1):
                # The sides take turns in going first. The first round only warms the caches.
                pair = [job(version) for version in (HERE, other)[:: 1 if number % 2 else -1]]
                times.append(pair[:: 1 if number % 2 else -1])
            ours, theirs = zip(*times[1:], strict=True)
            ratio = statistics.median(own / other for own, other in times[1:])
            found.add(work, unit, statistics.median(ours), statistics.median(theirs), ratio)


if __name__ == "__main__":
    main()
