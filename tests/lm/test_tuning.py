import numpy as np

from rnncli.lm import ngram
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture
from rnncli.lm.tuning import SHARPNESSES, USUAL_SHARPNESS, fit_shares, tune
from rnncli.threads import Threads

V = 7


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


def test_what_tuning_tells_is_what_the_tuned_model_does_and_no_other_sharpness_does_better(network, text, monkeypatch):
    rng = np.random.default_rng(7)
    held_out = np.concatenate([rng.permutation(V) for _ in range(60)])[:, None]  # longer than what is read at a time
    model = ngram.count(text, V, 3)
    tuned, loss, loss_of_network = tune(network, model, 50, held_out)
    np.testing.assert_allclose(loss, tuned.score(held_out, tuned.start(1))[0].mean(), rtol=1e-5)
    np.testing.assert_allclose(loss_of_network, network.score(held_out, network.start(1))[0].mean(), rtol=1e-5)
    for sharpness in SHARPNESSES:
        with monkeypatch.context() as patched:  # the only one to choose from
            patched.setattr("rnncli.lm.tuning.SHARPNESSES", (sharpness,))
            other, other_loss, _ = tune(network, model, 50, held_out)
        assert other.cache.sharpness == sharpness
        assert (other_loss == loss) if sharpness == tuned.cache.sharpness else (other_loss > loss)


def test_few_words_do_not_decide_the_sharpness(network, text, monkeypatch):
    monkeypatch.setattr("rnncli.lm.tuning.LEAD", 0.0)
    model, held_out = ngram.count(text, V, 3), np.array([[2], [3], [2]])
    by_chance, *_ = tune(network, model, 50, held_out)
    monkeypatch.undo()
    usual, loss, _ = tune(network, model, 50, held_out)
    assert by_chance.cache.sharpness != usual.cache.sharpness == USUAL_SHARPNESS
    np.testing.assert_allclose(loss, usual.score(held_out, usual.start(1))[0].mean(), rtol=1e-5)


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


def test_what_a_part_is_in_doubt_about_does_not_count_against_it():
    rng = np.random.default_rng(5)
    sure = rng.random(40_000) < 0.5  # in one half of the places the second part knows, in the other it knows nothing
    second = sure & (rng.random(40_000) < 0.6)
    p = np.where(second, [[0.1], [0.9]], [[0.9], [0.0]])
    p[1, sure & ~second] = 0.1
    sums = np.stack([np.ones(40_000), sure])
    shares = fit_shares(p, np.zeros(40_000, int), np.array([[0.5, 0.5]]), sums)

    def loss(shares):
        return -np.log(shares @ p / (shares @ sums)).mean()

    for shift in (-0.02, 0.02):
        assert loss(shares[0]) < loss(shares[0] + [shift, -shift])
