"""Goes only a part of the way from the network that a fine-tuning began with to the one that it has trained.

A short text says little of what its author writes next: the network that predicts its end best has gone too far. The
weights in between keep what the first network knew (Wortsman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

WORDS_FOR_WHOLE_WAY = 80_000


def fraction_of_way(train_words: int) -> float:
    """Return how much of the way a text of so many words is good for."""
    return min(1.0, train_words / WORDS_FOR_WHOLE_WAY)


def interpolated(
    begun_with: Mapping[str, np.ndarray], trained: Mapping[str, np.ndarray], fraction: float
) -> dict[str, np.ndarray]:
    """Return the values of the network that lies so far on the way between two of one shape."""
    return {name: begun_with[name] + fraction * (value - begun_with[name]) for name, value in trained.items()}
