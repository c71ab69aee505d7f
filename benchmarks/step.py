"""Where the time of a training step goes: python benchmarks/step.py DATA_FOLDER [--threads N] [--softmax full]

DATA_FOLDER/ptb holds train.txt and valid.txt. Trains the default network for some hundred steps with a clock around
each part, and prints the parts' medians beside the arithmetic that their matrix products must do and the speed at
which they do it. The peer is the machine: the speed of a large product. Takes a minute.
"""

import argparse
import statistics
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from rnncli import training
from rnncli.lm import network
from rnncli.nn.layers import Embedding
from rnncli.nn.optimizers import Adam
from rnncli.nn.recurrent import Recurrent
from rnncli.nn.softmax import Softmax
from rnncli.threads import Threads
from rnncli.training import loop, workers

STEPS, WARM_UP = 150, 30


class Clock:
    """Adds up, for each thread, the time that is spent in parts of the program."""

    def __init__(self):
        self.seconds: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))

    def around(self, owner, name: str, part: str) -> None:
        """Time a function, and the `backward` that it returns, if it does."""
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
        """What has been added up since the last reading: the mean of the threads that had a part in it."""
        seconds = {part: statistics.mean(threads.values()) for part, threads in self.seconds.items()}
        self.seconds.clear()
        return seconds


def product_speed(threads: int) -> float:
    """Multiply-adds times two in a second, of large float32 products on so many threads at once."""
    matrices = [np.ones((1024, 1024), np.float32) for _ in range(threads)]
    team, times = Threads(threads), []
    for _ in range(20):
        began = time.perf_counter()
        team.map(lambda matrix: matrix @ matrix, matrices)
        times.append(time.perf_counter() - began)
    return threads * 2 * 1024**3 / statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--softmax", choices=["full", "sampled"])
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    options = {"threads": arguments.threads, "softmax": arguments.softmax, "epochs": 1, "ngram_order": 0}
    trainer = training.start([ptb / "train.txt"], valid=[ptb / "valid.txt"], tokenizer="whitespace", **options)
    clock, widths = Clock(), []
    clock.around(network.Network, "draw", "drawing masks and words")
    clock.around(Embedding, "forward", "embedding")
    clock.around(network, "dropout", "dropout")
    clock.around(Recurrent, "forward", "recurrent layer")
    clock.around(Softmax, "forward", "softmax")
    clock.around(workers.Team, "learn", "all workers, with the sum of their gradients")
    clock.around(loop, "clip_by_global_norm", "clipping")
    clock.around(network.Network, "use", "rows in use")
    clock.around(Adam, "catch_up", "optimizer, catching up")
    clock.around(Adam, "step", "optimizer")
    clock.around(loop.Trainer, "_step", "the whole step")
    readings = []
    for number, _ in enumerate(trainer.run()):
        reading = clock.read()
        if number >= WARM_UP:
            readings.append(reading)
            widths.append(len(trainer.state.network.softmax.bias.grad))
        if number == STEPS:
            break
    config, settings = trainer.config, trainer.settings
    speed = product_speed(settings.threads) / 1e9
    rows, H, D = settings.batch_size * settings.bptt, config.hidden_size, config.embedding_size
    recurrent = 2e-9 * rows * (D + H) * network.CELLS[config.cell].gates * H
    softmax = 2e-9 * rows * D * statistics.mean(widths)
    arithmetic = {
        "recurrent layer": recurrent,
        "recurrent layer, backward": 2 * recurrent,
        "softmax": softmax,
        "softmax, backward": 2 * softmax,
        "the whole step": 3 * (recurrent + softmax),
    }
    print(f"{settings.threads} threads, large products: {speed:.0f} GFLOP/s; {settings.softmax} softmax over")
    per_second = rows / statistics.median(reading["the whole step"] for reading in readings)
    print(f"{statistics.mean(widths):,.0f} words; {per_second:,.0f} words per second\n")
    print("| part of a step | ms | GFLOP | GFLOP/s | of large products |")
    print("|---|--:|--:|--:|--:|")
    medians = {part: 1e3 * statistics.median(r[part] for r in readings) for part in readings[0]}
    for part, ms in sorted(medians.items(), key=lambda item: item[1]):
        work = arithmetic.get(part)
        told = f"{work:.2f} | {1e3 * work / ms:.0f} | {1e3 * work / ms / speed:.0%}" if work else "| |"
        print(f"| {part} | {ms:.2f} | {told} |")


if __name__ == "__main__":
    main()
