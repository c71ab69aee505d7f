"""The continuous cache: what followed lately in a context similar to this one is likely again (Grave et al. 2017).

For each of the last words it keeps the network's features from before that word. A place there has the weight
exp(sharpness * (cosine - 1) - DECAY * distance / size): the cosine is that of the angle between the features then and
now, the mean over the networks if there are several, and the distance is in words. The probability of a word is the
weight of the places where it stood, over that of all places and `UNSEEN_MASS`: where nothing is similar, the cache
claims little. In the paper, similarity is the product of the features, nothing decays, and no mass is left unseen;
docs/experiments.md says what each is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import SettingError
from ..network_options import MAX_CACHE_WORDS
from .interface import Part, StoredParts

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..options import TrainingOptions
    from .network_config import NetworkConfig

DECAY = 3.0  # the weight of the oldest word in reach is multiplied by exp(-3)
UNSEEN_MASS = 0.08  # as a weight: a word in the same context, just before, has a weight of about 1
# To choose from, the usual one first.
SHARPNESSES = (10.0, 6.0, 14.0, 20.0)
SIZES = (2000, 8000)
MAX_SHARPNESS = 1e6
FREE_PLACES = 256  # behind the last words: so rarely are all of them copied while a text is written word by word


class Growing:
    """Keys (1, N, D) and words (1, N) of a text that grows, with free places behind the `used` ones.

    What is written once stays, so that earlier states of the text remain.
    """

    def __init__(self, state: CacheState):
        """Copy the words of a state, and leave free places behind them."""
        _, self.used, width = state.keys.shape
        size = self.used + FREE_PLACES
        self.keys = np.empty((1, size, width), state.keys.dtype)
        self.words = np.empty((1, size), state.words.dtype)
        self.keys[:, : self.used] = state.keys
        self.words[:, : self.used] = state.words
        self._lock = Lock()

    def claim(self, place: int) -> bool:
        """Whether the caller may write in a place: it is free, and no other text has gone on there."""
        with self._lock:
            is_free = bool(place == self.used < self.words.shape[1])
            self.used += is_free
        return is_free


class CacheState(NamedTuple):
    """The last M words: the features (B, M, D) before each, scaled to length 1, and the words (B, M).

    Both may be views of what is `growing`, up to the `end`.
    """

    keys: np.ndarray
    words: np.ndarray
    growing: Growing | None = None
    end: int = 0

    def for_keys(self, keys: np.ndarray) -> CacheState:
        """Return this state; one without words as it is for `keys` (B, T, D) of this width."""
        return self if self.keys.shape[1] else self._replace(keys=keys[:, :0])

    def with_word(self, key: np.ndarray, word: np.ndarray, size: int) -> CacheState:
        """Return the state of one text after one more word (1, 1) with its key (1, 1, D): the last `size` words."""
        growing = self.growing
        end = self.end
        if growing is None or not growing.claim(end):
            growing = Growing(self)
            end = growing.used
            growing.claim(end)
        growing.keys[:, end : end + 1] = key
        growing.words[:, end : end + 1] = word
        end += 1
        last = slice(max(end - min(self.words.shape[1] + 1, size), 0), end)
        return CacheState(growing.keys[:, last], growing.words[:, last], growing, end)


class CacheAttention:
    """What T * B places see of M cached words: the context of a `Cache`.

    `keys` (B, T, D) are those of the places, `cached` (B, M - T, D) those of the words before them, and `words` (B, M)
    the words of both. Nothing is computed before it is asked for: who only reads on needs no attention.
    """

    def __init__(self, keys: np.ndarray, cached: np.ndarray, words: np.ndarray, size: int):
        self.keys = keys
        self.cached = cached
        self.words = words
        self.size = size
        self._weights: tuple[float, np.ndarray, np.ndarray] | None = None
        self._within: dict[int, CacheAttention] = {}

    def within(self, size: int) -> CacheAttention:
        """Return what the places see of the last `size` words alone."""
        if size >= self.size:
            return self
        if size not in self._within:
            first = max(0, self.cached.shape[1] - size)
            narrower = CacheAttention(self.keys, self.cached[:, first:], self.words[:, first:], size)
            narrower.similarity = self.similarity[..., first:]
            self._within[size] = narrower
        return self._within[size]

    def weights(self, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights (T, B, M) of the cached words, and their sum with `UNSEEN_MASS` (T, B)."""
        known = self._weights  # read once, as another thread may ask for another sharpness
        if known is None or known[0] != sharpness:
            weights = self.similarity * self.keys.dtype.type(sharpness)
            weights += self.decay - self.keys.dtype.type(sharpness)
            np.exp(weights, out=weights)
            known = sharpness, weights, weights.sum(axis=2) + UNSEEN_MASS
            self._weights = known
        return known[1:]

    @cached_property
    def similarity(self) -> np.ndarray:
        """The cosine (T, B, M) between the features then and now."""
        batch, steps, _ = self.keys.shape
        cached = self.cached.shape[1]
        similarity = np.empty((batch, steps, cached + steps), self.keys.dtype)
        np.matmul(self.keys, self.cached.swapaxes(1, 2), out=similarity[..., :cached])
        np.matmul(self.keys, self.keys.swapaxes(1, 2), out=similarity[..., cached:])
        return np.swapaxes(similarity, 0, 1)

    @cached_property
    def decay(self) -> np.ndarray:
        """The exponent (T, 1, M) by distance, minus infinity out of reach.

        A view, as each place sees the same row, moved on by one.
        """
        steps = self.keys.shape[1]
        places = self.words.shape[1]
        first = self.size + steps - (places - 1)  # where the distance is that of the first place to the oldest word
        exponent = _exponents(self.size, steps, self.keys.dtype)[first : first + places + steps - 1]
        if steps == 1:  # in a twentieth of the time
            return exponent[None, None]
        return sliding_window_view(exponent, places)[::-1, None]

    def pick(self, places: np.ndarray) -> CacheAttention:
        """Pick one of the T places of each sequence, by `places` (B,)."""
        sequences = np.arange(len(places))
        picked = CacheAttention(self.keys[sequences, places][:, None], self.cached, self.words, self.size)
        picked.similarity = self.similarity[places, sequences][None]
        picked.decay = self.decay[places, 0][None]
        return picked


