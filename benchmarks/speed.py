"""Compare the speed of training with PyTorch's: python benchmarks/speed.py DATA_FOLDER [--rounds N] [ROW...]

DATA_FOLDER/ptb and DATA_FOLDER/wikitext-2 hold train.txt and valid.txt. The peer is PyTorch's `word_language_model`
example: two layers of 200 units, untied, 20 sequences, 35 steps, dropout 0.2, SGD with clipping. The default softmax is
the one of the first half of a training: the words of a step and 500 others. Every run is a process of its own, so that
neither side disturbs the other's threads or memory, and the sides take turns in every round. The script prints the
medians over the rounds, and the medians of the rounds' ratios. Takes about 15 minutes on two cores.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import results

from rnncli.text.corpus import Corpus, read_split
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import Vocabulary
from rnncli.training.average import MAX_PERIOD, STEPS_PER_PERIOD
from rnncli.training.plan import Options, plan_for
from rnncli.training.trainer import Trainer

BATCH, BPTT, UNITS, LAYERS, DROPOUT = 20, 35, 200, 2, 0.2
RECIPE = {"hidden_size": UNITS, "layers": LAYERS, "tied": False, "dropout": DROPOUT, "optimizer": "sgd"}
SECONDS = 6  # of each run
WARM_UP_STEPS = 4  # not counted
FEWEST_STEPS = WARM_UP_STEPS + MAX_PERIOD  # of each run, however long they take
MANY_STEPS = MAX_PERIOD * STEPS_PER_PERIOD  # after these a training averages its weights as often as in the end


def rnncli(text: str = "ptb", **options) -> dict:
    return {"side": "rnncli", "text": text, **options}


def pytorch(text: str = "ptb", **options) -> dict:
    return {"side": "pytorch", "text": text, "cell": "lstm", "softmax": "full", **options}


# Each row: its title, and its two sides.
ROWS = {
    "a": ("LSTM, full softmax, V = 10,000", rnncli(**RECIPE, softmax="full"), pytorch()),
    "b": (
        "LSTM, full softmax, V = 33,278",
        rnncli("wikitext-2", **RECIPE, softmax="full"),
        pytorch("wikitext-2"),
    ),
    "c1": ("LSTM, default softmax over full, V = 10,000", rnncli(**RECIPE), pytorch()),
    "c2": ("LSTM, default softmax over full, V = 33,278", rnncli("wikitext-2", **RECIPE), pytorch("wikitext-2")),
    "c3": (
        "LSTM, default softmax over adaptive, V = 33,278",
        rnncli("wikitext-2", **RECIPE),
        pytorch("wikitext-2", softmax="adaptive"),
    ),
    "d1": ("GRU, full softmax, V = 10,000", rnncli(**RECIPE, cell="gru", softmax="full"), pytorch(cell="gru")),
    "d2": ("Elman, full softmax, V = 10,000", rnncli(**RECIPE, cell="elman", softmax="full"), pytorch(cell="elman")),
    "d3": ("GRU, default softmax over full, V = 10,000", rnncli(**RECIPE, cell="gru"), pytorch(cell="gru")),
    "d4": ("Elman, default softmax over full, V = 10,000", rnncli(**RECIPE, cell="elman"), pytorch(cell="elman")),
    "e1": ("default network, V = 100,000 over V = 10,000", rnncli("zipf-100000"), rnncli("zipf-10000")),
    "e2": ("default network, V = 500,000 over V = 10,000", rnncli("zipf-500000"), rnncli("zipf-10000")),
    "f1": ("default network, 2 threads over 1", rnncli(threads=2), rnncli(threads=1)),
    "f2": (
        "LSTM of the recipe, full softmax, 2 threads over 1",
        rnncli(**RECIPE, softmax="full", threads=2),
        rnncli(**RECIPE, softmax="full", threads=1),
    ),
    "g": ("default network, beside PyTorch's example", rnncli(epoch=True), pytorch(epoch=True)),
}


def corpus_of(text: str, data: Path):
    """Read a text of the data folder, or make one of random words whose frequencies follow Zipf's law."""
    name, _, size = text.partition("-")
    if name != "zipf":
        split = read_split(
            [data / text / "train.txt"], valid=[data / text / "valid.txt"], tokenizer=Tokenizer("whitespace")
        )
        return split.numbered_by(Vocabulary.from_tokens(split.train, max_size=0))
    words = int(size)
    weights = 1 / np.arange(1, words + 1)
    ids = np.searchsorted(np.cumsum(weights) / weights.sum(), np.random.default_rng(1).random(2_000_000))
    ids = np.minimum(ids, words - 1).astype(np.int32)
    vocabulary = Vocabulary([f"w{number}" for number in range(words)])
    return Corpus(text, Tokenizer("whitespace"), "line", vocabulary, ids, ids[:10_000], "")


