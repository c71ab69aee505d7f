"""How training scales over ranks: python benchmarks/scaling.py DATA_FOLDER [PART ...]

Part `machine` compares two ranks of one thread on this machine with one process of two threads, its peer, on the first
lines of DATA_FOLDER/ptb/train.txt: words per second, medians of rounds in turn, and the validation perplexity after
some epochs, also for steps on several windows and for ranks that take steps by themselves.

Part `links` puts each rank on a machine of its own (see `links.py`), between which a link is throttled.
It measures how long MPI takes to sum arrays, and the words per second, beside those that a cost model predicts.

Part `batch` trains with larger batches and with gradient accumulation, and with learning rates that grow with the root
of the words in a step, on this machine: the validation perplexity after equal epochs.

Part `model` prints what the cost model predicts for many ranks. It needs the result files of the parts `machine` and
`links`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import results
from links import Link

import rnncli
from rnncli.lm.ensemble import networks_of
from rnncli.nn.sampling import Sampler
from rnncli.training.recipe import LATE_SAMPLES

BIN = Path(sys.executable).parent
SPEED_LINES = 6000
QUALITY_LINES = 20_000
QUALITY_EPOCHS = 4
UNITS = 384
VECTOR = 256  # numbers of a word's vector
SAMPLES = 500  # of the softmax, in the first half of a training
BPTT = 35
BATCH = 40
LEARNING_RATE = 0.004
ALONE = ["--threads", "2"]
RANKS = 2
ONE_THREAD = ["-genv", "OPENBLAS_NUM_THREADS", "1"]
MPIEXEC = [str(BIN / "mpiexec"), *ONE_THREAD, "-n", str(RANKS)]
WAYS = {
    "each step": [],
    "4 windows a step": ["--accumulate", "4"],
    "every 4 steps": ["--local-steps", "4"],
    "every 16 steps": ["--local-steps", "16"],
}
PERIODS = dict(zip(WAYS, (1, 4, 4, 16), strict=True))  # in windows, between two exchanges
MEGABITS = (1000, 300, 100)  # a second, of the links
SUMMED_MEGABYTES = (1, 10, 40)
EFFICIENCY = 0.8  # of a link, in sums of some megabytes by MPICH over TCP
LATENCY = 0.0002  # seconds of an exchange, besides the bytes
ALLREDUCE = """
import statistics, sys, time
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
for megabytes in map(float, sys.argv[1:]):
    array = np.ones(int(megabytes * 250_000), np.float32)
    seconds = []
    for _ in range(7):
        comm.Barrier()
        began = time.perf_counter()
        request = comm.Iallreduce(MPI.IN_PLACE, array)
        while not request.Test():
            time.sleep(0.0001)
        seconds.append(time.perf_counter() - began)
    if comm.rank == 0:
        print(megabytes, statistics.median(seconds), flush=True)
