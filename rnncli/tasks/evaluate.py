"""Evaluates how well a model predicts a text."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from ..callbacks import OnProgress
from ..errors import OverflowedError, TextError
from ..lm.adaptation import WINDOW_WORDS, Learner
from ..lm.perplexity import perplexity
from ..model import Model
from ..nn.threads import one_thread
from ..ranks import Ranks
from ..ranks.agreement import check_alike
from ..text.corpus import Sources
from ..text.reading import listed, source_name
from ..text.spacer import Spacer
from ..text.vocabulary import EOS_ID, UNK_ID, Tokens
from . import metrics
from .alike import check_same_model
from .batching import chunks
from .metrics import KeystrokeCounter, perplexity_of_parts
from .texts import tokens_for

WORDS_PER_CHUNK = 256  # that are examined together, which saves a tenth of the time compared with half as many,
MAX_PROBABILITIES = 2**25  # or fewer words, where the vocabulary is so large that this would take more than 128 MB
ACCURACY_RANKS = (1, 3, 5, 10)
BAND_ENDS = (100, 1000, 10_000)  # of the bands of frequency ranks


@dataclass(frozen=True)
class Band:
    """The words of a text that are about equally frequent in the training text; words learned later count as rare."""

    frequency_rank: str  # the ranks, such as "101-1000"
    words: int
    perplexity: float
    accuracy_at_1: float


@dataclass(frozen=True)
class Bin:
    """The places of a text where the likeliest word had about the same probability."""

    confidence: float  # the mean probability of the likeliest word
    accuracy: float  # how often it was right
    words: int


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` finds. Perplexities are per word, every `<eos>` counting as one."""

    perplexity: float
    perplexity_of_parts: dict[str, float | None]  # of each part alone; None where it gives a word no probability at all
    words: int  # with the `<eos>` of every unit
    unknown_words: int
    unknown_fraction: float  # of the words
    perplexity_known: float  # over the words that are not unknown
    bits_per_character: float
    accuracy_at_1: float  # the fraction of the words that were the likeliest next word
    accuracy_at_3: float  # that were among the 3 likeliest, and so on
    accuracy_at_5: float
    accuracy_at_10: float
    mean_reciprocal_rank: float  # of the words among all that can be named; 0 for unknown ones
    keystrokes_saved: float | None  # as a fraction (see `KeystrokeCounter`); None for a model of characters
    calibration_error: float  # expected, of the probability of the likeliest word
    bands: list[Band]  # by frequency
    calibration: list[Bin]  # by confidence


