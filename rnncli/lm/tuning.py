"""Tunes a mixture on held-out text: the weights, and which variant of each part to take."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..nn.threads import on_all_cores
from ..text.batches import excerpts
from .interface import Part
from .mixture import WORDS_PER_PASS, Mixture, passes

MAX_TUNING_WORDS = 100_000
MAX_TUNING_TEXTS = 8  # pieces of a held-out text, which are read side by side
CACHE_FILLS_PER_TEXT = 0.5  # the least length of a piece, in sizes of the largest cache
MIN_GAIN = 3.0  # nats that an unusual variant must gain on the whole text, so that chance does not choose it
EM_ROUNDS = 40  # of expectation-maximisation
CHOOSING_ROUNDS = 8  # of the same, to compare variants
PRIOR_WORDS = 50.0  # how many words of evidence the prior weights count as

Map = Callable[..., Any]


@dataclass(frozen=True)
class Tuned:
    """A tuned mixture."""

    mixture: Mixture
    word_losses: np.ndarray  # (N,), in nats, of the words of the held-out texts
    losses: dict[str, float]  # of each part alone, on the mean

    @property
    def loss(self) -> float:
        """The mean loss, in nats; infinite where the network has diverged."""
        return float(self.word_losses.mean())


@dataclass(frozen=True)
class Evidence:
    """What the variants of all parts say of the N words of a text."""

    probabilities: dict[str, list[np.ndarray]]  # by part, of each variant (N,): the probability of each word
    masses: dict[str, list[np.ndarray]]  # by part, of each variant (N,): the sum over all words
    groups: np.ndarray  # (N,)

    def of(self, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities and the masses (parts, N) of one variant of each part."""
        p = [variants[number] for variants, number in zip(self.probabilities.values(), numbers, strict=True)]
        masses = [variants[number] for variants, number in zip(self.masses.values(), numbers, strict=True)]
        return np.stack(p), np.stack(masses)


