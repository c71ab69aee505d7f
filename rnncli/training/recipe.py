"""The rules for the options that are left open, from the amount of text and of time.

The more a machine can compute in the time, the larger a network pays; and the more often the text can be read, the
more dropout the network needs against overfitting. The figures behind the rules are in docs/experiments.md.

Each rule is a function that asks for what it needs by the names of its parameters: options that are decided before it
(see `RULES`), and the facts that `rnncli.training.plan` knows of the text. Its `text` describes it in help and docs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ..text.reserved import MAX_WORDS_PER_UNK

DEFAULT_SECONDS = 600.0
SMALL_UNITS = 256
LARGE_UNITS = 512
USUAL_GFLOPS = 200.0  # of two cores with AVX-512
# Hidden sizes, and the seconds for a network from which on they pay, at the usual speed.
LARGER_UNITS = {384: 180.0, 512: 1200.0, 768: 2400.0, 1024: 10_800.0}
# Numbers of networks, and how often one of 384 units could read the text in the time, from which on they pay.
MORE_NETWORKS = {2: 9.0, 4: 24.0}
WORDS_OF_EACH_NETWORK = 4_000_000  # at least, unless it has read a small text often enough before
USUAL_UNITS = 384
LARGE_TEXT_WORDS = 500_000  # from which on a larger network pays, and more epochs
STEP_EFFICIENCY = 0.7  # the speed of a step's products and all else in it, as a fraction of that of large products
SOFTMAX_WORDS = 2000  # roughly, of a sampled softmax
MEDIUM_DROPOUT_EPOCHS = 6  # from which on a network needs more dropout
STRONG_DROPOUT_EPOCHS = 15  # from which on it needs still more
STRONG_DROPOUT_EPOCHS_OF_SEVERAL = 20  # the same of several networks, whose mean makes up for some overfitting
WINDOWS_PER_SEQUENCE = 10  # at least
SEQUENCES_PER_RANK = 4  # at least: products of fewer rows are slow
PRUNE_ABOVE_WORDS = 5_000_000  # in a longer text, n-grams that occurred once are left out
LATE_FRACTION = 0.5  # of a training, from which on a sampled softmax draws `LATE_SAMPLES` words at least
LATE_SAMPLES = 3000
SMALL_TEXT_WORDS = 50_000  # in a smaller text even a word that occurs once is worth knowing
VOCABULARY_WORDS = 20_000
MARKED_TEXT = f"a text where <unk> is at least one word in {MAX_WORDS_PER_UNK}"

RULES: dict[str, Rule] = {}  # by option, in the order in which they are decided


class Rule:
    """A rule for one option: call it with the facts."""

    def __init__(self, text: str, decide: Callable[..., Any]):
        self.text = text
        self.decide = decide
        self.parameters = tuple(inspect.signature(decide).parameters)

    def __call__(self, facts: Mapping[str, Any]) -> Any:
        return self.decide(**{name: facts[name] for name in self.parameters})


def rule(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function the rule for the option of its name, described by `text`."""

    def declare(decide: Callable[..., Any]) -> Callable[..., Any]:
        RULES[decide.__name__] = Rule(text, decide)
        return decide

    return declare


