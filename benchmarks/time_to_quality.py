"""Validation perplexity against seconds of training: python benchmarks/time_to_quality.py DATA_FOLDER [PICTURE]

DATA_FOLDER/ptb holds train.txt and valid.txt. Trains rnncli's default network, for six epochs, and, as its peer,
PyTorch's `word_language_model` example with its own, one after the other; ten times an epoch the clock stops and
perplexity is measured. Prints how long each took to reach 141, what a 5-gram model with Kneser-Ney smoothing has on the
test text, and draws both courses. Needs PyTorch and Matplotlib; takes some 15 minutes on two cores.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import word_language_model as peer

from rnncli import training
from rnncli.evaluation import mean_loss

GOAL = 141
EPOCHS = 6
EVERY = 132  # steps, a tenth of an epoch

Course = list[tuple[float, float]]  # seconds of training and the perplexity then


def course(steps: Iterable[object], measure) -> Course:
    """Take all steps, and stop the clock every so often to measure the loss."""
    found, seconds, began = [], 0.0, time.perf_counter()
    for number, _ in enumerate(steps, 1):
        if number % EVERY == 0:
            seconds += time.perf_counter() - began
            found.append((seconds, math.exp(measure())))
            print(f"{seconds:.1f} s: {found[-1][1]:.1f}", file=sys.stderr)
            began = time.perf_counter()
    return found


def rnncli_course(trainer: training.Trainer) -> Course:
    # The measurement at the end of an epoch is a part of its last step, and so of the time.

    def measure() -> float:
        state = copy.deepcopy(trainer.state)  # which catches up, so that the training itself goes on as it would
        state.optimizer.catch_up(everything=True)
        return mean_loss(state.network, trainer.corpus.valid, trainer.threads.map)

    return course(trainer.run(), measure)


def peer_course(corpus) -> Course:
    model = peer.Model(len(corpus.vocabulary))

    def steps() -> Iterator[int]:
        learning_rate, best = 20.0, math.inf
        for _ in range(EPOCHS):
            yield from peer.train_epoch(model, corpus.train, learning_rate)
            loss = peer.mean_loss(model, corpus.valid)
            if loss >= best:
                learning_rate /= 4
            best = min(best, loss)

    return course(steps(), lambda: peer.mean_loss(model, corpus.valid))


def draw(courses: dict[str, Course], picture: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, points in courses.items():
        axes.plot(*zip(*points, strict=True), label=name)
    axes.axhline(GOAL, color="grey", linewidth=0.8, linestyle="--", label=f"5-gram, Kneser-Ney ({GOAL} on test)")
    axes.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="validation perplexity, Penn Treebank")
    axes.set_yticks([100, 141, 200, 300, 500], ["100", "141", "200", "300", "500"])
    axes.minorticks_off()
    axes.set_ylim(90, 700)
    axes.legend()
    figure.savefig(picture, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("picture", type=Path, nargs="?", default=Path("time_to_quality.svg"), metavar="PICTURE")
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    trainer = training.start(
        [ptb / "train.txt"], valid=[ptb / "valid.txt"], tokenizer="whitespace", epochs=EPOCHS, ngram_order=0
    )
    courses = {
        "rnncli train": rnncli_course(trainer),
        "PyTorch, word_language_model": peer_course(trainer.corpus),
    }
    print(f"| Penn Treebank, validation | seconds of training to {GOAL} | seconds in all | perplexity then |")
    print("|---|--:|--:|--:|")
    reached = []
    for name, points in courses.items():
        reached.append(next((seconds for seconds, perplexity in points if perplexity <= GOAL), math.inf))
        print(f"| {name} | {reached[-1]:.0f} | {points[-1][0]:.0f} | {points[-1][1]:.1f} |")
    print(f"| ratio | {reached[1] / reached[0]:.1f} | | |")
    draw(courses, arguments.picture)


if __name__ == "__main__":
    main()