def tuning_pieces(ids: np.ndarray, words: int, cache_size: int) -> list[np.ndarray]:
    """Take about so many words of a held-out text (N,), in pieces that fill the cache by half at least."""
    shortest = max(WORDS_PER_PASS, int(CACHE_FILLS_PER_TEXT * cache_size))
    return excerpts(ids, words, min(MAX_TUNING_TEXTS, words // shortest))


def tune(
    parts: Sequence[Part],
    vocabulary_size: int,
    texts: Sequence[np.ndarray],
    side_by_side: Map = map,
    *,
    choose: bool = True,
) -> Tuned:
    """Mix parts with the weights, and in the variants, that predict some held-out texts (N,) best.

    Unless variants are to be chosen, the parts stay as they are. Each text is read from the beginning of a unit;
    `side_by_side` is `map`, or what does the same on several threads.
    """
    usual = Mixture(parts, vocabulary_size)
    variants = {part.name: list(part.variants()) if choose else [part] for part in parts}
    evidence = _evidence(usual, variants, texts, side_by_side)
    least = np.array([part.least_weight for part in parts])

    def weighed(numbers: Sequence[int], rounds: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses (N,) of a choice of variants, and the weights that fit it."""
        p, masses = evidence.of(numbers)
        weights = fit_weights(p, evidence.groups, usual.prior_weights(), masses, least, rounds)
        by_word = weights[evidence.groups].T
        mixed = np.sum(by_word * p, axis=0) / np.sum(by_word * masses, axis=0)
        return -np.log(np.maximum(mixed, np.finfo(float).tiny)), weights

    def handicapped(numbers: Sequence[int]) -> float:
        loss = float(weighed(numbers, CHOOSING_ROUNDS)[0].mean())
        loss += MIN_GAIN / len(evidence.groups) * np.count_nonzero(numbers)
        return loss if np.isfinite(loss) else np.inf

    choices = list(itertools.product(*(range(len(candidates)) for candidates in variants.values())))
    best = min(choices, key=handicapped) if len(choices) > 1 else choices[0]
    word_losses, weights = weighed(best, EM_ROUNDS)
    with np.errstate(divide="ignore"):
        losses = dict(zip(variants, (-np.log(evidence.of(best)[0])).mean(axis=1).tolist(), strict=True))
    if not np.isfinite(word_losses).all():  # where the network has diverged on some words, nothing can be tuned
        return Tuned(usual, np.full(1, np.inf), losses)
    chosen = [candidates[number] for candidates, number in zip(variants.values(), best, strict=True)]
    return Tuned(Mixture(chosen, vocabulary_size, weights), word_losses, losses)


class TunedBeside(NamedTuple):
    """The weights (groups, parts) of a mixture to which a part was added, and the words' losses without it and with it.

    The losses (N,) are in nats; there are none if there was no held-out text.
    """

    weights: np.ndarray
    before: np.ndarray
    after: np.ndarray


def tuned_beside(
    mixture: Mixture, part: Part, prior: np.ndarray, weights: np.ndarray, texts: Sequence[np.ndarray]
) -> TunedBeside:
    """Tune the weights of a mixture to which a `part` was added on some held-out texts (N,).

    `weights` (groups, parts) are those of the mixture before. At first, one number for each kind of context that the
    new part tells apart says how much of the weight is its own, from the `prior` (kinds,) on; then all weights are
    tuned, from there.
    """
    place = mixture.parts.index(part)
    kinds = [one.groups for one in mixture.parts]
    by_part = np.array(np.unravel_index(np.arange(int(np.prod(kinds))), kinds))  # (parts, groups)
    own_group = by_part[place]
    others = [number for number in range(len(kinds)) if number != place]
    old_group = np.ravel_multi_index(tuple(by_part[others]), [kinds[number] for number in others])

    def joined(own: np.ndarray) -> np.ndarray:
        fractions = own[own_group][:, None]
        return np.insert(weights[old_group] * (1 - fractions), place, fractions[:, 0], axis=1)

    if not texts:
        return TunedBeside(joined(prior), np.empty(0), np.empty(0))
    evidence = _evidence(mixture, {one.name: [one] for one in mixture.parts}, texts, on_all_cores)
    p, masses = evidence.of([0] * len(kinds))
    old = weights[old_group[evidence.groups]].T
    before = np.sum(old * p[others], axis=0) / np.sum(old * masses[others], axis=0)
    two = np.stack([before, p[place]])
    none = np.zeros(2)
    fitted = _expectation_maximisation(
        two, np.ones(two.shape), own_group[evidence.groups], np.stack([1 - prior, prior], axis=1), none, EM_ROUNDS
    )
    own = fitted[:, 1]
    least = np.array([one.least_weight for one in mixture.parts])
    tuned = _expectation_maximisation(p, masses, evidence.groups, joined(own), least, EM_ROUNDS)
    new = tuned[evidence.groups].T
    after = np.sum(new * p, axis=0) / np.sum(new * masses, axis=0)
    return TunedBeside(tuned, *(-np.log(np.maximum(q, np.finfo(float).tiny)) for q in (before, after)))


def _evidence(
    mixture: Mixture, variants: dict[str, list[Part]], texts: Sequence[np.ndarray], side_by_side: Map
) -> Evidence:
    """Ask all variants about the words of each of the texts."""

    def ask(text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the probabilities and the masses (variants of all parts, N), and the groups (N,)."""
        pieces = []
        state = mixture.initial_state(1)
        for chunk in passes(len(text)):
            own = text[chunk, None]
            context, state = mixture.advance(own, state)
            answers = [
                (variant.probability(own, context.contexts[name]), variant.mass(context.contexts[name]))
                for name, candidates in variants.items()
                for variant in candidates
            ]
            p = np.stack([probability[:, 0] for probability, _ in answers])
            masses = np.stack([np.broadcast_to(mass, own.shape)[:, 0] for _, mass in answers])
            pieces.append((p, masses, context.groups[:, 0]))
        return _joined(pieces)

    answers = list(side_by_side(ask, texts))
    p, masses, groups = _joined(answers)
    ends = np.cumsum([len(candidates) for candidates in variants.values()])[:-1]
    by_part = [
        {name: list(rows) for name, rows in zip(variants, np.split(array, ends), strict=True)} for array in (p, masses)
    ]
    return Evidence(by_part[0], by_part[1], groups)


def _joined(pieces: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join arrays (..., n) of the pieces of a text, each with those of the same place in the other tuples."""
    p, masses, groups = (np.concatenate(arrays, axis=-1) for arrays in zip(*pieces, strict=True))
    return p, masses, groups


def fit_weights(
    p: np.ndarray,
    groups: np.ndarray,
    prior: np.ndarray,
    masses: np.ndarray | None = None,
    least: np.ndarray | None = None,
    rounds: int = EM_ROUNDS,
) -> np.ndarray:
    """Fit the weights (groups, parts) with which the probabilities `p` (parts, N) predict their words best.

    Each word is in one of the `groups` (N,), which have weights of their own; those of a group of few words stay near
    the weights of all words, and of a short text near the `prior` (groups, parts), the same for each group. No part
    gets less than its `least` weight. Where a part's probabilities of all words sum to other `masses` (parts, N) than
    one, the mixture is normalised.
    """
    masses = np.ones(p.shape) if masses is None else masses
    least = np.zeros(len(p)) if least is None else least
    common = _expectation_maximisation(p, masses, np.zeros_like(groups), prior[:1], least, rounds)
    return _expectation_maximisation(p, masses, groups, np.repeat(common, len(prior), axis=0), least, rounds)


def _expectation_maximisation(
    p: np.ndarray, masses: np.ndarray, groups: np.ndarray, prior: np.ndarray, least: np.ndarray, rounds: int
) -> np.ndarray:
    """Return the weights (groups, parts) after rounds of expectation-maximisation that begin at the `prior`."""
    weights = prior
    for _ in range(rounds):
        expected_counts = _responsibilities(weights, p, groups)
        expected_masses = _responsibilities(weights, masses, groups)
        # Where all masses are one, this is what a part has earned, over the number of words.
        weights = weights * (expected_counts + PRIOR_WORDS * prior) / (expected_masses + PRIOR_WORDS * weights)
        weights = np.maximum(weights, least * weights.sum(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _responsibilities(weights: np.ndarray, amounts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Divide each word's weighted `amounts` (parts, N) among the parts, as one, and sum by group: (groups, parts)."""
    credit = weights[groups].T * amounts
    credit /= np.maximum(credit.sum(axis=0), np.finfo(float).tiny)
    return np.stack([np.bincount(groups, part, len(weights)) for part in credit], axis=1)
