"""Scores lines of text: how likely each of them is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OverflowedError
from ..model import Model
from ..nn.threads import on_all_cores
from ..ranks import Ranks
from ..text.batches import padded, prefix_numbers
from ..text.vocabulary import EOS_ID, UNK, UNK_ID
from .batching import length_groups

WORDS_PER_GROUP = 4096  # that are read side by side, about
MAX_NATS = 700.0  # per word, which JSON still has a number for: e^700


@dataclass(frozen=True)
class Score:
    """How likely one line is, as a unit of its own."""

    log_probability: float  # of all its words and its end, in nats
    words: list[str]  # without the end
    word_log_probabilities: list[float]  # of each word, given all words before it; the last one is that of the end
    unknown_words: list[str]

    @property
    def perplexity(self) -> float:
        """The perplexity per word, the end counting as one."""
        return math.exp(min(-self.log_probability / (len(self.words) + 1), MAX_NATS))


def score_all(model: Model, lines: Sequence[str], ranks: Ranks | None = None) -> list[Score]:
    """Score each of the `lines` by itself, from the beginning of a unit to its end.

    Several `ranks` that are given the same lines share them out.

    The probability of an unknown word is that of `<unk>`, times that of its spelling: its letters and the end of the
    word, drawn evenly from the characters of the vocabulary and the end. A literal `<unk>` has no spelling.
    """
    encoded = [model.encode_unit(line) for line in lines]
    groups = length_groups([len(words) + 1 for _, words, _ in encoded], max_words=WORDS_PER_GROUP)
    start = model.lm.initial_state(1)  # that of all lines: it is computed once

    def log_probabilities(group: list[int]) -> list[np.ndarray]:
        words, lengths = padded([np.append(encoded[place][0], EOS_ID) for place in group])
        prefixes = prefix_numbers(words, lengths) if len(group) > 1 else None
        nll, _ = model.lm.score(words, start.repeat(len(group)), prefixes)
        if not np.isfinite(nll).all():
            raise OverflowedError
        return [-nll[:length, row] for row, length in enumerate(lengths)]

    nats_per_character = _nats_per_character(model) if any(unknown for _, _, unknown in encoded) else 0.0
    scores: dict[int, Score] = {}
    shared = (ranks or Ranks()).map(on_all_cores, log_probabilities, groups)
    for group, found in zip(groups, shared, strict=True):
        for place, own in zip(group, found, strict=True):
            ids, words, unknown = encoded[place]
            if unknown:
                own[:-1] += _spellings(words, ids[:, 0], nats_per_character)
            scores[place] = Score(float(own.sum()), words, own.tolist(), unknown)
    return [scores[place] for place in range(len(lines))]


def _nats_per_character(model: Model) -> float:
    """The cost of a character of an unknown word, or of the word's end: all are equally likely."""
    return math.log(len(set().union(*model.vocabulary.words[UNK_ID + 1 :])) + 1)


def _spellings(words: Sequence[str], ids: np.ndarray, nats_per_character: float) -> np.ndarray:
    """The log-probability of each word's spelling, (T,): zero for the known words and a literal `<unk>`."""
    is_spelled = [number == UNK_ID and word != UNK for word, number in zip(words, ids.tolist(), strict=True)]
    lengths = [(len(word) + 1) * spelled for word, spelled in zip(words, is_spelled, strict=True)]
    return -nats_per_character * np.array(lengths, float)
