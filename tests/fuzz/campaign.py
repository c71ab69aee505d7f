"""Runs many random cases, each with a seed of its own, and reports those that end in a way that nothing may."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

MAX_SECONDS = 10.0  # of processor time that a case may take
MAX_BYTES = 10**9  # of memory, at its peak
SHOWN_DEFECTS = 20
Case = Callable[[random.Random], str]  # does something at random, and returns how it ended; raises for a defect


def generator(seed: int, case: int) -> random.Random:
    """Return what decides about one case."""
    return random.Random(f"{seed}/{case}")


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def run(case: Case, cases: range, seed: int) -> tuple[Counter[str], list[str]]:
    """Run some cases. Returns how many ended in which way, and the defects, each with its number and traceback."""
    outcomes: Counter[str] = Counter()
    defects = []
    for number in cases:
        start = time.process_time()
        has_been_large = peak_memory() > MAX_BYTES
        try:
            outcome = case(generator(seed, number))
            if time.process_time() - start > MAX_SECONDS:
                raise AssertionError(f"it took {time.process_time() - start:.0f} s")
            if peak_memory() > MAX_BYTES and not has_been_large:
                raise AssertionError(f"it took {peak_memory() / 1e6:,.0f} MB")
        except Exception as error:
            outcome = f"DEFECT {type(error).__name__}"
            defects.append(f"case {number} of seed {seed}: {traceback.format_exc()}")
        outcomes[outcome] += 1
    return outcomes, defects


def main(case: Case, script: str) -> None:
    """Run the cases that the command line asks for, and print how they ended. Exits with 1 if there is a defect."""
    parser = argparse.ArgumentParser(description="Run random cases. Nothing but success or one clear error may come.")
    parser.add_argument("--cases", type=int, default=1000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the number of the first one")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    start = time.perf_counter()
    outcomes, defects = run(case, range(chosen.start, chosen.start + chosen.cases), chosen.seed)
    for outcome, count in outcomes.most_common():
        print(f"{count:8,}  {outcome}")
    for defect in defects[:SHOWN_DEFECTS]:
        number = defect.split()[1]
        print(f"\n{defect}reproduce: python {script} --seed {chosen.seed} --start {number} --cases 1")
    seconds = time.perf_counter() - start
    print(
        f"\nseed {chosen.seed}, cases {chosen.start} to {chosen.start + chosen.cases - 1}: {len(defects):,} defects,"
        f" {seconds:.0f} s, {peak_memory() / 1e6:,.0f} MB"
    )
    sys.exit(bool(defects))