@dataclass(frozen=True)
class Cache(Part):
    """A cache of the last `size` words. The larger its `sharpness`, the more similar a context must be to count."""

    name: ClassVar[str] = "cache"
    prior_weight: ClassVar[float] = 0.1

    size: int
    sharpness: float

    @classmethod
    def fit(cls, ids: np.ndarray, config: NetworkConfig, options: TrainingOptions, **_: Any) -> Self | None:
        """Make the largest cache, of the usual sharpness."""
        return cls(options.cache_size, SHARPNESSES[0]) if options.cache_size else None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_CACHE_WORDS:
            raise SettingError(f"cache_size is {self.size}, and must be from 1 to {MAX_CACHE_WORDS:,}")

    def initial_state(self, batch: int) -> CacheState:
        """Return an empty cache, of keys whose width the first ones tell."""
        return CacheState(np.empty((batch, 0, 0), np.float32), np.empty((batch, 0), np.int32))

    def advance(
        self, words: np.ndarray, state: CacheState, before: Mapping[str, Any]
    ) -> tuple[CacheAttention, CacheState]:
        """Read `words` (T, B). The context is T * (T + size) numbers a sequence: T should be some hundreds at most."""
        keys = keys_of(before["network"])
        state = state.for_keys(keys)
        own = words.T.astype(np.int32)
        seen = np.concatenate([state.words, own], axis=1)
        if words.size == 1:
            return CacheAttention(keys, state.keys, seen, self.size), state.with_word(keys, own, self.size)
        kept_keys = np.concatenate([state.keys, keys[:, -self.size :]], axis=1)
        after = CacheState(kept_keys[:, -self.size :], seen[:, -self.size :])
        return CacheAttention(keys, state.keys, seen, self.size), after

    def context(self, state: CacheState, before: Mapping[str, Any]) -> CacheAttention:
        """Return what is seen of the cache after the last word that was read."""
        keys = keys_of(before["network"])
        unknown = np.zeros((len(keys), keys.shape[1]), np.int32)  # the next word is not known, and out of reach
        return CacheAttention(
            keys, state.for_keys(keys).keys, np.concatenate([state.words, unknown], axis=1), self.size
        )

    def probability(self, words: np.ndarray, context: CacheAttention, prefixes: np.ndarray | None = None) -> np.ndarray:
        """Return the probability (T, B) that each of the `words` (T, B) comes again."""
        context = context.within(self.size)
        weights, total = context.weights(self.sharpness)
        again = context.words == words[..., None].astype(context.words.dtype)
        found: np.ndarray = weights.sum(axis=2, where=again) / total
        return found

    def add_to(self, p: np.ndarray, context: CacheAttention, weight: np.ndarray) -> None:
        """Add the probabilities of all words, times `weight` (T, B), to `p` (T, B, V)."""
        context = context.within(self.size)
        weights, total = context.weights(self.sharpness)
        factors = weight / total
        # The words are converted once: doing so for each place would take most of the time.
        for sequence, words in enumerate(context.words.astype(np.intp)):
            rows = p[:, sequence], weights[:, sequence], factors[:, sequence]
            for row, own, factor in zip(*rows, strict=True):
                np.add.at(row, words, own * factor)

    def mass(self, context: CacheAttention) -> np.ndarray:
        """Return the sum of all probabilities (T, B): the less is similar, the further below one."""
        _, total = context.within(self.size).weights(self.sharpness)
        return 1 - UNSEEN_MASS / total

    def variants(self) -> Sequence[Cache]:
        """Return caches of the usual sizes below this one's and of its own, each of several sharpnesses."""
        sizes = [*(size for size in SIZES if size < self.size), self.size]
        return [Cache(size, sharpness) for size in sizes for sharpness in SHARPNESSES]

    def stored_config(self) -> dict[str, Any]:
        """Return the size and the sharpness."""
        return {self.name: asdict(self)}

    @classmethod
    def from_file(cls, stored: StoredParts) -> Self | None:
        """Make the cache of a model file."""
        config = stored.config.get(cls.name)
        if config is None:
            return None
        size = config["size"]
        sharpness = config["sharpness"]
        if not isinstance(size, int) or isinstance(size, bool):
            raise ValueError(f"its size is {size!r}")
        if not isinstance(sharpness, int | float) or isinstance(sharpness, bool) or not 0 < sharpness < MAX_SHARPNESS:
            raise ValueError(f"its cache's sharpness is {sharpness}")
        return cls(size, sharpness)

    def description(self) -> str:
        """Describe the cache in a few words."""
        return f"cache ({self.size:,} words, sharpness {self.sharpness:g})"


