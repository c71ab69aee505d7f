"""The n-gram model: interpolated Kneser-Ney smoothing with modified discounts (Chen and Goodman 1998).

How likely a word is after the last n - 1 words is estimated from how often it stood there, less a discount; what the
discounts leave goes to the estimate after n - 2 words, and so on down to an even chance for every word. The estimates
of lower order count in how many different places a word stood, not how often (Kneser and Ney 1995).

N-grams do not reach over the end of a unit: its `<eos>` is the first word of the next one's contexts, as `<s>` is in
other programs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError
from ..text.vocabulary import EOS_ID, UNK_ID

State = np.ndarray  # (B, order): for each length the number of the n-gram of that length just read; -1: an unseen one
NONE = -1
LONGEST = 20  # words of an n-gram
DAMAGED = "the model's n-grams make no sense: its file is damaged"


@dataclass(frozen=True)
class Level:
    """The n-grams of one length, n > 1: a context, which is an n-gram one shorter, and a word.

    Those of context k are numbered from `starts[k]` to `starts[k + 1]`, in the order of their words.
    """

    words: np.ndarray  # of each n-gram the last one
    counts: np.ndarray  # of each n-gram, and in lower orders the number of different words before it
    starts: np.ndarray  # of each context, and the end
    rest: np.ndarray  # of each context the counts of its n-grams that were left out, and 0 for no context
    discounts: np.ndarray  # (4,), by count, the last one for all larger counts

    def _bounds(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the n-grams of each of the `contexts` begin and end."""
        starts = self.starts[contexts].astype(np.int64)
        ends = np.where(contexts == NONE, starts, self.starts[contexts + 1])
        if (ends < starts).any() or ends.max(initial=0) > len(self.words):
            raise ModelError(DAMAGED)
        return starts, ends

    def find(self, contexts: np.ndarray, words: np.ndarray) -> np.ndarray:
        """The number of the n-gram of each of the `contexts` and `words`, of one shape; -1 where there is none."""
        starts, ends = self._bounds(contexts)
        last = starts - 1  # of the n-grams before the one that is looked for
        for power in reversed(range(int((ends - starts).max(initial=0)).bit_length())):  # a binary search, all at once
            probe = last + 2**power
            np.copyto(last, probe, where=(probe < ends) & (self.words.take(probe, mode="clip") < words))
        found = last + 1
        there = found < ends
        there[there] = self.words[found[there]] == words[there]
        return np.where(there, found, NONE)

    def given(self, numbers: np.ndarray, total: np.ndarray) -> np.ndarray:
        """What its count gives to the last word of each n-gram (N,), whose context's counts have a `total` (N,)."""
        seen = numbers != NONE
        counts = self.counts[numbers[seen]]
        p = np.zeros(len(numbers))
        p[seen] = (counts - self.discounts.take(counts, mode="clip")) / total[seen]
        return p

    def expand(self, contexts: np.ndarray) -> "Expansion":
        """All n-grams of the `contexts` (K,)."""
        starts, ends = self._bounds(contexts)
        sizes = ends - starts
        filled = np.flatnonzero(sizes)
        sizes = sizes[filled]
        begins = np.cumsum(sizes) - sizes  # of each context that is not empty, in what follows
        owners = np.repeat(filled, sizes)
        numbers = np.repeat(starts[filled] - begins, sizes)
        numbers += np.arange(len(numbers))
        counts = self.counts[numbers]
        total, left = np.ones(len(contexts)), np.ones(len(contexts))
        discounted = counts - self.discounts.take(counts, mode="clip")
        if len(filled):
            total[filled] = np.add.reduceat(counts, begins, dtype=np.int64) + self.rest[contexts[filled]]
            if not total.all():
                raise ModelError(DAMAGED)
            left[filled] -= np.add.reduceat(discounted, begins) / total[filled]
        return Expansion(owners, self.words[numbers], discounted, total, left)


class Expansion(NamedTuple):
    """The n-grams of K contexts, M in all, in the order of the contexts and, in each, of the words."""

    owners: np.ndarray  # (M,), the place of each one's context among the contexts
    words: np.ndarray  # (M,), the last word of each
    discounted: np.ndarray  # (M,), the count of each, less the discount
    total: np.ndarray  # (K,), the counts of each context
    left: np.ndarray  # (K,), what is left to the lower order in each context


