"""How well a model predicts a text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import metrics
from .errors import OverflowedError, TextError
from .lm.adaptation import WINDOW, Learner
from .lm.mixture import STEPS
from .metrics import Keyboard, perplexity, perplexity_of_parts
from .text.corpus import Sources, read_tokens
from .text.reading import listed, source_name
from .text.vocabulary import EOS_ID, UNK_ID
from .threads import Map, one_thread

if TYPE_CHECKING:
    from .lm import LanguageModel
    from .model import Model
    from .text.tokenizers import Tokenizer
    from .text.vocabulary import Tokens

STREAMS = 32  # a validation text is read in this many places at once,
GROUP = 8  # so many of which are one piece of work
PLACES = 256  # looked at together, which saves a tenth of the time beside half as many,
NUMBERS = 2**25  # or fewer, where so many words are known that this would be more probabilities (128 MB)
RANKS = (1, 3, 5, 10)
BANDS = (100, 1000, 10_000)  # the most frequent words, the next ones, and so on


@dataclass(frozen=True)
class Band:
    """The words of a text that are about equally frequent in the training text; those learned later count as rare."""

    frequency_rank: str  # the ranks, such as "101-1000"
    words: int
    perplexity: float
    accuracy_at_1: float


@dataclass(frozen=True)
class Bin:
    """The places of a text where the likeliest word was about equally likely."""

    confidence: float  # the mean probability of the likeliest word
    accuracy: float  # how often it was right
    words: int


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds. Perplexities are per word, every `<eos>` counting as one."""

    perplexity: float
    perplexity_of_parts: dict[str, float | None]  # of each part alone; None where it gives a word no chance at all
    words: int  # with the `<eos>` of every unit
    unknown_words: int
    perplexity_known: float  # over the words that are not unknown
    bits_per_character: float
    accuracy_at_1: float  # the share of the words that were the likeliest next word
    accuracy_at_3: float  # that were among the 3 likeliest, and so on
    accuracy_at_5: float
    accuracy_at_10: float
    mean_reciprocal_rank: float  # of the words among all that can be named; 0 for unknown ones
    keystrokes_saved: float | None  # the share of keys that offered words save (see `Keyboard`); None for characters
    calibration_error: float  # expected, of the probability of the likeliest word
    bands: list[Band]  # by frequency
    calibration: list[Bin]  # by confidence