@lru_cache(maxsize=16)
def _exponents(size: int, margin: int, dtype: np.dtype) -> np.ndarray:
    """The exponents by distance, from `size` + `margin` down to 1 - `margin`: minus infinity out of reach."""
    distance = np.arange(size + margin, -margin, -1)
    in_reach = (distance > 0) & (distance <= size)
    exponents: np.ndarray = np.where(in_reach, -distance * (DECAY / size), -np.inf).astype(dtype)
    exponents.flags.writeable = False
    return exponents


def keys_of(context: np.ndarray | tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the keys (B, T, D) for the features (T, B, D) of a network, or of several: those of all side by side."""
    if not isinstance(context, tuple):
        return scaled_keys(context)
    keys = np.concatenate([scaled_keys(features) for features in context], axis=2)
    keys *= keys.dtype.type(len(context) ** -0.5)
    return keys


def scaled_keys(features: np.ndarray) -> np.ndarray:
    """Scale the network's features (T, B, D) to length 1, as keys (B, T, D); features of zeros stay zeros."""
    # Double precision holds the squares, however large or small the numbers are.
    squares = np.einsum("tbd,tbd->tb", features, features, dtype=np.float64)
    length = np.sqrt(squares)[..., None]
    keys: np.ndarray = (features / np.maximum(length, np.finfo(features.dtype).tiny)).astype(features.dtype)
    return np.swapaxes(keys, 0, 1)