class NGram:
    """A Kneser-Ney model of some order (see `rnncli.lm` for the interface that all models share)."""

    def __init__(self, unigrams: np.ndarray, levels: list[Level]):
        """With the probabilities (V,) of words after no word at all, and the n-grams from length 2 on."""
        self.unigrams, self.levels = unigrams, levels
        self._kept: dict[np.dtype, dict[int, tuple]] = {}  # see `_bigrams`

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.levels) + 1

    # Reading.

    def start(self, batch: int) -> State:
        """The state at the beginning of a unit."""
        state = np.full((batch, self.order), NONE)
        state[:, 0] = EOS_ID
        return state

    def read(self, words: np.ndarray, state: State) -> State:
        """The state after reading `words` (T, B) from `state` on."""
        return self.follow(words, state)[2]

    def log_prob(self, state: State) -> np.ndarray:
        """The log-probability (B, V) of every word to come next."""
        p = np.zeros((len(state), len(self.unigrams)))
        self.add_to(p, state, np.ones(len(state)))
        return np.log(p)

    def score(self, words: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Minus the log-probability (T, B) of each of the `words`, given `state` and the words before it."""
        before, ngrams, after = self.follow(words, state)
        p = self.probability(ngrams.reshape(-1, self.order), before.reshape(-1, self.order))
        return -np.log(p).reshape(words.shape), after

    # What a mixture builds on.

    def follow(self, words: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray, State]:
        """The states before each of the `words` (T, B), the n-grams that end in it, and the state after them all.

        The states (T, B, order) are the contexts. The n-grams (T, B, order) are numbers too, by length; -1: unseen.
        """
        states = np.full((len(words) + 1, *state.shape), NONE)
        states[0] = state
        states[1:, :, 0] = words
        ngrams = states[1:].copy()
        for n, level in enumerate(self.levels, 1):
            # All steps at once: what n words before the last one were, is known by now.
            ngrams[..., n] = level.find(states[:-1, :, n - 1], words)
            states[1:, :, n] = np.where(words == EOS_ID, NONE, ngrams[..., n])
        return states[:-1], ngrams, states[-1]

    def matched(self, state: State) -> np.ndarray:
        """How many words (...) of the contexts (..., order) were seen before, followed by something."""
        length = np.zeros(state.shape[:-1], np.int64)
        for n, level in enumerate(self.levels, 1):
            context = state[..., n - 1]
            length[level.starts[context] < level.starts[context + 1]] = n  # NONE is the last place, and then the first
        return length

    def probability(self, ngrams: np.ndarray, state: State) -> np.ndarray:
        """The probability (N,) of one word after each of the contexts (N, order), by the `ngrams` that end in it."""
        p = self.unigrams[ngrams[:, 0]]
        for n, level in enumerate(self.levels):
            contexts, places = np.unique(state[:, n], return_inverse=True)
            expansion = self._expanded(level, contexts)
            p *= expansion.left[places]
            p += level.given(ngrams[:, n + 1], expansion.total[places])
        return p

    def add_to(
        self, p: np.ndarray, state: State, share: np.ndarray, ngrams: np.ndarray | None = None
    ) -> np.ndarray | None:
        """Add to `p` (N, V) the distributions after the contexts (N, order), each times its `share` (N,).

        Returns, as `probability`, that of one word after each, if the `ngrams` that end in it are given.
        """
        left, found = np.ones(len(p)), np.zeros(len(p))
        for n, level in reversed(list(enumerate(self.levels))):
            if n:
                owners, words, discounted, total, passed_on = self._expanded(level, state[:, n])
                chances = (discounted * (share * left / total)[owners]).astype(p.dtype)
                np.add.at(p.reshape(-1), owners * p.shape[1] + words, chances)
            else:
                bigrams, total, passed_on = self._bigrams(state[:, n], p.dtype)
                weights = (share * left / total).astype(p.dtype)
                for row, (words, discounted), weight in zip(p, bigrams, weights, strict=True):
                    np.add.at(row, words, discounted * weight)
            if ngrams is not None:
                found += left * level.given(ngrams[:, n + 1], total)
            left *= passed_on
        unigrams = self.unigrams.astype(p.dtype)
        for row, weight in zip(p, (share * left).astype(p.dtype), strict=True):  # one at a time stays in the cache
            row += weight * unigrams
        return None if ngrams is None else found + left * self.unigrams[ngrams[:, 0]]

    def _bigrams(self, contexts: np.ndarray, dtype: np.dtype) -> tuple[list[Any], np.ndarray, np.ndarray]:
        """The bigrams after each of the `contexts` (N,): words and discounted counts; the totals, and what is left.

        See `Expansion`. They are kept, as a few words are the contexts of most places: in the end all, some 12 bytes
        for each. Threads may share them: what one adds is whole, and another would add the same.
        """
        kept = self._kept.setdefault(dtype, {})
        new = [context for context in set(contexts.tolist()) if context not in kept]
        if new:
            owners, words, discounted, total, left = self._expanded(self.levels[0], np.array(new))
            ends = np.searchsorted(owners, np.arange(1, len(new)))
            bigrams = (np.split(numbers, ends) for numbers in (words.astype(np.intp), discounted.astype(dtype)))
            kept.update(zip(new, zip(zip(*bigrams, strict=True), total, left, strict=True), strict=True))
        found, total, left = zip(*(kept[context] for context in contexts.tolist()), strict=True)
        return list(found), np.array(total), np.array(left)

    def _expanded(self, level: Level, contexts: np.ndarray) -> Expansion:
        expansion = level.expand(contexts)
        if expansion.words.max(initial=0) >= len(self.unigrams):
            raise ModelError(DAMAGED)
        return expansion


def count(ids: np.ndarray, vocabulary_size: int, order: int = 5, prune: bool = False) -> NGram:
    """The n-gram model of a text (N,), each unit of which ends in `<eos>`.

    `prune` leaves out n-grams of three words and more that occurred once, which most of those of a large text did.
    """
    V, levels, kept = vocabulary_size, [], np.ones(vocabulary_size, bool)  # whether the n-grams one shorter are left
    found = _found(ids.astype(np.int64), V, order)
    _, _, unigrams = next(found)
    if not unigrams[UNK_ID]:  # a new word is as likely as those that stood after one only are together (Good 1953)
        unigrams[UNK_ID] = np.count_nonzero(unigrams == 1)
    for keys, occurrences, counts in found:
        contexts, words = np.divmod(keys, V)
        known, size = kept[contexts], np.count_nonzero(kept)  # whether the context is left, and how many are
        contexts = (np.cumsum(kept) - 1)[contexts]  # by their numbers among those that are left
        kept = occurrences >= (2 if prune and levels else 1)
        levels.append(
            Level(
                words=_small(words[kept]),
                counts=_small(counts[kept]),
                starts=_small(np.searchsorted(contexts[kept], np.arange(size + 1))),
                rest=_small(np.bincount(contexts[known & ~kept], counts[known & ~kept], size + 1).astype(np.int64)),
                discounts=discounts(counts),
            )
        )
    return NGram(_unigrams(unigrams), levels)


def _found(ids: np.ndarray, V: int, order: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each length the n-grams of a text in order, as context * V + word; how often they occurred; what they count.

    Those of less than the full length count in how many places they stood, but for those that no word can stand before.
    """
    before, reach = np.concatenate([[EOS_ID], ids])[:-1], words_back(ids)
    keys, occurrences = np.arange(V), np.bincount(ids, minlength=V)
    ends = ids  # of each place the number of the n-gram that ends there
    for n in range(2, order + 1):
        contexts = before if n == 2 else np.concatenate([[NONE], ends[:-1]])
        inside = np.flatnonzero(reach >= n - 1)
        longer, first, numbers, times = np.unique(
            contexts[inside] * V + ids[inside], return_index=True, return_inverse=True, return_counts=True
        )
        varieties = np.bincount(ends[inside[first]], minlength=len(keys))
        yield keys, occurrences, np.where(varieties, varieties, occurrences)
        keys, occurrences, ends = longer, times, np.full(len(ids), NONE)
        ends[inside] = numbers
    yield keys, occurrences, occurrences


def words_back(ids: np.ndarray) -> np.ndarray:
    """How many words (N,) of a text (N,) stand before each in its unit, with the `<eos>` that the unit begins after."""
    places = np.arange(len(ids))
    begins = np.concatenate([[True], ids == EOS_ID])[:-1]
    return 1 + places - np.maximum.accumulate(np.where(begins, places, 0))


def discounts(counts: np.ndarray) -> np.ndarray:
    """What to take off from a count of 0, 1, 2, and 3 or more: (4,), by how many n-grams have which of the `counts`.

    A text too small to tell is given half the count, as far as one and a half; and from every count something is
    taken, so that something is left to unseen words.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[:5]
    if not n[1:].all():
        return np.array([0.0, 0.5, 1.0, 1.5])
    one, k = n[1] / (n[1] + 2 * n[2]), np.arange(1, 4)
    return np.concatenate([[0.0], np.clip(k - (k + 1) * one * n[2:] / n[1:4], 0.1, k)])


def _unigrams(counts: np.ndarray) -> np.ndarray:
    """The probabilities (V,) of words after nothing: what the discounts leave is shared out evenly."""
    p = np.maximum(counts - discounts(counts)[np.minimum(counts, 3)], 0) / counts.sum()
    return p + (1 - p.sum()) / len(p)


def _small(numbers: np.ndarray) -> np.ndarray:
    """The numbers in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)))