def decided(options: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in every option that is None and has a rule."""
    known = {**facts, **options}
    for name, decide in RULES.items():
        is_open = known[name] is None if name in options else known.keys() >= set(decide.parameters)
        if is_open:
            known[name] = decide(known)
    return {name: known[name] for name in options}


# The text. Facts: `text_words` without the ends of units; `marks_unknown`, whether it writes <unk> itself, as a
# prepared corpus does; `repeats`, whether any word occurs twice; `fine_tuning`, whether it goes on from a model.


@rule(f"2; 1 for less than {SMALL_TEXT_WORDS:,} words, or {MARKED_TEXT}; 2 with --init")
def min_count(text_words: int, marks_unknown: bool, repeats: bool, fine_tuning: bool) -> int:
    """How often a word must occur to be known."""
    if fine_tuning:
        return 2
    return 2 if text_words >= SMALL_TEXT_WORDS and repeats and not marks_unknown else 1


@rule(f"{VOCABULARY_WORDS}; all for {MARKED_TEXT}")
def max_vocab(marks_unknown: bool, fine_tuning: bool) -> int:
    """How many words are known; when fine-tuning, how many new ones."""
    return 0 if marks_unknown and not fine_tuning else VOCABULARY_WORDS


# The time. Facts: `train_words` with the ends of units; `gflops`, the speed of large matrix products on this machine.


@rule("10m; no limit with --epochs")
def time(epochs: int | None) -> float:
    """How many seconds a training takes."""
    return math.inf if epochs else DEFAULT_SECONDS


@rule(f"as often as there is time for, up to 20 times; up to 40 times from {LARGE_TEXT_WORDS:,} words on")
def epochs(train_words: int) -> int:
    """How often a text is read at most: a small one is soon known by heart."""
    return 20 if train_words < LARGE_TEXT_WORDS else 40


@rule(
    f"1; {', '.join(f'{n} where it could read the text {least:g} times' for n, least in MORE_NETWORKS.items())} in the"
    f" time with {USUAL_UNITS} units, by the speed of this machine, which is measured when a training begins; each must"
    f" read {WORDS_OF_EACH_NETWORK / 1e6:g} million words, or the text as often as --epochs says; 1 without a limit"
)
def networks(train_words: int, time: float, epochs: int, gflops: float) -> int:
    """How many networks are trained, one after the other."""
    if math.isinf(time):
        return 1
    words = time * _words_per_second(USUAL_UNITS, gflops)
    most = words / max(1, min(epochs * train_words, WORDS_OF_EACH_NETWORK))
    readings = words / max(1, train_words)
    return max([1, *(n for n, least in MORE_NETWORKS.items() if readings >= least and most >= n)])


def _words_per_second(hidden_size: int, gflops: float) -> float:
    """Return how many words a training reads in a second, roughly."""
    vector = min(hidden_size, SMALL_UNITS)
    parameters = 4 * hidden_size * (hidden_size + vector) + SOFTMAX_WORDS * vector  # that a word meets
    return STEP_EFFICIENCY * gflops * 1e9 / (6 * parameters)  # two operations forward and four backward


def _larger_units() -> str:
    def written(seconds: float) -> str:
        return f"{seconds / 60:g} minutes" if seconds < 7200 else f"{seconds / 3600:g} hours"

    return ", ".join(f"{units} from {written(seconds)} on" for units, seconds in LARGER_UNITS.items())


@rule(
    f"{SMALL_UNITS}; with {LARGE_TEXT_WORDS:,} words or more, by the time for each network: {_larger_units()},"
    f" where large matrix products run at {USUAL_GFLOPS:g} GFLOP/s; in proportion on another machine"
)
def hidden_size(train_words: int, time: float, gflops: float, networks: int) -> int:
    """How many units a layer has."""
    if train_words < LARGE_TEXT_WORDS or math.isinf(time):
        return SMALL_UNITS
    usual_seconds = time / networks * gflops / USUAL_GFLOPS
    return max([SMALL_UNITS, *(units for units, least in LARGER_UNITS.items() if usual_seconds >= least)])


@rule(f"the hidden size, at most {SMALL_UNITS}")
def embedding_size(hidden_size: int) -> int:
    """How many numbers a word's vector has: the cost of every word in the softmax is proportional to it."""
    return min(hidden_size, SMALL_UNITS)


@rule("how often the text can be read in the time of a network, by the speed of this machine; no more than --epochs")
def expected_epochs(
    train_words: int, hidden_size: int, time: float, networks: int, epochs: int, gflops: float
) -> float:
    """How often each network will read the text, roughly: no option, but a fact for the rules after it."""
    return min(epochs, time / networks * _words_per_second(hidden_size, gflops) / max(1, train_words))


@rule(
    f"0.5; 0.35 for less than {STRONG_DROPOUT_EPOCHS} expected epochs, or {STRONG_DROPOUT_EPOCHS_OF_SEVERAL} of each of"
    f" several networks; 0.2 for less than {MEDIUM_DROPOUT_EPOCHS}"
)
def dropout(expected_epochs: float, networks: int) -> float:
    """What fraction of the units is hidden."""
    strong = STRONG_DROPOUT_EPOCHS if networks == 1 else STRONG_DROPOUT_EPOCHS_OF_SEVERAL
    return 0.5 if expected_epochs >= strong else 0.35 if expected_epochs >= MEDIUM_DROPOUT_EPOCHS else 0.2


@rule(f"0; 0.1 for {LARGE_UNITS} units or more and {MEDIUM_DROPOUT_EPOCHS} expected epochs or more")
def word_dropout(hidden_size: int, expected_epochs: float) -> float:
    """What fraction of the words is hidden."""
    return 0.1 if hidden_size >= LARGE_UNITS and expected_epochs >= MEDIUM_DROPOUT_EPOCHS else 0.0


@rule(f"0; 0.25 for {LARGE_UNITS} units or more and {MEDIUM_DROPOUT_EPOCHS} expected epochs or more")
def recurrent_dropout(hidden_size: int, expected_epochs: float) -> float:
    """What fraction of the state is hidden from the recurrent weights."""
    return 0.25 if hidden_size >= LARGE_UNITS and expected_epochs >= MEDIUM_DROPOUT_EPOCHS else 0.0


# The training. Facts: `vocabulary_size`.


@rule(
    f"20; 40 with more than {SMALL_UNITS} units; at least {SEQUENCES_PER_RANK} for each rank under mpiexec; at most one"
    f" for every {WINDOWS_PER_SEQUENCE} windows of --bptt words"
)
def batch_size(hidden_size: int, ranks: int) -> int:
    """How many sequences are read in parallel: more are faster, but make fewer steps."""
    return max(20 if hidden_size <= SMALL_UNITS else 40, SEQUENCES_PER_RANK * ranks)


def max_batch_size(train_words: int, bptt: int) -> int:
    """How many sequences a text is cut into at most, so that each has `WINDOWS_PER_SEQUENCE`."""
    return max(1, train_words // (WINDOWS_PER_SEQUENCE * bptt))


@rule("adam 0.004, with elman or --init 0.001; sgd 1")
def lr(optimizer: str, cell: str, fine_tuning: bool) -> float:
    """The peak of the learning rate: lower for an Elman cell, and for a network that has learned already."""
    if optimizer == "sgd":
        return 1.0
    return 1e-3 if cell == "elman" or fine_tuning else 4e-3


@rule(
    f"500; 1000 with {LARGE_UNITS} units or more; at least {LATE_SAMPLES} in the second half of the training",
)
def samples(hidden_size: int) -> int:
    """How many words a sampled softmax draws in a step of the first half."""
    return 500 if hidden_size < LARGE_UNITS else 1000


@rule("sampled if the vocabulary is larger than twice the samples, else full")
def softmax(vocabulary_size: int, samples: int) -> str:
    """Whether the softmax of a step is over all words or over a sample."""
    return "sampled" if vocabulary_size > 2 * samples else "full"


@rule("all cores that may be used; the ranks that mpiexec starts on a machine share them")
def threads(cores: int) -> int:
    """How many cores work."""
    return cores


@rule(f"only for more than {PRUNE_ABOVE_WORDS:,} words")
def prune(train_words: int) -> bool:
    """Whether n-grams of three words and more that occurred once are left out."""
    return train_words > PRUNE_ABOVE_WORDS
