"""Pruning an n-gram model by what its n-grams are worth."""

import numpy as np
import pytest

from rnncli.lm.mixture import Mixture
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_pruning import _occurrences, ngram_count, pruned
from rnncli.text.vocabulary import EOS_ID

V = 12


@pytest.fixture
def text(rng):
    """A chain in which a word mostly depends on the two before it."""
    likely = rng.integers(2, V, (V, V))
    words = [EOS_ID, 2]
    for _ in range(1500):
        words.append(int(likely[words[-2], words[-1]] if rng.random() < 0.6 else rng.integers(0, V)))
    return np.array([*words[1:], EOS_ID])


def distributions(ngram: NGram, text: np.ndarray) -> np.ndarray:
    mixture = Mixture([ngram], V)
    context, _ = mixture.advance(text[:, None], mixture.initial_state(1))
    return mixture.distribution(context)[:, 0]


def loss(ngram: NGram, text: np.ndarray) -> float:
    p = distributions(ngram, text)
    return float(-np.log(p[np.arange(len(text)), text]).mean())


def all_ngrams(ngram: NGram) -> set[tuple[int, ...]]:
    """Every n-gram as the tuple of its words."""
    found = []
    before = [(word,) for word in range(V)]
    for level in ngram.levels:
        own = []
        for context, (start, end) in zip(before, zip(level.starts, level.starts[1:], strict=False), strict=True):
            own += [(*context, int(word)) for word in level.words[start:end]]
        found += own
        before = own
    return set(found)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("is_pruned_before", [False, True])
def test_a_pruned_model_keeps_as_many_as_it_is_told_and_is_sound(order, is_pruned_before, text):
    whole = NGram.count(text, V, order, prune=is_pruned_before)
    for fraction in (0, 0.1, 0.5, 0.9):
        most = int(fraction * ngram_count(whole))
        model = pruned(whole, most)
        assert ngram_count(model) == most
        assert all_ngrams(model) <= all_ngrams(whole)
        assert all(len(ngram) == 2 or ngram[:-1] in all_ngrams(model) for ngram in all_ngrams(model))
        np.testing.assert_allclose(distributions(model, text).sum(axis=1), 1, rtol=1e-5)
        for n, level in enumerate(model.levels, 2):
            contexts = V if n == 2 else len(model.levels[n - 3].words)
            assert len(level.starts) == len(level.pruned_counts) == contexts + 1
            assert (level.starts.dtype.kind, level.pruned_counts.dtype.kind) == ("u", "u")


def test_a_model_that_is_small_enough_stays_as_it_is(text):
    whole = NGram.count(text, V, 3)
    assert pruned(whole, ngram_count(whole)) is whole


def test_the_cost_is_that_of_leaving_one_ngram_out(text, monkeypatch):
    """Which n-gram goes first is compared with what its loss costs, over all contexts of the model's own text."""
    whole = NGram.count(text, V, 2)
    model = pruned(whole, ngram_count(whole) - 1)
    (gone,) = all_ngrams(whole) - all_ngrams(model)
    p = {word: distributions(whole, np.array([word, EOS_ID]))[1] for word in range(V)}

    def divergence(first: int, word: int) -> float:
        """What the relative entropy would be, by the formulas."""
        level = whole.levels[0]
        start, end = level.starts[first : first + 2]
        counts = dict(zip(level.words[start:end].tolist(), level.counts[start:end].tolist(), strict=True))
        total = sum(counts.values())
        own = {w: (count - level.discounts[min(count, 3)]) / total for w, count in counts.items() if w != word}
        backoff = 1 - sum(own.values())
        q = np.array([own.get(w, 0) + backoff * whole.unigrams[w] for w in range(V)])
        return float(np.mean(text == first) * np.sum(p[first] * np.log(p[first] / q)))

    found = {ngram: divergence(*ngram) for ngram in all_ngrams(whole)}
    assert found[gone] <= np.quantile(list(found.values()), 0.03)


def test_pruning_by_cost_is_better_than_by_count(text):
    whole = NGram.count(text, V, 4)
    by_count = NGram.count(text, V, 4, prune=True)
    by_cost = pruned(whole, ngram_count(by_count))
    assert loss(whole, text) < loss(by_cost, text) < loss(by_count, text)


def test_progress_is_told_to_the_end(text):
    told = []
    whole = NGram.count(text, V, 3)
    pruned(whole, 10, told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_pruned_model_can_be_pruned_further(text):
    whole = NGram.count(text, V, 4)
    twice = pruned(pruned(whole, ngram_count(whole) // 2), ngram_count(whole) // 4)
    assert ngram_count(twice) == ngram_count(whole) // 4
    np.testing.assert_allclose(distributions(twice, text).sum(axis=1), 1, rtol=1e-5)


def test_what_begins_a_unit_counts_by_how_often_it_does(rng):
    """All units end alike, so few words stand before an end: by these, the beginnings would be worth little."""
    firsts = np.where(rng.random(600) < 0.8, 3, rng.integers(3, V, 600))
    units = [[first, *rng.integers(3, V, rng.integers(2, 6)), 2, EOS_ID] for first in firsts]
    whole = NGram.count(np.concatenate(units), V, 2)
    assert all_ngrams(pruned(whole, 2)) == {(EOS_ID, 3), (2, EOS_ID)}


@pytest.mark.parametrize("is_pruned", [False, True])
def test_contexts_are_counted_by_their_occurrences(text, is_pruned):
    whole = NGram.count(text, V, 4, prune=is_pruned)
    of_words, of_pairs, _ = _occurrences(whole)
    np.testing.assert_allclose(of_words, np.bincount(text[:-1], minlength=V) + (np.arange(V) == EOS_ID), atol=3)
    pairs = [pair for pair in sorted(all_ngrams(whole)) if len(pair) == 2]
    for pair, found in zip(pairs, of_pairs, strict=True):
        if pair[1] != EOS_ID:  # nothing is predicted from before the beginning of a unit
            assert found == pytest.approx(np.sum((text[:-1] == pair[0]) & (text[1:] == pair[1])), abs=1)
