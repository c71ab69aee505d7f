"""A mixture of parts: P(w) = sum over parts of weight * P_part(w).

The weights depend on the group that the parts sort a context into: the more words of it the n-gram model knows, the
more weight it has. They are tuned on held-out text by expectation-maximisation (Jelinek and Mercer 1980). Where the
probabilities of a part sum to less than one, as the cache's do, the rest goes to all parts in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .interface import Part, pick, repeat

WORDS_PER_PASS = 128  # of each sequence
MIN_WEIGHT = 1e-6  # of a part that has a least weight
DTYPE = np.float32  # of distributions
P = TypeVar("P", bound=Part)


class MixtureState(NamedTuple):
    """The states of a mixture's parts after some words."""

    batch: int
    states: tuple[Any, ...]

    def repeat(self, batch: int) -> MixtureState:
        """Repeat the state of one sequence for a whole batch."""
        return MixtureState(batch, tuple(repeat(state, batch) for state in self.states))


class MixtureContext(NamedTuple):
    """What a mixture predicts from in T * B places."""

    contexts: dict[str, Any]  # of each part, by name
    groups: np.ndarray  # (T, B)
    weights: np.ndarray  # (parts, T, B), of each part's probabilities

    def pick(self, places: np.ndarray) -> MixtureContext:
        """Pick one of the T places of each sequence, by `places` (B,)."""
        contexts = {name: pick(context, places) for name, context in self.contexts.items()}
        sequences = np.arange(len(places))
        weights = self.weights[:, places, sequences][:, None]
        return MixtureContext(contexts, pick(self.groups, places), weights)


