"""The whole model: a network, an n-gram model and a cache, each with a share in every prediction.

P(w) = sum over parts of share * P_part(w). The shares depend on how many words of the context the n-gram model knows:
the more it has seen, the more it has to say. They are tuned on held-out text by expectation-maximisation (Jelinek and
Mercer 1980). The chances that the cache gives sum to less than one, as far as it is in doubt; what is missing goes to
all parts alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import cache as caches
from .cache import Cache
from .network import Network
from .network import State as NetworkState
from .ngram import NGram

USUAL = {"network": 0.7, "ngram": 0.2, "cache": 0.1}  # shares, roughly, where no text is there to tell
STEPS = 128  # words read at a time


class State(NamedTuple):
    """Where each part stands; None for a part that there is not."""

    network: NetworkState
    ngram: np.ndarray | None
    cache: caches.State | None


class View(NamedTuple):
    """What the parts go by in T * B places of a text, each before its word."""

    features: np.ndarray  # (T, B, D), of the network
    contexts: np.ndarray | None  # (T, B, order), of the n-gram model
    ngrams: np.ndarray | None  # (T, B, order), those that end in the word itself, if it is known
    glance: caches.Glance | None  # of the cache
    lengths: np.ndarray  # (T, B), how many words of the context the n-gram model knows
    shares: np.ndarray  # (parts, T, B), what the chances that each part gives count there

    def picked(self, places: np.ndarray) -> View:
        """The one of the T places of each stream that is named by `places` (B,)."""
        streams = np.arange(len(places))
        return View(
            self.features[places, streams][None],
            None if self.contexts is None else self.contexts[places, streams][None],
            None,
            self.glance and self.glance.picked(places),
            self.lengths[places, streams][None],
            self.shares[:, places, streams][:, None],
        )


class Mixture:
    """A model of up to three parts (see `rnncli.lm` for the interface that all models share)."""

    def __init__(
        self,
        network: Network,
        ngram: NGram | None = None,
        cache: Cache | None = None,
        shares: np.ndarray | None = None,
        beginning: State | None = None,
    ):
        """With the `shares` (lengths, parts) by the number of words of the context that the n-gram model knows.

        Without, they are the usual ones. Where a text was read before, `beginning` is the state, of one stream, that
        its last unit ended in, and every beginning is as that.
        """
        self.network, self.ngram, self.cache = network, ngram, cache
        self.parts = ("network", *["ngram"] * (ngram is not None), *["cache"] * (cache is not None))
        lengths = ngram.order if ngram else 1
        self.beginning = beginning
        usual = np.array([USUAL[part] for part in self.parts])
        self.shares = np.tile(usual / usual.sum(), (lengths, 1)) if shares is None else shares

    # Reading.

    def start(self, batch: int) -> State:
        """The state at the beginning of a unit."""
        if self.beginning is not None:
            return repeated(self.beginning, batch)
        return State(
            self.network.start(batch),
            self.ngram.start(batch) if self.ngram else None,
            self.cache.start(batch, self.network.config.width) if self.cache else None,
        )

    def read(self, words: np.ndarray, state: State) -> State:
        """The state after reading `words` (T, B) from `state` on."""
        for start in range(0, len(words), STEPS):
            part = words[start : start + STEPS]
            features, network = self.network.foresee(part, state.network)
            state = State(
                network,
                self.ngram.read(part, state.ngram) if self.ngram else None,
                self.cache.read(caches.keys_of(features), part, state.cache) if self.cache else None,
            )
        return state

    def log_prob(self, state: State) -> np.ndarray:
        """The log-probability (B, V) of every word to come next."""
        return np.log(self.prob(state))

    def prob(self, state: State) -> np.ndarray:
        """The probability (B, V) of every word to come next."""
        return self.prob_at(self.here(state))

    def score(self, words: np.ndarray, state: State, pasts: np.ndarray | None = None) -> tuple[np.ndarray, State]:
        """Minus the log-probability (T, B) of each of the `words`, given `state` and the words before it.

        Where the same number stands in `pasts` (T, B), all before the word is the same, and so is what is expected:
        for texts that begin alike this saves the network much work.
        """
        nll = np.empty(words.shape)
        for start in range(0, len(words), STEPS):
            part = slice(start, start + STEPS)
            p, shares, state = self.score_parts(words[part], state, None if pasts is None else pasts[part])
            nll[part] = -np.log(np.maximum(np.sum(shares * p, axis=0), np.finfo(float).tiny))
        return nll, state

    # The parts.

    def described(self) -> list[str]:
        """What the parts are, in words."""
        ngrams = sum(len(level.words) for level in self.ngram.levels) if self.ngram else 0
        words = {
            "network": "network",
            "ngram": f"{len(self.shares)}-grams ({ngrams:,})",
            "cache": f"cache ({self.cache.size:,} words, sharpness {self.cache.sharpness:g})" if self.cache else "",
        }
        return [words[part] for part in self.parts]

    def examine(self, words: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray, State]:
        """The probabilities (T, B, V) of all words in the place of each of the `words` (T, B), given all before it.

        And what each part gave to the word that stood there, (parts, T, B); and the state after the words.
        """
        view, after = self.view(words, state)
        p, given = self._prob(view, words)
        return p, np.stack(given), after

    def score_parts(
        self, words: np.ndarray, state: State, pasts: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, State]:
        """What each part gives each of the `words` (T, B), (parts, T, B); the parts' shares there; the state after.

        About the `pasts` see `score`.
        """
        view, after = self.view(words, state)
        return self.chances(words, view, pasts), view.shares, after

    # What comes next in places of a text.

    def here(self, state: State) -> View:
        """What the parts go by at the end of what was read."""
        features = self.network.features(state.network)[None]
        no_words = np.zeros(features.shape[:2], np.int32)  # what comes next is not known yet
        glance = self.cache.look_back(caches.keys_of(features), no_words, state.cache) if self.cache else None
        return self._viewed(features, None if state.ngram is None else state.ngram[None], None, glance)

    def after(self, words: np.ndarray, lengths: np.ndarray, state: State) -> View:
        """What the parts go by after the first `lengths` (B,) of the `words` (T, B): after each stream's own part.

        What stands behind it does not matter. Streams of similar lengths take the least time and memory.
        """
        common = int(lengths.min())
        if common:
            state = self.read(words[:common], state)
        if common == lengths.max():
            return self.here(state)
        rest = np.concatenate([words[common:], words[:1]])  # one more, as a place of a text is before a word
        view, _ = self.view(rest, state)
        return view.picked(lengths - common)

    def prob_at(self, view: View) -> np.ndarray:
        """The probabilities (B, V) of all words in one place of each stream."""
        return self._prob(view)[0][0]

    def parts_at(self, view: View) -> np.ndarray:
        """What each part gives to all words in one place of each stream, (parts, B, V): their sum is the whole."""
        given = []
        for part in range(len(self.parts)):
            alone = np.zeros_like(view.shares)
            alone[part] = view.shares[part]
            given.append(self.prob_at(view._replace(shares=alone)))
        given = np.stack(given)
        given[given <= np.finfo(given.dtype).tiny] = 0  # what is too small for a number
        return given

    def view(self, words: np.ndarray, state: State) -> tuple[View, State]:
        """What the parts go by before each of the `words` (T, B), and the state after them."""
        features, network = self.network.foresee(words, state.network)
        contexts = ngrams = ngram = glance = cache = None
        if self.ngram:
            contexts, ngrams, ngram = self.ngram.follow(words, state.ngram)
        if self.cache:
            keys = caches.keys_of(features)
            glance, cache = self.cache.look_back(keys, words, state.cache), self.cache.read(keys, words, state.cache)
        return self._viewed(features, contexts, ngrams, glance), State(network, ngram, cache)

    def _viewed(
        self,
        features: np.ndarray,
        contexts: np.ndarray | None,
        ngrams: np.ndarray | None,
        glance: caches.Glance | None,
    ) -> View:
        lengths = self.ngram.matched(contexts) if self.ngram else np.zeros(features.shape[:2], np.int64)
        shares = np.moveaxis(self.shares[lengths], -1, 0)
        if self.cache:
            shares /= 1 - shares[-1] * (1 - glance.total)
        return View(features, contexts, ngrams, glance, lengths, shares)

    def chances(self, words: np.ndarray, view: View, pasts: np.ndarray | None = None) -> np.ndarray:
        """What each part gives each of the `words` (T, B): (parts, T, B). About the `pasts` see `score`."""
        features, nll = view.features.reshape(words.size, -1), np.empty(words.size)
        if pasts is None:
            nll[:] = self.network.softmax.score(features, words.ravel())
        else:
            _, first, rows = np.unique(pasts, return_index=True, return_inverse=True)
            order = np.argsort(rows, axis=None, kind="stable")
            nll[order] = self.network.softmax.score(features[first], words.ravel()[order], rows.ravel()[order])
        p = [np.exp(-nll).reshape(words.shape)]
        if self.ngram:
            ngrams, contexts = (numbers.reshape(words.size, -1) for numbers in (view.ngrams, view.contexts))
            p.append(self.ngram.probability(ngrams, contexts).reshape(words.shape))
        if self.cache:
            p.append(caches.probability(words, view.glance))
        return np.stack(p)

    def _prob(self, view: View, words: np.ndarray | None = None) -> tuple[np.ndarray, list[np.ndarray]]:
        """The probabilities (T, B, V) of all words in places of a text, and what each part gives the `words`, if any.

        What is too small for a number is the smallest one, so that all have logarithms.
        """
        shape, shares, given = view.shares.shape[1:], view.shares.astype(view.features.dtype), []
        p = self.network.softmax.prob(view.features.reshape(shares[0].size, -1), shares[0].ravel())
        if words is not None:
            own = np.maximum(p[np.arange(words.size), words.ravel()], np.finfo(p.dtype).tiny)
            given.append(own.reshape(shape) / shares[0])
        if self.ngram:
            ngrams = None if words is None else view.ngrams.reshape(len(p), -1)
            chances = self.ngram.add_to(p, view.contexts.reshape(len(p), -1), shares[1].ravel(), ngrams)
            if words is not None:
                given.append(chances.reshape(shape))
        if self.cache:
            caches.add_to(p.reshape(*shape, -1), view.glance, shares[-1])
            if words is not None:
                given.append(caches.probability(words, view.glance))
        return np.maximum(p, np.finfo(p.dtype).tiny, out=p).reshape(*shape, -1), given


def repeated(state: Any, batch: int) -> Any:
    """A state of one stream as that of a whole batch."""
    if isinstance(state, np.ndarray):
        return np.repeat(state, batch, axis=0)
    if isinstance(state, tuple):
        parts = (repeated(part, batch) for part in state)
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state
