import numpy as np
import pytest

from rnncli.lm import ngram
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture

T, B, V = 6, 3, 7


@pytest.fixture
def words(rng):
    return rng.integers(0, V, (T, B))


PARTS = {
    "network": (False, False),
    "network, ngram": (True, False),
    "network, cache": (False, True),
    "network, ngram, cache": (True, True),
}


@pytest.fixture(params=PARTS.values(), ids=PARTS)
def mixture(request, network, text, rng):
    with_ngram, with_cache = request.param
    model = ngram.count(text, V, 3) if with_ngram else None
    parts = 1 + with_ngram + with_cache
    shares = rng.dirichlet(np.ones(parts), 3 if with_ngram else 1)
    return Mixture(network, model, Cache(4, 0.5) if with_cache else None, shares)


def test_scores_and_examinations_equal_reading_word_by_word(mixture, words):
    state = mixture.start(B)
    nll, end = mixture.score(words, state)
    p, parts, same_end = mixture.examine(words, state)
    np.testing.assert_allclose(parts, mixture.score_parts(words, state)[0], rtol=1e-4, atol=1e-30)
    for t in range(T):
        step = mixture.log_prob(state)
        assert step.shape == (B, V)
        np.testing.assert_allclose(np.exp(step).sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(np.log(p[t]), step, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(nll[t], -step[np.arange(B), words[t]], rtol=1e-4, atol=1e-5)
        state = mixture.read(words[t : t + 1], state)
    for other in (end, same_end):
        np.testing.assert_allclose(mixture.log_prob(other), mixture.log_prob(state), rtol=1e-4, atol=1e-5)


def test_a_batch_equals_its_streams_one_at_a_time(mixture, words):
    together, _ = mixture.score(words, mixture.start(B))
    alone = [mixture.score(words[:, [b]], mixture.start(1))[0] for b in range(B)]
    np.testing.assert_allclose(together, np.concatenate(alone, axis=1), rtol=1e-4, atol=1e-5)


def test_a_long_text_is_scored_in_parts(mixture, rng, monkeypatch):
    long = rng.integers(0, V, (50, 1))
    whole, _ = mixture.score(long, mixture.start(1))
    monkeypatch.setattr("rnncli.lm.mixture.STEPS", 7)
    parts, _ = mixture.score(long, mixture.start(1))
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-5)


def test_a_state_is_a_value(mixture, words):
    state = mixture.read(words, mixture.start(B))
    before = mixture.log_prob(state)
    mixture.read(words[:2], state)
    mixture.score(words, state)
    np.testing.assert_array_equal(mixture.log_prob(state), before)


def test_the_mixture_is_the_sum_of_its_parts_by_their_shares(mixture, words):
    state = mixture.read(words, mixture.start(B))
    view = mixture.here(state)
    parts = mixture.parts_at(view)
    assert parts.shape == (len(mixture.parts), B, V)
    given = view.shares[:, 0].copy()
    if view.glance:  # which sums to less than one
        given[-1] *= view.glance.total[0]
    np.testing.assert_allclose(parts.sum(axis=2), given, rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(given.sum(axis=0), 1)
    np.testing.assert_allclose(np.exp(mixture.log_prob(state)), parts.sum(axis=0), rtol=1e-4)


def test_the_parts_of_a_score_are_what_each_part_gives_the_word(mixture, words):
    state = mixture.read(words[:3], mixture.start(B))
    p, shares, _ = mixture.score_parts(words[3:4], state)
    parts = mixture.parts_at(mixture.here(state))
    np.testing.assert_allclose((shares * p)[:, 0], parts[:, np.arange(B), words[3]], rtol=1e-4, atol=1e-30)


@pytest.mark.parametrize("lengths", [[6, 6, 6], [1, 6, 3], [2, 2, 3], [0, 4, 1], [0, 0, 0]])
def test_streams_are_read_as_far_as_each_goes(mixture, words, lengths):
    p = mixture.prob_at(mixture.after(words, np.array(lengths), mixture.start(B)))
    for stream, length in enumerate(lengths):
        state = mixture.start(1)
        if length:
            state = mixture.read(words[:length, stream : stream + 1], state)
        np.testing.assert_allclose(p[stream], mixture.prob(state)[0], rtol=1e-4)


def test_an_empty_cache_leaves_its_share_to_the_others(network, text):
    shares = np.array([[0.2, 0.3, 0.5]] * 3)
    mixture = Mixture(network, ngram.count(text, V, 3), Cache(4, 0.5), shares)
    state = mixture.start(1)
    view = mixture.here(state)
    np.testing.assert_allclose(view.shares[:2, 0, 0], [0.4, 0.6])
    np.testing.assert_array_equal(mixture.parts_at(view)[2], 0)
    np.testing.assert_allclose(np.exp(mixture.log_prob(state)).sum(), 1, rtol=1e-5)
