"""Load spoiled model files and use them: python tests/fuzz/models.py --cases 100000 --seed 1

Each case spoils the file of a small model in one to three ways: bytes, members, arrays, texts; most with checksums that
are right. What loads is used: predict, complete, fill, generate, score, explain and info. A case ends well, or in a
`RnncliError` of one short line; anything else is a defect, as are more than 10 s, more than 1 GB of memory, and the
death of the process. --case N runs one case of a seed, and shows where its error came from.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import mmap
import os
import random
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from model_mutations import Mutator, small_models

from rnncli.api import Predictor
from rnncli.cli.formats import print_result
from rnncli.cli.info import describe
from rnncli.errors import RnncliError
from rnncli.storage.model_file import model_from_bytes

MAX_SECONDS = 10
MAX_MEMORY_BYTES = 2**30
MAX_MESSAGE_CHARACTERS = 600
CASES_PER_PROCESS = 500
TASKS_PER_MODEL = 4
PROMPT = "The cat -- said “who is, Xyzzy"


class TooSlow(BaseException):
    """A case takes too long."""


def use(model: Predictor, chance: random.Random) -> None:
    """Do with a model what can be asked of it."""
    tasks: list[Callable[[], object]] = [
        lambda: model.predict(PROMPT, 3),
        lambda: model.predict("", 0),
        lambda: model.complete("The c", 3),
        lambda: model.fill("The ___ slept", 3),
        lambda: model.generate("The", 20, seed=1),
        lambda: model.score([PROMPT, "", "A dog."]),
        lambda: model.explain("The cat slept"),
        lambda: show(model, chance.choice(["table", "tsv", "jsonl"])),
    ]
    failed = None
    # A task that an error ends does not spare the others. Not all of them, as most cases are alike.
    for task in chance.sample(tasks, TASKS_PER_MODEL):
        try:
            task()
        except RnncliError as error:  # noqa: PERF203
            failed = error
    if failed:
        raise failed


def show(model: Predictor, output_format: str) -> None:
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")):
        print_result(describe(Path("model.npz"), model), output_format)


def outcome(data: bytes, chance: random.Random) -> str:
    """Say how a file fares: "used", the beginning of an error of ours, or a defect."""
    is_checked = chance.random() < 0.5
    began = "refused"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # On the command line they are printed, or not shown: what overflows is told of as an error.
            warnings.filterwarnings("ignore", category=RuntimeWarning)
            model = model_from_bytes(data, checked=is_checked)
            began = "not usable"
            use(Predictor.of(model), chance)
    except RnncliError as error:
        message = str(error)
        is_readable = "\n" not in message and len(message) <= MAX_MESSAGE_CHARACTERS
        return f"{began}: {kind_of(message)}" if is_readable else f"DEFECT: message {message[:200]!r}"
    except TooSlow:
        return f"DEFECT: more than {MAX_SECONDS} s"
    except Exception as error:
        at = [frame for frame in traceback.extract_tb(error.__traceback__) if "rnncli" in frame.filename][-1]
        where = f"{Path(at.filename).name}:{at.lineno}"
        return f"DEFECT: {began} {type(error).__name__} in {where}: {str(error)[:80]}"
    return "used"


def kind_of(message: str) -> str:
    """Shorten an error to what it has in common with its like."""
    return re.sub(r"'.*|\".*|[0-9]+.*", "...", message.removeprefix("the model is damaged: "))[:40]


def generator(seed: int, case: int) -> random.Random:
    return random.Random(f"{seed} {case}")


def run_case(files: list[bytes], seed: int, case: int) -> str:
    chance = generator(seed, case)
    data = Mutator(files, chance).mutated()
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)  # of the processor's time: others may use it too
    try:
        return outcome(data, chance)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Limit the memory that this process may ask for."""
    import resource  # Windows has none

    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def run_cases(files: list[bytes], seed: int, cases: range, report: Callable[[int, str], object]) -> None:
    """Run some cases, and report the outcome of each."""

    def stop(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGPROF, stop)
    with limited():
        for case in cases:
            report(case, run_case(files, seed, case))


def run_in_child(files: list[bytes], seed: int, cases: range) -> tuple[list[str], int]:
    """Run some cases in a process of their own. Returns their outcomes, fewer if it died, and its status."""
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        with os.fdopen(target, "w", encoding="utf-8", errors="backslashreplace") as file:
            run_cases(files, seed, cases, lambda _, found: print(json.dumps(found), file=file, flush=True))
        os._exit(0)
    os.close(target)
    with os.fdopen(source, encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return found, os.waitpid(child, 0)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int)
    arguments = parser.parse_args()
    files = small_models()
    if arguments.case is not None:
        chance = generator(arguments.seed, arguments.case)
        data = Mutator(files, chance).mutated()
        print(f"{len(data):,} bytes: {outcome(data, chance)}")
        chance = generator(arguments.seed, arguments.case)
        data = Mutator(files, chance).mutated()
        use(Predictor.of(model_from_bytes(data, checked=chance.random() < 0.5)), chance)
        return
    sys.stdout.reconfigure(errors="backslashreplace")
    began = time.monotonic()
    counts: collections.Counter[str] = collections.Counter()
    examples: dict[str, int] = {}
    case = arguments.first
    end = arguments.first + arguments.cases
    while case < end:
        found, status = run_in_child(files, arguments.seed, range(case, min(case + CASES_PER_PROCESS, end)))
        if status:
            found.append(f"DEFECT: the process died with status {status}")
        for kind in found:
            counts[kind] += 1
            examples.setdefault(kind, case)
            case += 1
    for kind, count in counts.most_common():
        print(f"{count:8,}  {kind}" + (f"   --case {examples[kind]}" if "DEFECT" in kind else ""))
    defects = sum(count for kind, count in counts.items() if "DEFECT" in kind)
    seconds = time.monotonic() - began
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{sum(counts.values()):,} cases, seed {arguments.seed}: {defects:,} defects, {seconds:.0f} s, {peak:,} MB")
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
