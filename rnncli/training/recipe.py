"""The rules for the options that are left open, from the amount of text and of time.

The more often a text can be read in the time, the more dropout a network needs against overfitting; and the more time
there is, the larger a network pays. The figures behind the rules are in docs/experiments.md.

Each rule is a function that asks for what it needs by the names of its parameters: options that are decided before it
(see `RULES`), and the facts that `rnncli.training.plan` knows of the text. Its `text` describes it in help and docs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ..nn.threads import usable_cores
from ..text.reserved import MAX_WORDS_PER_UNK

DEFAULT_SECONDS = 600.0
SMALL_UNITS = 256
MEDIUM_UNITS = 384
LARGE_UNITS = 512
MEDIUM_SECONDS = 600.0  # of training time, from which on a medium network pays
LARGE_SECONDS = 1800.0  # from which on a large one pays
LARGE_TEXT_WORDS = 500_000  # from which on a larger network pays, and more epochs
UNIT_WORDS_PER_SECOND = 3_300_000  # speed times hidden size, roughly, on two slow cores
MEDIUM_DROPOUT_EPOCHS = 5  # from which on a network needs more dropout
STRONG_DROPOUT_EPOCHS = 15  # from which on it needs still more
WINDOWS_PER_SEQUENCE = 10  # at least
PRUNE_ABOVE_WORDS = 5_000_000  # in a longer text, n-grams that occurred once are left out
LATE_FRACTION = 0.5  # of a training, from which on a sampled softmax draws `LATE_SAMPLES` words at least
LATE_SAMPLES = 3000
SMALL_TEXT_WORDS = 50_000  # in a smaller text even a word that occurs once is worth knowing
VOCABULARY_WORDS = 20_000
MARKED_TEXT = f"a text where <unk> is at least one word in {MAX_WORDS_PER_UNK}"

EXPECTED_EPOCHS = (
    f"how often the text can be read in the time, roughly: {UNIT_WORDS_PER_SECOND:,} words a second divided by the"
    " hidden size, whatever the machine; no more than --epochs"
)
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
        if name in options and known[name] is None:
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


# The time. Facts: `train_words` with the ends of units.


@rule("10m; no limit with --epochs")
def time(epochs: int | None) -> float:
    """How many seconds a training takes."""
    return math.inf if epochs else DEFAULT_SECONDS


@rule(f"as often as there is time for, up to 20 times; up to 40 times from {LARGE_TEXT_WORDS:,} words on")
def epochs(train_words: int) -> int:
    """How often a text is read at most: a small one is soon known by heart."""
    return 20 if train_words < LARGE_TEXT_WORDS else 40


@rule(
    f"{SMALL_UNITS}; with {LARGE_TEXT_WORDS:,} words or more {MEDIUM_UNITS} from 10 minutes on,"
    f" {LARGE_UNITS} from 30 minutes on"
)
def hidden_size(train_words: int, time: float) -> int:
    """How many units a layer has."""
    if train_words < LARGE_TEXT_WORDS or time < MEDIUM_SECONDS or math.isinf(time):
        return SMALL_UNITS
    return MEDIUM_UNITS if time < LARGE_SECONDS else LARGE_UNITS


@rule(f"the hidden size, at most {SMALL_UNITS}")
def embedding_size(hidden_size: int) -> int:
    """How many numbers a word's vector has: the cost of every word in the softmax is proportional to it."""
    return min(hidden_size, SMALL_UNITS)


def expected_epochs(train_words: int, hidden_size: int, time: float, epochs: int) -> float:
    """How often the text will be read, roughly, on two slow cores."""
    return min(epochs, time * UNIT_WORDS_PER_SECOND / hidden_size / max(1, train_words))


@rule(f"0.5; 0.35 for less than {STRONG_DROPOUT_EPOCHS} expected epochs, 0.2 for less than {MEDIUM_DROPOUT_EPOCHS}")
def dropout(train_words: int, hidden_size: int, time: float, epochs: int) -> float:
    """What fraction of the units is hidden."""
    expected = expected_epochs(train_words, hidden_size, time, epochs)
    return 0.5 if expected >= STRONG_DROPOUT_EPOCHS else 0.35 if expected >= MEDIUM_DROPOUT_EPOCHS else 0.2


def _needs_all_dropouts(train_words: int, hidden_size: int, time: float, epochs: int) -> bool:
    expected = expected_epochs(train_words, hidden_size, time, epochs)
    return hidden_size >= LARGE_UNITS and expected >= MEDIUM_DROPOUT_EPOCHS


@rule(f"0; 0.1 for {LARGE_UNITS} units or more and {MEDIUM_DROPOUT_EPOCHS} expected epochs or more")
def word_dropout(train_words: int, hidden_size: int, time: float, epochs: int) -> float:
    """What fraction of the words is hidden."""
    return 0.1 if _needs_all_dropouts(train_words, hidden_size, time, epochs) else 0.0


@rule(f"0; 0.3 for {LARGE_UNITS} units or more and {MEDIUM_DROPOUT_EPOCHS} expected epochs or more")
def recurrent_dropout(train_words: int, hidden_size: int, time: float, epochs: int) -> float:
    """What fraction of the recurrent weights is hidden."""
    return 0.3 if _needs_all_dropouts(train_words, hidden_size, time, epochs) else 0.0


# The training. Facts: `vocabulary_size`.


@rule(
    f"20; 40 with more than {SMALL_UNITS} units; at most one for every {WINDOWS_PER_SEQUENCE} windows of --bptt words"
)
def batch_size(hidden_size: int) -> int:
    """How many sequences are read in parallel: more are faster, but make fewer steps."""
    return 20 if hidden_size <= SMALL_UNITS else 40


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


@rule("all that may be used")
def threads() -> int:
    """How many cores work."""
    return usable_cores()


@rule(f"only for more than {PRUNE_ABOVE_WORDS:,} words")
def prune(train_words: int) -> bool:
    """Whether n-grams of three words and more that occurred once are left out."""
    return train_words > PRUNE_ABOVE_WORDS
