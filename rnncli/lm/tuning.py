"""Tuning a mixture: which shares, and which sharpness of the cache, foresee held-out text best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import cache as caches
from .cache import Cache
from .mixture import STEPS, Mixture
from .network import Network
from .ngram import NGram

if TYPE_CHECKING:
    from ..threads import Map

SHARPNESSES = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 25.0)  # of the cache, to choose from
USUAL_SHARPNESS = 10.0
LEAD = 3.0  # nats that another one must gain on the whole text, lest it is chosen by chance
ROUNDS = 40  # of expectation-maximisation
PRIOR = 50.0  # words: what is known before any is worth as many
LEAST = 1e-3  # of the network, which alone gives every word a chance that fits its context


def tune(
    network: Network, ngram: NGram | None, cache_size: int, words: np.ndarray, side_by_side: Map = map
) -> tuple[Mixture, float, float]:
    """Join the parts with the shares, and the cache's sharpness, that foresee a held-out text best.

    Returns the mixture, its mean loss in nats on that text, and that of the network alone. `words` (L, B) are B streams
    of the text; `side_by_side` is `map`, or what does the same on several threads.
    """
    candidates = [Cache(cache_size, sharpness) for sharpness in SHARPNESSES] if cache_size else []
    beside = Mixture(network, ngram)  # what is beside the cache
    known = Mixture(network, ngram, *candidates[:1])

    def evidence(stream: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each part, and each candidate for the cache, gives the words of a stream; what it gives all words in
        sum; and how many words of the context the n-grams know.
        """
        p, sums, lengths, state = [], [], [], known.start(1)
        for start in range(0, len(words), STEPS):
            part = words[start : start + STEPS, stream : stream + 1]
            view, after = beside.view(part, state)
            given = [*beside.chances(part, view)]
            given_in_all = [np.ones(part.shape) for _ in given]
            if candidates:
                keys = caches.keys_of(view.features)
                likeness, seen = candidates[0].likeness(keys, part, state.cache)
                for cache in candidates:
                    glance = cache.glance(likeness, seen)
                    given.append(caches.probability(part, glance))
                    given_in_all.append(glance.total)
                after = after._replace(cache=candidates[0].read(keys, part, state.cache))
            p.append(np.stack(given)[:, :, 0])
            sums.append(np.stack(given_in_all)[:, :, 0])
            lengths.append(view.lengths[:, 0])
            state = after
        return np.concatenate(p, axis=1), np.concatenate(sums, axis=1), np.concatenate(lengths)

    streams = list(side_by_side(evidence, range(words.shape[1])))
    p, sums, lengths = (np.concatenate(arrays, axis=-1) for arrays in zip(*streams, strict=True))
    others = len(beside.parts)
    best, least, loss_of_best = known, np.inf, np.inf
    for number, cache in enumerate(candidates or [None]):
        rows = [*range(others)] if cache is None else [*range(others), others + number]
        shares = fit_shares(p[rows], lengths, known.shares, sums[rows])
        weights = shares[lengths].T
        whole = np.sum(weights * p[rows], axis=0) / np.sum(weights * sums[rows], axis=0)
        loss = float(-np.log(np.maximum(whole, np.finfo(float).tiny)).mean())
        handicap = LEAD / words.size if cache and cache.sharpness != USUAL_SHARPNESS else 0.0
        if loss + handicap < least:
            best, least, loss_of_best = Mixture(network, ngram, cache, shares), loss + handicap, loss
    with np.errstate(divide="ignore"):
        return best, loss_of_best, float(-np.log(p[0]).mean())


def fit_shares(p: np.ndarray, groups: np.ndarray, usual: np.ndarray, sums: np.ndarray | None = None) -> np.ndarray:
    """The shares (groups, parts) with which the probabilities `p` (parts, N) that parts give some words do best.

    Each word is in one of the `groups` (N,), which have shares of their own; those of a group of few words stay near to
    the shares of all, and where there are few words in all, near to the `usual` ones (groups, parts), the same for each
    group. The first part keeps some share always. Where a part's probabilities of all words have other `sums` (parts,
    N) than one, what they come to in the mixture is made to sum to one.
    """
    sums = np.ones(p.shape) if sums is None else sums
    common = _maximised(p, sums, np.zeros_like(groups), usual[:1])
    return _maximised(p, sums, groups, np.repeat(common, len(usual), axis=0))


def _maximised(p: np.ndarray, sums: np.ndarray, groups: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Shares (groups, parts) after some rounds of expectation-maximisation, held near to where they `begin`."""
    shares = begin
    for _ in range(ROUNDS):
        earned, paid = (_credit(shares, given, groups) for given in (p, sums))
        # Where all sums are one, this is what a part has earned, over the number of words.
        shares = shares * (earned + PRIOR * begin) / (paid + PRIOR * shares)
        shares[:, 0] = np.maximum(shares[:, 0], LEAST * shares.sum(axis=1))
        shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _credit(shares: np.ndarray, given: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """How much of what is `given` (parts, N) to the words of each group, each word's as one, is each part's."""
    credit = shares[groups].T * given
    credit /= np.maximum(credit.sum(axis=0), np.finfo(float).tiny)
    return np.stack([np.bincount(groups, part, len(shares)) for part in credit], axis=1)
