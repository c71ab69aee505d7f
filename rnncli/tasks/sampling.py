"""Draws a word from a distribution: temperature, truncation and repetition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import SettingError
from ..text.vocabulary import EOS_ID

MIN_TEMPERATURE = 1e-30  # beyond these bounds, single precision might give zero or infinity
MAX_TEMPERATURE = 1e30
PLACES_PER_BLOCK = 128


@dataclass(frozen=True)
class Sampling:
    """How the next word is drawn from the probabilities of all words."""

    temperature: float = 0.8  # below 1 likely words become likelier still; 0: always the likeliest
    top_k: int = 0  # only from the k likeliest words; 0: from all
    top_p: float = 1.0  # only from the likeliest ones that together hold this probability (Holtzman et al. 2020)
    min_p: float = 0.0  # only from words this fraction as likely as the likeliest, or more (Nguyen et al. 2024)
    repetition_penalty: float = 1.0  # multiplies the log-probability of words that are in the text already
    no_repeat: int = 0  # no sequence of so many words is written twice; 0: any may be

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < np.inf:
            raise SettingError(f"temperature is {self.temperature}, and must be a number from 0 on")
        if self.top_k < 0 or self.no_repeat < 0:
            raise SettingError("top_k and no_repeat must not be negative")
        if not 0 < self.top_p <= 1:
            raise SettingError(f"top_p is {self.top_p}, and must be above 0 and at most 1")
        if not 0 <= self.min_p <= 1:
            raise SettingError(f"min_p is {self.min_p}, and must be from 0 to 1")
        if not 1 <= self.repetition_penalty < np.inf:
            raise SettingError(f"repetition_penalty is {self.repetition_penalty}, and must be 1 (none) or more")

    def draw(self, p: np.ndarray, rng: np.random.Generator, before: Sequence[int] = ()) -> int | None:
        """Draw the number of a word by probabilities (V,), after the words `before`; None where none is possible."""
        if before and (self.repetition_penalty > 1 or self.no_repeat):
            p = self._without_repetition(p.astype(np.float64), before)
        likeliest = int(p.argmax())
        if p[likeliest] == 0:
            return None
        if self.temperature == 0:
            return likeliest
        words, weights = self._truncated(p, likeliest)
        return int(words[_drawn(weights, rng)])

    def _truncated(self, p: np.ndarray, likeliest: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the words to draw from, and their weights at this temperature."""
        words = np.flatnonzero(p)
        if 0 < self.top_k < len(words):
            words = np.sort(np.argsort(-p, kind="stable")[: self.top_k])
        temperature = min(max(self.temperature, MIN_TEMPERATURE), MAX_TEMPERATURE)
        weights = np.exp(np.log(p[words] / p[likeliest]) / temperature)
        if self.min_p:
            is_likely = weights >= self.min_p
            words = words[is_likely]
            weights = weights[is_likely]
        if self.top_p < 1:
            order = np.argsort(-weights, kind="stable")
            last = np.searchsorted(np.cumsum(weights[order]) / weights.sum(), self.top_p)
            nucleus = order[: last + 1]
            words = words[nucleus]
            weights = weights[nucleus]
        return words, weights

    def _without_repetition(self, p: np.ndarray, before: Sequence[int]) -> np.ndarray:
        """Return the probabilities with repetition made less likely, or impossible."""
        if self.repetition_penalty > 1:
            seen = np.unique([word for word in before if word != EOS_ID]).astype(np.int64)
            possible = seen[p[seen] > 0]
            p[possible] = np.maximum(p[possible] ** self.repetition_penalty, np.finfo(p.dtype).tiny)
        if self.no_repeat:
            text = list(before)
            known = self.no_repeat - 1
            last = text[len(text) - known :] if known <= len(text) else None
            if last is not None and EOS_ID not in last:
                places = range(len(text) - known)
                banned = {text[i + known] for i in places if text[i : i + known] == last} - {EOS_ID}
                p[list(banned)] = 0
        return p


def _drawn(weights: np.ndarray, rng: np.random.Generator) -> int:
    """Draw a place by its weight (N,): first a block of places, then one of the block, which is faster than one sum."""
    starts = np.arange(0, len(weights), PLACES_PER_BLOCK)
    blocks = np.cumsum(np.add.reduceat(weights, starts, dtype=np.float64))
    point = rng.random() * blocks[-1]
    # The last sum is all there is, whatever rounding says; so the draw never runs over the end.
    block = int(np.searchsorted(blocks[:-1], point, side="right"))
    within = np.cumsum(weights[starts[block] : starts[block] + PLACES_PER_BLOCK], dtype=np.float64)
    before = blocks[block - 1] if block else 0.0
    return int(starts[block] + np.searchsorted(within[:-1], point - before, side="right"))
