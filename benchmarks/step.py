"""Measure the parts of a training step: python benchmarks/step.py DATA_FOLDER [--hidden-size UNITS...] [--threads N]

DATA_FOLDER/ptb holds train.txt and valid.txt. For each size, the script trains a network for 150 steps with a clock
around each part. It prints the time of each part, the arithmetic of its matrix products, and their speed. A time is the
median over runs of so many steps that each has the same work: in each, the weights are averaged once. The peer is the
machine: the speed of large products, on as many threads. Takes a minute for each size.
"""

import argparse
import statistics
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import results

import rnncli
from rnncli.lm import network
from rnncli.nn.cells import CELLS
from rnncli.nn.layers import Embedding
from rnncli.nn.optimizers import Adam
from rnncli.nn.recurrent import Recurrent
from rnncli.nn.softmax import Softmax
from rnncli.nn.threads import Threads
from rnncli.training import step, workers
from rnncli.training.average import MAX_PERIOD, STEPS_PER_PERIOD, Average
from rnncli.training.trainer import Trainer

WARM_UP_STEPS = 30  # not counted
STEPS = WARM_UP_STEPS + 6 * MAX_PERIOD
MANY_STEPS = MAX_PERIOD * STEPS_PER_PERIOD  # after these a training averages its weights as often as in the end


class Clock:
    """Adds up the time that each thread spends in parts of the program."""

    def __init__(self):
        self.seconds: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))

    def around(self, owner, name: str, part: str) -> None:
        """Time a function, and the `backward` function if it returns one."""
        setattr(owner, name, self.timed(getattr(owner, name), part))

    def timed(self, function, part: str):
        def run(*arguments, **options):
            began = time.perf_counter()
            result = function(*arguments, **options)
            self.seconds[part][threading.get_ident()] += time.perf_counter() - began
            if isinstance(result, tuple) and callable(result[-1]):
                return *result[:-1], self.timed(result[-1], f"{part}, backward")
            return result

        return run

    def read(self) -> dict[str, float]:
        """Return the seconds since the last call, of each part: the mean over the threads that worked on it."""
        seconds = {part: statistics.mean(threads.values()) for part, threads in self.seconds.items()}
        self.seconds.clear()
        return seconds


def product_speed(threads: int) -> float:
    """Return the speed of large float32 products on several threads at once, in FLOP per second."""
    matrices = [np.ones((1024, 1024), np.float32) for _ in range(threads)]
    team = Threads(threads)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        team.map(lambda matrix: matrix @ matrix, matrices)
        times.append(time.perf_counter() - began)
    return threads * 2 * 1024**3 / statistics.median(times)


def watch(clock: Clock) -> None:
    """Put the clock around the parts of a step."""
    clock.around(step, "draw_noise", "drawing masks and words")
    clock.around(Embedding, "forward", "embedding")
    clock.around(network, "dropout", "dropout")
    clock.around(Recurrent, "forward", "recurrent layer")
    clock.around(Softmax, "forward", "softmax")
    clock.around(workers.Team, "learn", "all workers, with the sum of their gradients")
    clock.around(step, "clip_by_global_norm", "clipping")
    clock.around(network.Network, "use", "rows in use")
    clock.around(Adam, "catch_up", "optimizer, catching up")
    clock.around(Adam, "step", "optimizer")
    clock.around(Average, "take", "average of the weights")
    clock.around(step.Stepper, "step", "the whole step")


def measure(trainer: Trainer, clock: Clock) -> tuple[dict[str, float], float]:
    """Take steps: the median milliseconds of each part, and the mean number of words that the softmax is over."""
    trainer.state.average.restore({"steps": MANY_STEPS, "taken": MANY_STEPS})  # as in the middle of a training
    laps = []
    widths = []
    for number, _ in enumerate(trainer.run(), 1):
        lap = clock.read()
        if number > WARM_UP_STEPS:
            laps.append(lap)
            widths.append(len(trainer.state.network.softmax.bias.grad))
        if number == STEPS:
            break
    runs = [laps[start : start + MAX_PERIOD] for start in range(0, len(laps), MAX_PERIOD)]
    milliseconds = {
        part: 1e3 * statistics.median(statistics.mean(lap.get(part, 0.0) for lap in run) for run in runs)
        for part in dict.fromkeys(part for lap in laps for part in lap)
    }
    return dict(sorted(milliseconds.items(), key=lambda item: item[1])), statistics.mean(widths)


def arithmetic(trainer: Trainer, width: float) -> dict[str, float]:
    """Return the GFLOP that the matrix products of some parts take, with a softmax over `width` words."""
    config, settings = trainer.plan.network, trainer.plan.training
    rows, H, D = settings.batch_size * settings.bptt, config.hidden_size, config.embedding_size
    recurrent = 2e-9 * rows * (D + H) * CELLS[config.cell].gates * H
    softmax = 2e-9 * rows * D * width
    projection = 2e-9 * rows * D * H if config.is_projected else 0.0
    return {
        "recurrent layer": recurrent,
        "recurrent layer, backward": 2 * recurrent,
        "softmax": softmax,
        "softmax, backward": 2 * softmax,
        "the whole step": 3 * (recurrent + projection + softmax),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--hidden-size", type=int, nargs="+", default=[256, 512], metavar="UNITS")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--softmax", choices=["full", "sampled"])
    parser.add_argument("--recurrent-dropout", type=float)
    results.add_option(parser)
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    columns = {
        "units": "d",
        "threads": "d",
        "part of a step": "",
        "ms": ".2f",
        "GFLOP": ".2f",
        "GFLOP/s": ".0f",
        "of large products": ".0%",
        "words per second": ",.0f",
    }
    found = results.Results("step", columns, arguments.json)
    clock = Clock()
    watch(clock)
    names = ("threads", "softmax", "recurrent_dropout")
    options = {name: getattr(arguments, name) for name in names} | {"epochs": 1, "ngram_order": 0}
    for size in arguments.hidden_size:
        text = {"valid": [ptb / "valid.txt"], "tokenizer": "whitespace"}
        trainer = rnncli.start_training([ptb / "train.txt"], hidden_size=size, **text, **options)
        threads = trainer.plan.training.threads
        before = product_speed(threads)
        milliseconds, width = measure(trainer, clock)
        speed = statistics.mean([before, product_speed(threads)]) / 1e9
        work = arithmetic(trainer, width)
        words = trainer.plan.training.batch_size * trainer.plan.training.bptt
        for part, ms in milliseconds.items():
            achieved = 1e3 * work[part] / ms if part in work else None
            fraction = achieved / speed if achieved else None
            per_second = 1e3 * words / ms if part == "the whole step" else None
            found.add(size, threads, part, ms, work.get(part), achieved, fraction, per_second)
        found.add(size, threads, "large products, for comparison", None, None, speed, 1.0, None)


if __name__ == "__main__":
    main()
