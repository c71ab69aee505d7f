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

from ..errors import SettingError

LARGEST = 10**6  # words
FADING = 3.0  # how far the last word within reach has faded, as an exponent
DOUBT = 0.08  # the weight of what may come besides; that of a place just before, and just alike, would be 1


class State(NamedTuple):
    """What is remembered of the last M words: the features (B, M, D) before each, made 1 long, and the words (B, M)."""

    keys: np.ndarray
    words: np.ndarray


class Glance(NamedTuple):
    """Where N = T * B places look back to: the words (B, M) within reach, and how strongly (T, B, M) at each.

    The strengths of a place sum to less than one: to the less, the less is alike.
    """

    words: np.ndarray
    strengths: np.ndarray


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

    def read(self, features: np.ndarray, words: np.ndarray, state: State) -> State:
        """The state after `words` (T, B), before which the network had the `features` (T, B, D)."""
        keys, seen = self._joined(features[-self.size :], words[-self.size :], state)
        return State(keys[:, -self.size :], seen[:, -self.size :])

    def look_back(self, features: np.ndarray, words: np.ndarray, state: State) -> Glance:
        """What is seen on looking back from before each of the `words` (T, B), with the `features` (T, B, D) there.

        It takes T * (T + size) numbers for each stream, so T should be no more than some hundred.
        """
        likeness, seen = self.likeness(features, words, state)
        return Glance(seen, self.strengths(likeness))

    def likeness(self, features: np.ndarray, words: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray]:
        """How alike (T, B, M) now and then are, from -1 to 1; and the words (B, M) that came then."""
        keys, seen = self._joined(features, words, state)
        return np.matmul(keys[:, -len(features) :], keys.swapaxes(1, 2)).swapaxes(0, 1), seen

    def strengths(self, likeness: np.ndarray) -> np.ndarray:
        """The share (T, B, M) of each place looked back to."""
        T, _, M = likeness.shape
        distance = np.arange(M - T, M)[:, None] - np.arange(M)
        within = (distance > 0) & (distance <= self.size)
        faded = np.where(within, -self.sharpness - distance * (FADING / self.size), -np.inf).astype(likeness.dtype)
        strengths = likeness * self.sharpness
        strengths += faded[:, None]  # no more than 0
        np.exp(strengths, out=strengths)
        strengths /= strengths.sum(axis=2, keepdims=True) + DOUBT
        return strengths

    def _joined(self, features: np.ndarray, words: np.ndarray, state: State) -> State:
        length = np.sqrt(np.einsum("tbd,tbd->tb", features, features))[..., None]
        keys = features / np.maximum(length, np.finfo(features.dtype).tiny)
        return State(
            np.concatenate([state.keys, keys.swapaxes(0, 1)], axis=1),
            np.concatenate([state.words, words.T.astype(np.int32)], axis=1),
        )


def probability(words: np.ndarray, glance: Glance) -> np.ndarray:
    """The chance (T, B) that each of the `words` (T, B) comes again."""
    places = np.nonzero(glance.words == words[..., None])  # few
    found = np.ravel_multi_index(places[:2], words.shape)
    return np.bincount(found, glance.strengths[places], words.size).reshape(words.shape)


def add_to(p: np.ndarray, glance: Glance, share: np.ndarray) -> None:
    """Add to `p` (T, B, V) the chances of all words, each place's times its `share` (T, B)."""
    for stream, seen in enumerate(glance.words):
        order = np.argsort(seen, kind="stable")
        words, starts = np.unique(seen[order], return_index=True)
        sums = np.add.reduceat(glance.strengths[:, stream, order], starts, axis=1)  # (T, different words)
        p[:, stream, words] += sums * share[:, stream, None]
