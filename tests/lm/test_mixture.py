import numpy as np
import pytest

from rnncli.lm import ngram
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture, fit_shares, tune
from rnncli.lm.network import Config, Network
from rnncli.threads import Threads

T, B, V = 6, 3, 7


@pytest.fixture
def network(rng):
    config = Config(V, embedding_size=5, hidden_size=4)
    return Network(config, {name: rng.normal(size=size).astype(np.float32) for name, size in config.shapes().items()})


@pytest.fixture
def text(rng):
    """Words that mostly go on by one."""
    return np.cumsum(rng.random(600) < 0.8) % V


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
    np.testing.assert_allclose(parts.sum(axis=2), view.shares[:, 0], rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(view.shares.sum(axis=0), 1)
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
    np.testing.assert_allclose(mixture.here(state).shares[:, 0, 0], [0.4, 0.6, 0])
    np.testing.assert_allclose(np.exp(mixture.log_prob(state)).sum(), 1, rtol=1e-5)


def test_tuned_shares_find_the_part_that_knows_the_text(network, text):
    held_out = np.stack(np.split(np.cumsum(np.ones(400, int)) % V, 4), axis=1)
    model = ngram.count(text, V, 3)
    tuned, *_ = tune(network, model, 50, held_out)
    losses = [m.score(held_out, m.start(4))[0].mean() for m in (tuned, Mixture(network, model, Cache(50, 0.5)))]
    assert losses[0] < losses[1]
    assert tuned.shares.shape == (3, 3)
    np.testing.assert_allclose(tuned.shares.sum(axis=1), 1)
    assert tuned.shares[2, 1] > 0.5
    same, *_ = tune(network, model, 50, held_out, Threads(2).map)
    np.testing.assert_array_equal(same.shares, tuned.shares)


def test_tuning_a_network_alone_leaves_it_alone(network, text):
    tuned, *_ = tune(network, None, 0, text[:, None])
    assert tuned.parts == ("network",)
    np.testing.assert_array_equal(tuned.shares, [[1.0]])


USUAL = np.full((2, 2), 0.5)


def test_fitted_shares_are_the_likeliest_ones():
    rng = np.random.default_rng(5)
    groups = np.repeat([0, 1], 20_000)
    truth = np.array([[0.8, 0.2], [0.3, 0.7]])
    # Two parts that are each sure of other words: a word comes from the first by its share.
    first = rng.random(len(groups)) < truth[groups, 0]
    p = np.where(first, [[0.9], [0.1]], [[0.1], [0.9]])
    shares = fit_shares(p, groups, USUAL)

    def loss(shares):
        return -np.log(np.sum(shares[groups].T * p, axis=0)).mean()

    for shift in (-0.03, 0.03):
        for group in range(2):
            moved = shares.copy()
            moved[group] += [shift, -shift]
            assert loss(shares) < loss(moved)


def test_shares_of_few_words_stay_near_to_those_of_all():
    first, neither = [0.5, 0.1], [0.5, 0.5]
    p = np.array([*[first] * 5000, neither, neither, neither]).T
    groups = np.repeat([0, 1], [5000, 3])
    shares = fit_shares(p, groups, USUAL)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares[1], shares[0], atol=0.02)
    assert shares[0, 0] > 0.9


def test_where_no_text_tells_the_shares_are_the_usual_ones():
    usual = np.array([[0.6, 0.4]] * 2)
    np.testing.assert_allclose(fit_shares(np.empty((2, 0)), np.empty(0, int), usual), usual)
    few = fit_shares(np.array([[0.9, 0.9], [0.1, 0.1]]), np.array([0, 1]), usual)
    np.testing.assert_allclose(few, usual, atol=0.05)


def test_the_network_keeps_a_share_where_the_others_explain_all():
    p = np.stack([np.full(100_000, 1e-9), np.ones(100_000)])
    shares = fit_shares(p, np.zeros(100_000, int), np.array([[0.5, 0.5]]))
    assert 1e-4 < shares[0, 0] < 1e-2
    np.testing.assert_allclose(shares.sum(axis=1), 1)