class Mixture:
    """A language model of several parts.

    state = mixture.initial_state(batch)                 at the beginning of a unit
    state = mixture.read(words, state)                   words (T, B), any T >= 1
    context, state = mixture.advance(words, state)       what is known before each of the words
    p = mixture.distribution(mixture.context(state))     (1, B, V), of every word to come next; sums to one
    nll, state = mixture.score(words, state)             (T, B), each word given all words before it
    """

    def __init__(
        self,
        parts: Sequence[Part],
        vocabulary_size: int,
        weights: np.ndarray | None = None,
        beginning: MixtureState | None = None,
    ):
        """Mix parts by `weights` (groups, parts), by default the prior ones.

        `beginning` is the state (of one sequence) after a text that was read before: every unit begins there.
        """
        self.parts = tuple(parts)
        self.vocabulary_size = vocabulary_size
        self.weights = self.prior_weights() if weights is None else weights
        self.beginning = beginning

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(part.name for part in self.parts)

    def find(self, kind: type[P]) -> P | None:
        """Return the part of this kind, or None."""
        return next((part for part in self.parts if isinstance(part, kind)), None)

    def prior_weights(self) -> np.ndarray:
        """Return the weights (groups, parts) for a model that no text has tuned."""
        prior = np.array([part.prior_weight for part in self.parts])
        groups = int(np.prod([part.groups for part in self.parts]))
        return np.tile(prior / prior.sum(), (groups, 1))

    def without(self, *kinds: type[Part]) -> Mixture:
        """Return a mixture of the parts of other kinds; each has its mean weight over what the removed parts knew."""
        removed = tuple(place for place, part in enumerate(self.parts) if isinstance(part, kinds))
        kept = [part for part in self.parts if not isinstance(part, kinds)]
        weights = self.weights.reshape(*(part.groups for part in self.parts), len(self.parts)).mean(axis=removed)
        weights = np.delete(weights, removed, axis=-1).reshape(-1, len(kept))
        beginning = self.beginning
        if beginning is not None:
            states = (state for place, state in enumerate(beginning.states) if place not in removed)
            beginning = MixtureState(beginning.batch, tuple(states))
        return Mixture(kept, self.vocabulary_size, weights / weights.sum(axis=1, keepdims=True), beginning)

    def check_weights(self) -> None:
        """Raise `ValueError` for weights of another shape than the parts have, or that make no sense."""
        weights = self.weights
        if weights.ndim == 2 and weights.shape[1] > len(self.parts):
            raise ValueError(f"it holds a part that this rnncli does not know, besides {', '.join(self.names)}")
        if weights.shape != self.prior_weights().shape or weights.dtype.kind != "f":
            raise ValueError(f"shares is {weights.dtype} {weights.shape}")
        needed = np.array([part.least_weight > 0 for part in self.parts])
        is_sound = (weights >= 0).all() and np.allclose(weights.sum(axis=1), 1)
        if not (is_sound and (weights[:, needed] > MIN_WEIGHT).all()):
            raise ValueError("its shares do not sum to one, or the network has none")

    # Reading.

    def initial_state(self, batch: int) -> MixtureState:
        """Return the state at the beginning of a unit."""
        if self.beginning is not None:
            return self.beginning.repeat(batch)
        return MixtureState(batch, tuple(part.initial_state(batch) for part in self.parts))

    def read(self, words: np.ndarray, state: MixtureState) -> MixtureState:
        """Return the state after reading `words` (T, B)."""
        for chunk in passes(len(words)):
            _, state = self._advance_parts(words[chunk], state)
        return state

    def advance(self, words: np.ndarray, state: MixtureState) -> tuple[MixtureContext, MixtureState]:
        """Return what is known before each of the `words` (T, B), and the state after them.

        T should be some hundreds at most: see `Cache.advance`.
        """
        contexts, after = self._advance_parts(words, state)
        return self._with_weights(contexts, words.shape), after

    def context(self, state: MixtureState) -> MixtureContext:
        """Return what is known after the last word that was read (T = 1)."""
        contexts: dict[str, Any] = {}
        for part, own in zip(self.parts, state.states, strict=True):
            contexts[part.name] = part.context(own, contexts)
        return self._with_weights(contexts, (1, state.batch))

    def context_after(self, words: np.ndarray, lengths: np.ndarray, state: MixtureState) -> MixtureContext:
        """Return what is known (T = 1) after the first `lengths` (B,) of the `words` (T, B) of each sequence.

        Sequences of similar lengths take the least time and memory.
        """
        common = int(lengths.min())
        if common:
            state = self.read(words[:common], state)
        if common == lengths.max():
            return self.context(state)
        # `advance` gives the contexts before words: a dummy word at the end gives the last one.
        rest = np.concatenate([words[common:], words[:1]])
        context, _ = self.advance(rest, state)
        return context.pick(lengths - common)

    def _advance_parts(self, words: np.ndarray, state: MixtureState) -> tuple[dict[str, Any], MixtureState]:
        contexts: dict[str, Any] = {}
        after = []
        for part, own in zip(self.parts, state.states, strict=True):
            contexts[part.name], last = part.advance(words, own, contexts)
            after.append(last)
        return contexts, MixtureState(state.batch, tuple(after))

    def _with_weights(self, contexts: dict[str, Any], shape: tuple[int, ...]) -> MixtureContext:
        group: Any = 0
        for part in self.parts:
            group = group * part.groups + part.group(contexts[part.name])
        groups = np.broadcast_to(group, shape)
        weights = np.moveaxis(self.weights[groups], -1, 0)
        masses = (part.mass(contexts[part.name]) for part in self.parts)
        weights = weights / sum(weight * mass for weight, mass in zip(weights, masses, strict=True))
        return MixtureContext(contexts, groups, weights)

    # Predicting.

    def distribution(self, context: MixtureContext) -> np.ndarray:
        """Return the probabilities (T, B, V) of all words. None is zero, so that all have logarithms."""
        (first, weight), *others = self._parts_and_weights(context)
        p = first.weighted(context.contexts[first.name], weight, self.vocabulary_size)
        for part, weight in others:
            part.add_to(p, context.contexts[part.name], weight)
        np.maximum(p, np.finfo(DTYPE).tiny, out=p)
        return p

    def contributions(self, context: MixtureContext) -> np.ndarray:
        """Return what each part adds to the probabilities of all words, (parts, T, B, V): their sum is the whole."""
        parts = self._parts_and_weights(context)
        size = self.vocabulary_size
        added = np.stack([part.weighted(context.contexts[part.name], weight, size) for part, weight in parts])
        added[added <= np.finfo(DTYPE).tiny] = 0
        return added

    def probabilities(
        self, words: np.ndarray, context: MixtureContext, prefixes: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the probability that each part alone gives each of the `words` (T, B): (parts, T, B).

        About `prefixes` (T, B) see `Part.probability`.
        """
        return np.stack([part.probability(words, context.contexts[part.name], prefixes) for part in self.parts])

    def examine(self, words: np.ndarray, context: MixtureContext) -> tuple[np.ndarray, np.ndarray]:
        """Return the `distribution` in each place of the `words` (T, B), and their `probabilities`."""
        (first, weight), *others = self._parts_and_weights(context)
        p = first.weighted(context.contexts[first.name], weight, self.vocabulary_size)
        own = np.take_along_axis(p, words[..., None], axis=2)[..., 0]
        probabilities = [np.maximum(own, np.finfo(DTYPE).tiny) / weight]
        probabilities += [part.examine(p, context.contexts[part.name], weight, words) for part, weight in others]
        np.maximum(p, np.finfo(DTYPE).tiny, out=p)
        return p, np.stack(probabilities)

    def score(
        self, words: np.ndarray, state: MixtureState, prefixes: np.ndarray | None = None
    ) -> tuple[np.ndarray, MixtureState]:
        """Return minus the log-probability (T, B) of each of the `words`, and the state after them.

        About `prefixes` (T, B) see `Part.probability`.
        """
        nll = np.empty(words.shape)
        for chunk in passes(len(words)):
            own = words[chunk]
            context, state = self.advance(own, state)
            p = self.probabilities(own, context, None if prefixes is None else prefixes[chunk])
            nll[chunk] = -np.log(np.maximum(np.sum(context.weights * p, axis=0), np.finfo(float).tiny))
        return nll, state

    def _parts_and_weights(self, context: MixtureContext) -> Iterator[tuple[Part, np.ndarray]]:
        return zip(self.parts, context.weights.astype(DTYPE), strict=True)


def passes(steps: int) -> Iterator[slice]:
    """Yield ranges of steps that are read at a time."""
    return (slice(start, start + WORDS_PER_PASS) for start in range(0, steps, WORDS_PER_PASS))
