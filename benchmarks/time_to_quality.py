"""Draw validation perplexity against seconds of training: python benchmarks/time_to_quality.py DATA_FOLDER [PICTURE]

DATA_FOLDER/ptb holds train.txt and valid.txt. The script trains rnncli's default network for six epochs, then its peer,
PyTorch's `word_language_model` example with its own settings. Ten times an epoch it stops the clock and measures the
perplexity, for rnncli with the average of the weights, which a training keeps. It prints how long each takes to reach
141, the test perplexity of a 5-gram model with Kneser-Ney smoothing, and draws both curves. Needs PyTorch and
Matplotlib. Takes about 15 minutes on two cores.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import results
import word_language_model as peer

import rnncli
from rnncli.lm.perplexity import mean_loss
from rnncli.text.batches import excerpts
from rnncli.training.trainer import Trainer

GOAL = 141
EPOCHS = 6
STEPS_PER_POINT = 132  # a tenth of an epoch

Curve = list[tuple[float, float]]  # seconds of training, and the perplexity then


def curve(steps: Iterable[object], measure) -> Curve:
    """Take all steps, and stop the clock after every `STEPS_PER_POINT` to measure the loss."""
    found = []
    seconds = 0.0
    began = time.perf_counter()
    for number, _ in enumerate(steps, 1):
        if number % STEPS_PER_POINT == 0:
            seconds += time.perf_counter() - began
            found.append((seconds, math.exp(measure())))
            print(f"{seconds:.1f} s: {found[-1][1]:.1f}", file=sys.stderr)
            began = time.perf_counter()
    return found


def rnncli_curve(trainer: Trainer) -> Curve:
    # The trainer validates at the end of an epoch within a step, so that counts as time of training.

    def measure() -> float:
        state = copy.deepcopy(trainer.state)  # what follows would change the training itself
        state.optimizer.catch_up(everything=True)
        if state.average.steps > state.average.taken:
            state.average.take(state.network.values(), trainer.crew.threads)
        valid = trainer.corpus.valid
        return mean_loss(state.averaged, excerpts(valid, len(valid), 32), trainer.crew.map)

    return curve(trainer.run(), measure)


def peer_curve(corpus) -> Curve:
    model = peer.Model(len(corpus.vocabulary))

    def steps() -> Iterator[int]:
        learning_rate, best = 20.0, math.inf
        for _ in range(EPOCHS):
            yield from peer.train_epoch(model, corpus.train, learning_rate)
            loss = peer.mean_loss(model, corpus.valid)
            if loss >= best:
                learning_rate /= 4
            best = min(best, loss)

    return curve(steps(), lambda: peer.mean_loss(model, corpus.valid))


def draw(curves: dict[str, Curve], picture: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, points in curves.items():
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
    results.add_option(parser)
    arguments = parser.parse_args()
    ptb = arguments.data / "ptb"
    trainer = rnncli.start_training(
        [ptb / "train.txt"], valid=[ptb / "valid.txt"], tokenizer="whitespace", epochs=EPOCHS, ngram_order=0
    )
    curves = {
        "rnncli": rnncli_curve(trainer),
        "PyTorch, word_language_model": peer_curve(trainer.corpus),
    }
    columns = {"training": "", f"seconds to {GOAL}": ",.0f", "seconds in all": ",.0f", "perplexity then": ".1f"}
    found = results.Results("time-to-quality", columns, arguments.json)
    for name, points in curves.items():
        reached = next((seconds for seconds, perplexity in points if perplexity <= GOAL), None)
        found.add(name, reached, *points[-1])
    draw(curves, arguments.picture)


if __name__ == "__main__":
    main()
