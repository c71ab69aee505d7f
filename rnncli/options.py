"""Every option of a training, declared once.

The types are those of a finished plan. An option `BY_RULE` is None until `rnncli.training.plan` has decided it from the
text and the time; the rules are in `rnncli.training.recipe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .declaration import BY_RULE, check, option
from .errors import SettingError
from .network_options import MAX_CACHE_WORDS, MAX_NETWORKS, MAX_NGRAM_ORDER, NetworkOptions

TOKENIZER_NAMES = ("word", "whitespace", "char")
UNIT_NAMES = ("auto", "line", "paragraph")
FORMAT_NAMES = ("auto", "text", "markdown", "html", "subtitles")
OPTIMIZER_NAMES = ("adam", "sgd")
SCHEDULE_NAMES = ("cosine", "step")
MAX_EPOCHS = 10**9  # more than anybody waits for
SOFTMAX_NAMES = ("full", "sampled")


@dataclass(frozen=True)
class TextOptions:
    """How a text is read and which of its words become known. Raises `SettingError` for a value out of bounds."""

    tokenizer: str = option(
        "word",
        "How a line is cut: into words and punctuation, at white space alone, or into characters.",
        choices=TOKENIZER_NAMES,
        fixed_by_model=True,
    )
    lowercase: bool = option(False, "Read everything in lower case.", fixed_by_model=True)
    unit: str = option(
        "auto",
        "What <eos> ends: a line, or a paragraph between blank lines; auto finds wrapped prose, file by file.",
        choices=UNIT_NAMES,
        fixed_by_model=True,
    )
    encoding: str = option("utf-8", "The encoding of the text.", metavar="NAME")
    read_as: str = option(
        "auto",
        "Strip Markdown, HTML or subtitles to their text; auto goes by the suffix of each file, text strips nothing.",
        choices=FORMAT_NAMES,
        flag="as",
    )
    field: int = option(0, "Of lines with tabs, read only the Nth field.", low=0, is_optional=True)
    column: str = option("", "Of CSV, read only the column that the first row calls NAME.", metavar="NAME")
    chat: bool = option(False, "Read the messages of an exported chat, without their times and senders.")
    strict: bool = option(False, "Stop at a file of a folder that cannot be read, instead of leaving it out.")
    min_count: int = option(BY_RULE, "Words that occur less often become <unk>.", kind=int, low=1)
    max_vocab: int = option(
        BY_RULE,
        "How many words to know, with <eos> and <unk>; 0: all.",
        kind=int,
        low=0,
        is_count=True,
        fixed_by_model=True,
    )
    valid: Any = option(  # noqa: RUF009 (its default is a tuple)
        (),
        "A text to choose the best network and tune the mixture weights on; may be repeated.",
        kind=str,
        repeatable=True,
    )
    valid_fraction: float = option(
        0.05,
        "Without --valid: the fraction at the end of each corpus that is held out for that.",
        low=0,
        high=1,
        low_open=True,
        high_open=True,
    )

    def __post_init__(self) -> None:
        check(self)
        kinds = {
            "chat=True": self.chat,
            f"field={self.field}": self.field,
            f'column="{self.column}"': self.column,
            f'read_as="{self.read_as}"': self.read_as != "auto",
        }
        given = [name for name, is_given in kinds.items() if is_given]
        if len(given) > 1:
            raise SettingError(f"{' and '.join(given)} do not go together: choose one of them")


@dataclass(frozen=True)
class TrainingOptions:
    """How a network learns, and the parts beside it. Raises `SettingError` for a value out of bounds."""

    batch_size: int = option(BY_RULE, "Sequences read in parallel; fewer for a small text.", kind=int, low=1)
    bptt: int = option(35, "Steps of back-propagation through time.", low=1)
    accumulate: int = option(
        1, "How many windows of --bptt words a step sums the gradients of: fewer, larger steps.", low=1
    )
    local_steps: int = option(
        1,
        "Under mpiexec: how many steps each rank takes by itself before the networks are averaged; 1: gradients are"
        " summed in each step.",
        low=1,
    )
    optimizer: str = option(
        "adam",
        "The learning rule. sgd is plain gradient descent, the textbook rule, to teach and compare with: it needs many"
        " times as long.",
        choices=OPTIMIZER_NAMES,
    )
    lr: float = option(BY_RULE, "The peak learning rate.", kind=float, low=0, low_open=True, high_open=True)
    schedule: str = option(
        "cosine",
        "How the learning rate falls after a short warm-up: along a cosine to two fifths of its peak, or in steps, each"
        " by half, from the middle of the training on.",
        choices=SCHEDULE_NAMES,
    )
    clip: float = option(1.0, "Clip the gradient to this norm; 0: do not.", low=0, high_open=True)
    weight_decay: float = option(
        0.0,
        "Draw the weights towards zero (AdamW's decay), to compare with: dropout does more against overfitting.",
        low=0,
        high_open=True,
    )
    softmax: str = option(
        BY_RULE,
        "Normalise over all words in every step, or over those of the step and a sample: fast with any vocabulary.",
        kind=str,
        choices=SOFTMAX_NAMES,
    )
    samples: int = option(
        BY_RULE,
        "How many words a sampled softmax takes besides a step's own: the most frequent ones, and others at random.",
        kind=int,
        low=1,
        is_count=True,
    )
    time: float = option(
        BY_RULE,
        "How long it may take in all, such as 90s, 10m or 1h.",
        kind=float,
        low=0,
        low_open=True,
        is_duration=True,
        may_change=True,
    )
    epochs: int = option(
        BY_RULE,
        "How often to read the text; with --time at most.",
        kind=int,
        low=1,
        high=MAX_EPOCHS,
        may_change=True,
    )
    networks: int = option(
        BY_RULE,
        "How many networks to train, one after the other; they predict together.",
        kind=int,
        low=1,
        high=MAX_NETWORKS,
        fixed_by_model=True,
    )
    patience: int = option(
        3,
        "After this many reports without a better validation perplexity, go back to the best network and cool down."
        " Each network has a report after each epoch, or ten in its --time.",
        low=1,
    )
    threads: int = option(
        BY_RULE,
        "How many cores to work on; at most one for four sequences of the batch.",
        kind=int,
        low=1,
        may_change=True,
    )
    seed: int = option(
        1,
        "With --epochs and no --time, the same seed and number of threads give the same model.",
        low=0,
    )
    ngram_order: int = option(
        5,
        "Words in the longest n-grams; 0: no n-grams.",
        low=0,
        high=MAX_NGRAM_ORDER,
    )
    prune: bool = option(
        BY_RULE, "Leave out n-grams of three words and more that occurred once.", kind=bool, off_flag="no-prune"
    )
    cache_size: int = option(
        8000,
        "How many of the last words the cache holds at most; 0: no cache. How many are best is chosen on validation.",
        low=0,
        high=MAX_CACHE_WORDS,
        flag="cache",
        metavar="SIZE",
        is_count=True,
    )

    def __post_init__(self) -> None:
        check(self)


OPTION_CLASSES = (TextOptions, NetworkOptions, TrainingOptions)
