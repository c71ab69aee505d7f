"""The continuous cache: what followed lately when the network was in a like state is likely again (Grave et al. 2017).

For each of the last words read it keeps the network's features from before that word. A place there has the weight
exp(sharpness * (cosine - 1) - fading * distance / size): the cosine is that of the angle between the features then and
now, the distance is in words. The chance that a word comes again is the weight of the places where it stood, over that
of all places and a doubt besides: where nothing is alike, the cache has little to say. In the paper likeness is the
product of the features, nothing fades, and there is no doubt; benchmarks/README.md tells what each is worth.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import SettingError

LARGEST = 10**6  # words
FADING = 3.0  # how far the last word within reach has faded, as an exponent
DOUBT = 0.08  # the weight of what may come besides; that of a place just before, and just alike, would be 1


class State(NamedTuple):
    """What is remembered of the last M words: the features (B, M, D) before each, made 1 long, and the words (B, M)."""

    keys: np.ndarray
    words: np.ndarray


class Glance(NamedTuple):
    """What T * B places look back to."""

    words: np.ndarray  # (B, M), those within reach
    weights: np.ndarray  # (T, B, M), of the places where they stood
    norm: np.ndarray  # (T, B), the sum of the weights, and the doubt

    @property
    def total(self) -> np.ndarray:
        """What the chances of all words come to (T, B): the less is alike, the further below one."""
        return 1 - DOUBT / self.norm

    def picked(self, places: np.ndarray) -> "Glance":
        """The one of the T places of each stream that is named by `places` (B,)."""
        streams = np.arange(len(places))
        return Glance(self.words, self.weights[places, streams][None], self.norm[places, streams][None])


@dataclass(frozen=True)
class Cache:
    """A cache of the last `size` words; the larger its `sharpness`, the more alike must what it goes by be."""

    size: int
    sharpness: float

    def __post_init__(self):
        if not 1 <= self.size <= LARGEST:
            raise SettingError(f"the cache's size is {self.size}, and must be from 1 to {LARGEST:,}")

    def start(self, batch: int, width: int) -> State:
        """The state before anything was read; features are `width` numbers."""
        return State(np.empty((batch, 0, width), np.float32), np.empty((batch, 0), np.int32))

    def read(self, keys: np.ndarray, words: np.ndarray, state: State) -> State:
        """The state after `words` (T, B), with the `keys` (B, T, D) of the features before each (see `keys_of`)."""
        keys = np.concatenate([state.keys, keys[:, -self.size :]], axis=1)
        return State(keys[:, -self.size :], _followed_by(state.words, words)[:, -self.size :])

    def look_back(self, keys: np.ndarray, words: np.ndarray, state: State) -> Glance:
        """What is seen on looking back from before each of the `words` (T, B), with the `keys` (B, T, D) there.

        It takes T * (T + size) numbers for each stream, so T should be no more than some hundred.
        """
        return self.glance(*self.likeness(keys, words, state))

    def likeness(self, keys: np.ndarray, words: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray]:
        """How alike (T, B, M) now and then are, from -1 to 1; and the words (B, M) that came then."""
        (B, T, _), before = keys.shape, state.words.shape[1]
        likeness = np.empty((B, T, before + T), keys.dtype)
        np.matmul(keys, state.keys.swapaxes(1, 2), out=likeness[..., :before])
        np.matmul(keys, keys.swapaxes(1, 2), out=likeness[..., before:])
        return likeness.swapaxes(0, 1), _followed_by(state.words, words)

    def glance(self, likeness: np.ndarray, seen: np.ndarray) -> Glance:
        """What is seen, where now and then are so alike (T, B, M) and the words (B, M) were `seen`."""
        T, _, M = likeness.shape
        distance = np.arange(M - 1, -T, -1)  # from the last word to all, and so on to the first: M numbers each
        within = (distance > 0) & (distance <= self.size)
        faded = np.where(within, -self.sharpness - distance * (FADING / self.size), -np.inf).astype(likeness.dtype)
        weights = likeness * self.sharpness
        weights += sliding_window_view(faded, M)[::-1, None]  # no more than 0
        np.exp(weights, out=weights)
        return Glance(seen, weights, weights.sum(axis=2) + DOUBT)


def probability(words: np.ndarray, glance: Glance) -> np.ndarray:
    """The chance (T, B) that each of the `words` (T, B) comes again."""
    again = glance.words == words[..., None].astype(glance.words.dtype)
    return glance.weights.sum(axis=2, where=again) / glance.norm


def add_to(p: np.ndarray, glance: Glance, share: np.ndarray) -> None:
    """Add to `p` (T, B, V) the chances of all words, each place's times its `share` (T, B)."""
    factors = share / glance.norm
    for b, words in enumerate(glance.words.astype(np.intp)):  # once: for each place anew it would take most of the time
        for row, weights, factor in zip(p[:, b], glance.weights[:, b], factors[:, b], strict=True):
            np.add.at(row, words, weights * factor)


def keys_of(features: np.ndarray) -> np.ndarray:
    """The network's features (T, B, D), made 1 long, as keys (B, T, D); those that are zeros stay so."""
    largest = np.abs(features).max(axis=2, keepdims=True)  # whose square may be too large or too small for a number
    features = features / np.maximum(largest, np.finfo(features.dtype).tiny)
    length = np.sqrt(np.einsum("tbd,tbd->tb", features, features))[..., None]
    return (features / np.maximum(length, 1)).swapaxes(0, 1)


def _followed_by(seen: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The words (B, M) that were seen, and after them the `words` (T, B): (B, M + T)."""
    return np.concatenate([seen, words.T.astype(np.int32)], axis=1)
