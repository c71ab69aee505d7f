"""Measure texts larger than memory: python benchmarks/scale.py DATA_FOLDER [--other CHECKOUT] [--time TIME]

Each figure is of DATA_FOLDER/gutenberg/pd_novels.txt.xz, unpacked to a temporary file, and of five times that text: how
fast it is cut into words and numbered (`read_tokens`), and its n-grams counted (`NGram.count`, without what is rare, as
in a training), each in a process of its own; and `rnncli train --time TIME` (2m if it is left open), with no cache
folder of an earlier run: its peak memory (the greatest resident set, with the parts of files that are mapped), its
time, the fraction of it in which the network took steps (`seconds` of the last report of its log: reading, counting,
validation, tuning and saving are not in it, nor are steps after that report), and how many. With a CHECKOUT of an older
version of this repository, the last row is `train --epochs 2` on the first 100 kB of the novels: the ratio of times,
this version over the other one, is the median of the rounds'. Needs 4 GB of space for temporary files (see TMPDIR).
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import compare
import results

from rnncli.lm.ngram import NGram
from rnncli.text.corpus import read_tokens
from rnncli.text.tokenizers import Tokenizer
from rnncli.training.plan import Options, make_plan

SMALL_BYTES = 100_000
COPIES = 5
COLUMNS = {
    "text": "",
    "MB": ",.1f",
    "cut into words, MB/s": ".1f",
    "n-grams counted, MB/s": ".1f",
    "peak memory of `train`, MB": ",.0f",
    "seconds": ".1f",
    "of them in steps": ".0%",
    "steps": ",.0f",
    "times as long as before": ".3f",
}


def cutting_seconds(path: Path) -> float:
    began = time.perf_counter()
    read_tokens(path, Tokenizer(fold=True))
    return time.perf_counter() - began


def counting_seconds(path: Path) -> float:
    plan, corpus = make_plan(Options.of({}), path)
    began = time.perf_counter()
    NGram.count(corpus.train, len(corpus.vocabulary), plan.training.ngram_order, plan.training.prune)
    return time.perf_counter() - began


SIDES = {"cutting": cutting_seconds, "counting": counting_seconds}


def in_a_process_of_its_own(side: str, path: Path, folder: Path) -> float | None:
    """Return the seconds of a side of the benchmark; None where it fails, as where the memory is not enough."""
    command = [sys.executable, __file__, str(path.parent), "--side", side, "--text", str(path)]
    run = subprocess.run(command, env=own_environment(folder), capture_output=True, text=True)
    return float(run.stdout) if run.returncode == 0 else None


def own_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a run whose cache folder is new."""
    cache = folder / "caches"
    shutil.rmtree(cache, ignore_errors=True)
    return {**os.environ, "XDG_CACHE_HOME": str(cache), "LOCALAPPDATA": str(cache), "PYTHONPATH": str(compare.HERE)}


def train(path: Path, folder: Path, limit: str) -> dict[str, Any]:
    """Train by the clock: the peak memory in MB, the seconds, the fraction of them in steps, and the steps."""
    log = folder / "log.jsonl"
    log.unlink(missing_ok=True)
    arguments = ["train", str(path), "--time", limit, "--quiet", "-o", str(folder / "model.npz"), "--log", str(log)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "rnncli", *arguments],
        env=own_environment(folder),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return {"megabytes": None, "seconds": seconds, "fraction": None, "steps": None}
    report = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # in bytes there, elsewhere in kilobytes
    return {"megabytes": peak, "seconds": seconds, "fraction": report["seconds"] / seconds, "steps": report["step"]}


def small_ratio(path: Path, folder: Path, other: Path, rounds: int) -> tuple[float, float]:
    """Return the seconds of a training on a small text, and the ratio of times to that of another version."""
    arguments = ["train", str(path), "--epochs", "2", "--quiet", "-o", str(folder / "model.npz")]
    times = []
    for number in range(rounds + 1):
        # The sides take turns in going first. The first round only warms the caches.
        order = (compare.HERE, other)[:: 1 if number % 2 else -1]
        pair = [compare.run(version, folder, arguments) for version in order]
        times.append(pair[:: 1 if number % 2 else -1])
    ours = statistics.median(own for own, _ in times[1:])
    return ours, statistics.median(own / theirs for own, theirs in times[1:])


def rate(path: Path, seconds: float | None) -> float | None:
    return path.stat().st_size / 1e6 / seconds if seconds else None


def unpack(source: Path, folder: Path) -> list[Path]:
    """Write the texts: the novels, some times the novels, and the beginning of them."""
    novels = folder / "novels.txt"
    with lzma.open(source) as packed, novels.open("wb") as file:
        shutil.copyfileobj(packed, file)
    larger = folder / "larger.txt"
    with larger.open("wb") as file:
        for _ in range(COPIES):
            with novels.open("rb") as one:
                shutil.copyfileobj(one, file)
    small = folder / "small.txt"
    with novels.open("rb") as file:
        small.write_bytes(file.read(SMALL_BYTES).rpartition(b"\n")[0] + b"\n")
    return [novels, larger, small]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--other", type=Path, metavar="CHECKOUT", help="an older version, for the row of a small text")
    parser.add_argument("--time", default="2m", metavar="TIME")
    parser.add_argument("--rounds", type=int, default=5, help="of trainings on the small text")
    results.add_option(parser)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--text", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(SIDES[arguments.side](arguments.text))
        return
    found = results.Results("scale", COLUMNS, arguments.json)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        novels, larger, small = unpack(arguments.data / "gutenberg" / "pd_novels.txt.xz", folder)
        for title, path in (("novels", novels), (f"{COPIES} times the novels", larger)):
            rates = [rate(path, in_a_process_of_its_own(side, path, folder)) for side in SIDES]
            trained = train(path, folder, arguments.time)
            found.add(title, path.stat().st_size / 1e6, *rates, *trained.values(), None)
        if arguments.other:
            other = arguments.other.resolve()
            for version in (compare.HERE, other):
                compare.check(version, folder)
            seconds, ratio = small_ratio(small, folder, other, arguments.rounds)
            title = "100 kB of the novels, 2 epochs"
            found.add(title, small.stat().st_size / 1e6, None, None, None, seconds, None, None, ratio)


if __name__ == "__main__":
    main()