def measured(steps, epoch: bool) -> dict:
    """Take the steps of one side, and return its speed and its peak memory.

    The speed is the median over runs of so many steps that each has the same work: rnncli averages its weights once.
    """
    times = []
    began = before = time.perf_counter()
    for _ in steps:
        now = time.perf_counter()
        times.append(now - before)
        before = now
        if not epoch and len(times) >= FEWEST_STEPS and now - began > SECONDS:
            break
    runs = range(WARM_UP_STEPS, len(times) - MAX_PERIOD + 1, MAX_PERIOD)
    seconds = statistics.median(sum(times[start : start + MAX_PERIOD]) for start in runs) / MAX_PERIOD
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"words": BATCH * BPTT / seconds, "megabytes": megabytes}


def run_rnncli(data: Path, text: str, epoch: bool = False, **options) -> dict:
    corpus = corpus_of(text, data)
    options = {
        "dropout": 0.35,
        "epochs": 1,
        "ngram_order": 0,
        "cache_size": 0,
        "min_count": 1,
        "max_vocab": 0,
        **options,
    }
    if "hidden_size" in options:
        options["embedding_size"] = options["hidden_size"]
    trainer = Trainer(plan_for(Options.of(options), corpus), corpus)
    if not epoch:  # as in the middle of a training
        trainer.state.average.restore({"steps": MANY_STEPS, "taken": MANY_STEPS})
    return measured(trainer.run(), epoch)


def run_pytorch(data: Path, text: str, cell: str, softmax: str, epoch: bool = False) -> dict:
    import word_language_model as peer  # here, so that rnncli's process does not load PyTorch

    corpus = corpus_of(text, data)
    model = peer.Model(len(corpus.vocabulary), cell, softmax)

    def steps():
        for _ in peer.train_epoch(model, corpus.train, learning_rate=1.0):
            yield
        if epoch:
            yield peer.mean_loss(model, corpus.valid)

    return measured(steps(), epoch)


def in_a_process_of_its_own(data: Path, side: dict) -> dict:
    command = [sys.executable, __file__, str(data), "--side", json.dumps(side)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("rows", nargs="*", default=[], metavar="ROW", help=f"{', '.join(ROWS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    results.add_option(parser)
    parser.add_argument("--json-memory", type=Path, metavar="FILE", help="the same for the figures of row g")
    parser.add_argument("--side", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_intermixed_args()
    if arguments.side:
        run = {"rnncli": run_rnncli, "pytorch": run_pytorch}[arguments.side.pop("side")]
        print(json.dumps(run(arguments.data, **arguments.side)))
        return
    columns = {"rnncli": ",.0f", "peer": ",.0f", "ratio": ".2f"}
    speed = results.Results("speed", {"words per second in training": "", **columns}, arguments.json)
    memory = results.Results("memory", {"peak memory in MB, one epoch": "", **columns}, arguments.json_memory)
    for name in arguments.rows or ROWS:
        title, *sides = ROWS[name]
        unit = "megabytes" if name == "g" else "words"
        rounds = range(1 if name == "g" else arguments.rounds)
        pairs = [[in_a_process_of_its_own(arguments.data, side)[unit] for side in sides] for _ in rounds]
        ours, theirs = map(statistics.median, zip(*pairs, strict=True))
        ratio = statistics.median(our / their for our, their in pairs)
        (memory if name == "g" else speed).add(title, ours, theirs, ratio)


if __name__ == "__main__":
    main()