def evaluate(
    model: Model,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    dynamic: bool = False,
    ranks: Ranks | None = None,
    progress: OnProgress = lambda fraction: None,
    warn: Callable[[str], object] = lambda warning: None,
) -> Evaluation:
    """Read the texts in `sources` as one, word by word, and measure how well each word is predicted.

    The state is carried from unit to unit. `<unk>` is a word like any other for the perplexity; for all else it is a
    miss, as it never is among the words that are predicted. Each unit's end counts as a character. In a `dynamic`
    evaluation, the model learns from each few words after it has predicted them. Several `ranks` read all words, and
    each measures a part of them, unless the model learns. `progress` is told the fraction of the words that is done,
    and `warn` of the files that were left out.
    """
    characters = 0
    sources = listed(sources)

    def measure(text: str) -> None:
        nonlocal characters
        characters += len(text if model.tokenizer.is_char else text.strip()) + 1

    ranks = Ranks() if dynamic or ranks is None else ranks
    check_same_model(ranks, model)
    if not (tokens := tokens_for(model, sources, encoding, warn, measure)).words():
        raise TextError(f"{source_name(sources[0])} holds no word to evaluate on")
    learner = Learner(model.lm) if dynamic else None
    lm = learner.mixture if learner else model.lm
    found = _Measurements(model, lm.names, tokens)
    check_alike(ranks, {"another text": hashlib.sha256(found.ids.tobytes()).hexdigest()})
    size = WINDOW_WORDS if learner else WORDS_PER_CHUNK
    size = max(1, min(size, MAX_PROBABILITIES // len(model.vocabulary)))
    state = lm.initial_state(1)
    for number, chunk in enumerate(chunks(len(found.ids), size)):
        words = found.ids[chunk, None]
        with one_thread() if learner else nullcontext():  # products for one word at a time are small
            context, state = lm.advance(words, state)
        ranks.check()
        if number % ranks.count != ranks.number:
            continue
        p, of_parts = lm.examine(words, context)
        if learner:
            learner.learn(words, context, of_parts)
        found.add(chunk, p[:, 0], of_parts[:, :, 0])
        progress(chunk.stop / len(found.ids))
    found.put_together(ranks, size)
    return found.evaluation(characters)


class _Measurements:
    """What is measured of each word of a text."""

    def __init__(self, model: Model, parts: tuple[str, ...], tokens: Tokens):
        self.names = parts
        self.ids = ids = model.vocabulary.encode(tokens)
        self.vocabulary = model.vocabulary
        self.words = model.vocabulary.unnoted(ids)
        self.is_known = ids != UNK_ID
        self.nll = np.empty(len(ids))
        self.ranks = np.empty(len(ids), np.int64)
        self.confidence = np.empty(len(ids))  # the probability of the likeliest word
        self.is_right = np.empty(len(ids), bool)  # whether it was the word
        self.of_parts = np.empty((len(self.names), len(ids)))
        self.keyboard = (
            None if model.tokenizer.is_char else KeystrokeCounter(model.vocabulary.words, model.vocabulary.noted[0])
        )
        self.keys_unaided = keys_unaided(tokens, model.spacer) if self.keyboard else np.ones(len(ids), np.int64)
        self.keys = self.keys_unaided.copy()

    def add(self, chunk: slice, p: np.ndarray, of_parts: np.ndarray) -> None:
        """Measure some words, by the probabilities of all words (N, V), and theirs by each part (parts, N)."""
        ids = self.ids[chunk]
        self.of_parts[:, chunk] = of_parts
        self.nll[chunk] = -np.log(p[np.arange(len(p)), ids])
        if not np.isfinite(self.nll[chunk]).all():
            raise OverflowedError
        self.vocabulary.merge(p)  # from here on, words count as a person reads them
        ids = self.words[chunk]
        self.ranks[chunk] = metrics.ranks(p, ids)
        best, self.confidence[chunk] = metrics.likeliest(p)
        self.is_right[chunk] = best == ids
        if self.keyboard:
            for row in np.flatnonzero(self.is_known[chunk]):
                place = chunk.start + row
                aided = self.keyboard.keys(p[row], ids[row])
                self.keys[place] = min(self.keys_unaided[place], aided)

    def put_together(self, ranks: Ranks, size: int) -> None:
        """Take what other ranks have measured, who have every so many-th chunk of `size` words."""
        if ranks.count == 1:
            return
        owner = np.arange(len(self.ids)) // size % ranks.count
        measured = (self.nll, self.ranks, self.confidence, self.is_right, self.keys, self.of_parts)
        own = [array[..., owner == ranks.number] for array in measured]
        for number, theirs in enumerate(ranks.all(own)):
            for array, values in zip(measured, theirs, strict=True):
                array[..., owner == number] = values

    def evaluation(self, characters: int) -> Evaluation:
        """Sum up a text of so many `characters`."""
        error, bins = metrics.calibration(self.confidence, self.is_right)
        accuracies = {f"accuracy_at_{k}": float(np.mean(self.is_known & (self.ranks < k))) for k in ACCURACY_RANKS}
        return Evaluation(
            perplexity=perplexity(self.nll.mean()),
            perplexity_of_parts=perplexity_of_parts(self.names, self.of_parts),
            words=len(self.ids),
            unknown_words=int(np.count_nonzero(~self.is_known)),
            unknown_fraction=float(np.mean(~self.is_known)),
            perplexity_known=perplexity(self.nll[self.is_known].mean()),
            bits_per_character=float(self.nll.sum() / math.log(2) / characters),
            **accuracies,
            mean_reciprocal_rank=float(np.mean(self.is_known / (1 + self.ranks))),
            keystrokes_saved=float(1 - self.keys.sum() / self.keys_unaided.sum()) if self.keyboard else None,
            calibration_error=error,
            bands=_bands(self.ids, self.nll, self.ranks),
            calibration=[Bin(*values) for values in bins],
        )


def keys_unaided(tokens: Tokens, spacer: Callable[[], Spacer]) -> np.ndarray:
    """Count the keys (N,) to write each word without help: its letters, and the space after it if there is one.

    The end of a unit is one key.
    """
    keys = np.ones(len(tokens), np.int64)
    begin = 0
    for end in np.flatnonzero(tokens.ids == EOS_ID).tolist():
        pieces = spacer().write(tokens.types[number] for number in tokens.ids[begin:end].tolist())
        for place, piece in enumerate(pieces, begin):
            is_spaced = piece[:1].isspace()
            keys[place] = len(piece) - is_spaced
            keys[place - 1] += is_spaced
        begin = end + 1
    return keys


def _bands(ids: np.ndarray, nll: np.ndarray, ranks: np.ndarray) -> list[Band]:
    """Sum up the words of each band of frequency: the vocabulary's numbers are ranks, as frequent words come first."""
    rank = np.where(ids == EOS_ID, 1, ids - UNK_ID)  # from 1 on; the end of a unit is among the most frequent
    edges = (0, *BAND_ENDS, max(BAND_ENDS[-1], rank.max(initial=0)))
    named = [
        (f"{low + 1}-{high if high in BAND_ENDS else ''}", (rank > low) & (rank <= high))
        for low, high in itertools.pairwise(edges)
    ]
    return [
        Band(name, int(np.count_nonzero(within)), perplexity(nll[within].mean()), float(np.mean(ranks[within] == 0)))
        for name, within in [*named, ("unknown", ids == UNK_ID)]
        if within.any()
    ]