def evaluate(
    model: Model,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    dynamic: bool = False,
    progress: Callable[[float], object] = lambda share: None,
) -> Evaluation:
    """Read the texts in `sources` as one, word by word, and measure how well each word was foreseen.

    The state is carried from unit to unit. `<unk>` is a word like any other for the perplexity; for all else it is a
    miss, as it never is among the words that `rank` offers. A character more is counted for each unit's end.
    A `dynamic` evaluation lets the network learn from each few words after it has foreseen them. `progress` is told
    which share of the words is done, from 0 to 1.
    """
    characters, sources = 0, listed(sources)

    def measure(text: str) -> None:
        nonlocal characters
        characters += len(text if model.tokenizer.kind == "char" else text.strip()) + 1

    _, tokens = read_tokens(sources, model.tokenizer, model.unit, encoding, measure)
    if tokens.words() == 0:
        raise TextError(f"{source_name(sources[0])} holds no word to evaluate on")
    ids = model.vocabulary.encode(tokens)
    words, known = len(ids), ids != UNK_ID
    nll, ranks, confidence = np.empty(words), np.empty(words, np.int64), np.empty(words)
    right, parts = np.empty(words, bool), np.empty((len(model.lm.parts), words))
    keyboard = None if model.tokenizer.kind == "char" else Keyboard(model.vocabulary.words)
    unaided = keys_unaided(tokens, model.tokenizer) if keyboard else np.ones(words, np.int64)
    keys = unaided.copy()
    learner = Learner(model.lm) if dynamic else None
    lm, steps = (learner.mixture, WINDOW) if learner else (model.lm, PLACES)
    steps = max(1, min(steps, NUMBERS // len(model.vocabulary)))
    state = lm.start(1)
    with one_thread() if learner else nullcontext():
        for start in range(0, words, steps):
            part = slice(start, start + steps)
            p, given, state = lm.examine(ids[part, None], state)
            if learner:
                learner.learn(ids[part, None])
            p, parts[:, part] = p[:, 0], given[:, :, 0]
            nll[part] = -np.log(p[np.arange(len(p)), ids[part]])
            if not np.isfinite(nll[part]).all():
                raise OverflowedError
            ranks[part] = metrics.ranks(p, ids[part])
            best, confidence[part] = metrics.likeliest(p)
            right[part] = best == ids[part]
            if keyboard:
                for place in start + np.flatnonzero(known[part]):
                    keys[place] = min(unaided[place], keyboard.keys(p[place - start], ids[place]))
            progress(min(1.0, (start + steps) / words))
    error, bins = metrics.calibration(confidence, right)
    return Evaluation(
        perplexity=perplexity(nll.mean()),
        perplexity_of_parts=perplexity_of_parts(model.lm.parts, parts),
        words=words,
        unknown_words=int(np.count_nonzero(~known)),
        perplexity_known=perplexity(nll[known].mean()),
        bits_per_character=float(nll.sum() / math.log(2) / characters),
        **{f"accuracy_at_{k}": float(np.mean(known & (ranks < k))) for k in RANKS},
        mean_reciprocal_rank=float(np.mean(known / (1 + ranks))),
        keystrokes_saved=float(1 - keys.sum() / unaided.sum()) if keyboard else None,
        calibration_error=error,
        bands=_bands(ids, nll, ranks),
        calibration=[Bin(*values) for values in bins],
    )


def keys_unaided(tokens: Tokens, tokenizer: Tokenizer) -> np.ndarray:
    """How many keys (N,) it takes to write each word without help: its letters, and the space after it if there is one.

    The end of a unit is one key.
    """
    keys, spacer = np.ones(len(tokens), np.int64), tokenizer.spacer()
    for place, number in enumerate(tokens.ids.tolist()):
        if number == EOS_ID:
            spacer = tokenizer.spacer()
            continue
        piece = spacer.next(tokens.types[number])
        spaced = piece.startswith(" ")
        keys[place] = len(piece) - spaced
        keys[place - 1] += spaced
    return keys


def _bands(ids: np.ndarray, nll: np.ndarray, ranks: np.ndarray) -> list[Band]:
    """How well words of each frequency were foreseen: by the vocabulary's numbers, as frequent words come first."""
    place = np.where(ids == EOS_ID, 1, ids - UNK_ID)  # from 1 on; the end of a unit is among the most frequent
    edges = (0, *BANDS, max(BANDS[-1], place.max(initial=0)))
    named = [
        (f"{low + 1}-{high if high in BANDS else ''}", (place > low) & (place <= high))
        for low, high in itertools.pairwise(edges)
    ]
    return [
        Band(name, int(np.count_nonzero(within)), perplexity(nll[within].mean()), float(np.mean(ranks[within] == 0)))
        for name, within in [*named, ("unknown", ids == UNK_ID)]
        if within.any()
    ]


def mean_loss(lm: LanguageModel, ids: np.ndarray, side_by_side: Map = map) -> float:
    """The mean loss in nats over a text (N,), each word predicted once; read in several places at once.

    `side_by_side` is `map`, or what does the same on several threads.
    """
    batch = max(1, min(STREAMS, len(ids) // STEPS))
    length = -(-len(ids) // batch)
    padded = np.full(batch * length, EOS_ID, np.int32)
    padded[: len(ids)] = ids
    streams = padded.reshape(batch, length)

    def losses(first: int) -> np.ndarray:
        words = streams[first : first + GROUP].T
        nll = np.empty(words.shape)
        with np.errstate(over="ignore", invalid="ignore"):  # a network that has gone astray foresees nothing
            state = lm.start(words.shape[1])
            for start in range(0, length, STEPS):
                part = slice(start, start + STEPS)
                nll[part], state = lm.score(words[part], state)
        return nll.T

    nll = np.concatenate(list(side_by_side(losses, range(0, batch, GROUP))))
    return float(nll.ravel()[: len(ids)].mean())