"""


def run(command: list[str], **options) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr}")
    return done.stdout


def trained(folder: Path, launcher: list[str], options: list[str], corpus: str, epochs: int = 1) -> tuple[float, float]:
    """Train: return the words per second, of all epochs, and the last validation perplexity."""
    log = folder / "log.jsonl"
    usual = ["--epochs", epochs, "--hidden-size", UNITS, "--batch-size", BATCH, "--bptt", BPTT, "--tokenizer"]
    usual += ["whitespace", "--ngram-order", "0", "--cache", "0", "--dropout", "0.2", "--patience", "99", "--quiet"]
    usual += ["--valid", folder / "valid.txt", "-o", folder / "model.npz", "--log", log, "--restart"]
    run([*launcher, BIN / "rnncli", "train", folder / corpus, *usual, *options])
    reports = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return reports[-1]["words"] / reports[-1]["seconds"], reports[-1]["valid_perplexity"]


def parameters(folder: Path) -> int:
    """How many numbers the network has that was trained last."""
    (network,) = networks_of(rnncli.load(folder / "model.npz").lm)
    return sum(value.size for value in network.values().values())


def words(folder: Path) -> int:
    """How many words an epoch reads, with the ends of lines."""
    text = (folder / "speed.txt").read_text(encoding="utf-8")
    return len(text.split()) + text.count("\n")


def measure_machine(folder: Path, rounds: int) -> None:
    """Compare two ranks on this machine with one process of two threads."""
    columns = {
        "training": "",
        "words/s": ",.0f",
        "of one process": ".2f",
        "validation perplexity": ".1f",
        "epochs": "d",
    }
    found = results.Results("scaling-machine", columns)
    jobs = {"one process of 2 threads": ([], ALONE)}
    jobs |= {f"2 ranks, {way}": (MPIEXEC, ["--threads", "1", *options]) for way, options in WAYS.items()}
    speeds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            speeds[name].append(trained(folder, *job, "speed.txt")[0])
    alone = statistics.median(speeds["one process of 2 threads"])
    for name, job in jobs.items():
        _, perplexity = trained(folder, *job, "quality.txt", QUALITY_EPOCHS)
        speed = statistics.median(speeds[name])
        found.add(name, speed, speed / alone, perplexity, QUALITY_EPOCHS)


def measure_batches(folder: Path) -> None:
    """Train with larger batches, at the usual learning rate and at one that grows with the root of the batch."""
    columns = {"sequences": "d", "windows a step": "d", "steps": ",d", "learning rate": ".3f"}
    columns |= {"validation perplexity": ".1f", "epochs": "d"}
    found = results.Results("scaling-batch", columns)
    for sequences, windows in ((1, 1), (4, 1), (1, 4), (16, 1)):
        times = sequences * windows
        for rate in dict.fromkeys((LEARNING_RATE, LEARNING_RATE * times**0.5)):
            options = [*ALONE, "--batch-size", BATCH * sequences, "--accumulate", windows, "--lr", rate]
            _, perplexity = trained(folder, [], options, "quality.txt", QUALITY_EPOCHS)
            steps = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])["step"]
            found.add(BATCH * sequences, windows, steps, rate, perplexity, QUALITY_EPOCHS)


def touched_rows(folder: Path, words_read: int) -> float:
    """Return how many rows of the word table a step on so many words is expected to change, with those drawn."""
    counts = np.array(list(Counter((folder / "speed.txt").read_text(encoding="utf-8").split()).values()))
    samplers = [Sampler(counts, size) for size in (SAMPLES, LATE_SAMPLES)]  # each serves half of the steps
    absent = [np.exp(words_read * sampler.log_absent + sampler.log_missed) for sampler in samplers]
    return float(np.mean([(1 - p).sum() for p in absent]))


def growth(folder: Path, ranks: int, way: str) -> float:
    """How many more megabytes an exchange has if each of many ranks has as many sequences as both had together.

    The states of all sequences, and the rows of the word table; with local steps nearly all rows are sent anyway.
    """

    def megabytes(sequences: int) -> float:
        windows = 4 if "windows" in way else 1
        rows = 0.0 if "every" in way else touched_rows(folder, sequences * BPTT * windows)
        return 4 * (rows * (VECTOR + 1) + 2 * UNITS * sequences) / 1e6

    return megabytes(ranks * BATCH) - megabytes(BATCH)


def exchange_seconds(megabytes: float, megabits: float, ranks: int = RANKS) -> float:
    """How long a sum of so many megabytes takes by the cost model: each rank sends and receives nearly all twice."""
    sent = megabytes * 2 * (ranks - 1) / ranks
    return 8 * sent / (megabits * EFFICIENCY) + LATENCY * 2 * math.ceil(math.log2(max(2, ranks)))


def measure_links(folder: Path, rounds: int) -> None:
    """Measure sums and trainings over links that are throttled."""
    sums = results.Results("allreduce", {"link, Mbit/s": ",d", "MB": ".0f", "ms": ".1f", "Mbit/s": ",.0f"})
    columns = {"link, Mbit/s": ",d", "exchange": "", "MB of an exchange": ".2f", "words/s": ",.0f"}
    columns |= {"predicted": ",.0f", "predicted over measured": ".2f", "of each step on one machine": ".2f"}
    found = results.Results("scaling-links", columns)
    window_words = BATCH * BPTT
    unlinked = {}
    for way, options in WAYS.items():
        runs = [trained(folder, MPIEXEC, ["--threads", "1", *options], "speed.txt")[0] for _ in range(rounds)]
        unlinked[way] = statistics.median(runs)
    with Link(folder) as link:
        launcher = link.command(BIN / "mpiexec", *ONE_THREAD)
        for megabits in MEGABITS:
            link.throttle(megabits)
            sizes = [str(size) for size in SUMMED_MEGABYTES]
            for line in run([*launcher, sys.executable, "-c", ALLREDUCE, *sizes]).splitlines():
                megabytes, seconds = map(float, line.split())
                sums.add(megabits, megabytes, 1000 * seconds, 8 * megabytes / seconds)
            for way, options in WAYS.items():
                sent = [link.sent_bytes()]
                for epochs in (1, 2):
                    job = (folder, launcher, ["--threads", "1", *options], "speed.txt", epochs)
                    speed, _ = trained(*job)
                    sent.append(link.sent_bytes())
                # The second training has one more epoch, and one more report, for which all values and their averages
                # are sent.
                of_epoch = (sent[2] - sent[1]) - (sent[1] - sent[0]) - 2 * 4 * parameters(folder)
                megabytes = of_epoch / (words(folder) / window_words / PERIODS[way]) / 1e6
                seconds = window_words / unlinked[way] + exchange_seconds(megabytes, megabits) / PERIODS[way]
                predicted = window_words / seconds
                found.add(megabits, way, megabytes, speed, predicted, predicted / speed, speed / unlinked["each step"])


def print_model(folder: Path) -> None:
    """Predict the words per second of many ranks, each with as many sequences as two threads have here."""
    columns = {"exchange": "", "link, Gbit/s": ".0f", "1 rank": ".1f"}
    columns |= {f"{2**k} ranks": ".1f" for k in range(1, 9)}
    found = results.Results("scaling-model", columns)
    (measured,) = results.read("scaling-links")
    (machine,) = results.read("scaling-machine")
    alone = machine["rows"][0]["words/s"]
    window_seconds = BATCH * BPTT / alone
    for way in WAYS:
        megabytes = statistics.median(row["MB of an exchange"] for row in measured["rows"] if row["exchange"] == way)
        for gigabits in (1, 10, 100):
            times = []
            for k in range(9):
                size = megabytes + growth(folder, 2**k, way)
                exchange = exchange_seconds(size, 1000 * gigabits, 2**k) if k else 0.0
                times.append(2**k * window_seconds / (window_seconds + exchange / PERIODS[way]))
            found.add(way, gigabits, *times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("parts", nargs="*", metavar="PART", default=["machine"])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        lines = (arguments.data / "ptb" / "train.txt").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / "speed.txt").write_text("".join(lines[:SPEED_LINES]), encoding="utf-8")
        (folder / "quality.txt").write_text("".join(lines[:QUALITY_LINES]), encoding="utf-8")
        (folder / "valid.txt").write_bytes((arguments.data / "ptb" / "valid.txt").read_bytes())
        if "machine" in arguments.parts:
            measure_machine(folder, arguments.rounds)
        if "links" in arguments.parts:
            measure_links(folder, arguments.rounds)
        if "batch" in arguments.parts:
            measure_batches(folder)
        if "model" in arguments.parts:
            print_model(folder)


if __name__ == "__main__":
    main()
