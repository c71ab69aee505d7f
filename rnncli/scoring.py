"""How likely lines of text are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import OverflowedError
from .lm.mixture import repeated
from .text.batches import padded, pasts
from .text.vocabulary import EOS_ID
from .threads import on_all_cores

if TYPE_CHECKING:
    from .model import Model

WORDS = 4096  # that are read side by side, about


@dataclass(frozen=True)
class Score:
    """How likely one line is, as a unit of its own."""

    log_probability: float  # of all its words and of its end, in nats
    words: list[str]  # without the end
    word_log_probabilities: list[float]  # of each word, given those before it; the last one is that of the end
    unknown_words: list[str]

    @property
    def perplexity(self) -> float:
        """The perplexity per word, the end counting as one."""
        return math.exp(min(-self.log_probability / (len(self.words) + 1), 700))


def score_all(model: Model, lines: Sequence[str]) -> list[Score]:
    """How likely each of the `lines` is, read by itself from the beginning of a unit to its end.

    An unknown word is as likely as `<unk>`.
    """
    tokens = [model.tokenizer.tokenize(line) for line in lines]
    encoded = [model.number(words) for words in tokens]
    order = sorted(range(len(lines)), key=lambda place: len(tokens[place]))
    groups: list[list[int]] = []  # of lines that are read side by side
    while order:
        longest = len(tokens[order[-1]]) + 1
        groups.append(order[-max(1, WORDS // longest) :])
        del order[-len(groups[-1]) :]

    start = model.lm.start(1)  # that of all lines: to read it once is enough

    def log_p(group: list[int]) -> list[np.ndarray]:
        words, lengths = padded([np.append(encoded[place][0], EOS_ID) for place in group])
        same = pasts(words, lengths) if len(group) > 1 else None
        nll, _ = model.lm.score(words, repeated(start, len(group)), same)
        if not np.isfinite(nll).all():
            raise OverflowedError
        return [-nll[:length, stream] for stream, length in enumerate(lengths)]

    scores: dict[int, Score] = {}
    for group, found in zip(groups, on_all_cores(log_p, groups), strict=True):
        for place, own in zip(group, found, strict=True):
            scores[place] = Score(float(own.sum()), tokens[place], own.tolist(), encoded[place][1])
    return [scores[place] for place in range(len(lines))]
