from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from rnncli.lm.cache import SHARPNESSES, Cache
from rnncli.lm.interface import Part
from rnncli.lm.mixture import WORDS_PER_PASS, Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram
from rnncli.lm.tuning import MIN_GAIN, fit_weights, tune
from rnncli.nn.threads import Threads

V = 7


class FixedCache(Cache):
    """A cache that has no other sharpness to choose from."""

    def variants(self) -> Sequence[Part]:
        return [self]


@dataclass
class Table(Part):
    """A part that gives the word of a number always the same probability, with variants of other probabilities."""

    name: str
    word: int
    probabilities: tuple[float, ...]  # its own, and those of the variants
    prior_weight = 1.0
    least_weight = 0.0
    context = add_to = stored_config = from_file = None  # which tuning does not ask for

    def initial_state(self, batch):
        return np.zeros((batch, 0))

    def advance(self, words, state, before):
        return np.zeros((*words.shape, 0)), state

    def probability(self, words, context, prefixes=None):
        return np.where(words == self.word, self.probabilities[0], 0.0)

    def variants(self):
        return [Table(self.name, self.word, (p,)) for p in self.probabilities]


@pytest.fixture
def shuffled():
    """Two sequences that hold all words about equally close to each other, longer than what is read in one pass."""
    rng = np.random.default_rng(7)
    return np.concatenate([rng.permutation(V) for _ in range(60)]).reshape(2, -1).T


def loss_of(mixture: Mixture, words: np.ndarray) -> float:
    return mixture.score(words, mixture.initial_state(words.shape[1]))[0].mean()


def test_tuned_weights_find_the_part_that_knows_the_text(network, text):
    held_out = np.stack(np.split(np.cumsum(np.ones(400, int)) % V, 4), axis=1)
    parts = [network, NGram.count(text, V, 3), Cache(50, SHARPNESSES[0])]
    tuned = tune(parts, V, list(held_out.T)).mixture
    assert loss_of(tuned, held_out) < loss_of(Mixture(parts, V), held_out)
    assert tuned.weights.shape == (3, 3)
    np.testing.assert_allclose(tuned.weights.sum(axis=1), 1)
    assert tuned.weights[2, 1] > 0.5
    side_by_side = tune(parts, V, list(held_out.T), Threads(2).map).mixture
    np.testing.assert_array_equal(side_by_side.weights, tuned.weights)


def test_tuning_reports_the_loss_of_the_tuned_mixture_and_no_other_sharpness_does_much_better(network, text, shuffled):
    assert len(shuffled) > WORDS_PER_PASS
    ngram = NGram.count(text, V, 3)
    tuned = tune([network, ngram, Cache(50, SHARPNESSES[0])], V, list(shuffled.T))
    np.testing.assert_allclose(tuned.loss, loss_of(tuned.mixture, shuffled), rtol=1e-5)
    for part in (network, ngram):
        np.testing.assert_allclose(tuned.losses[part.name], loss_of(Mixture([part], V), shuffled), rtol=1e-5)
    assert tuned.losses["cache"] == np.inf  # the first word is not in it
    chosen = tuned.mixture.find(Cache)
    for sharpness in SHARPNESSES:
        other = tune([network, ngram, FixedCache(50, sharpness)], V, list(shuffled.T))
        assert other.mixture.find(Cache).sharpness == sharpness
        if sharpness == chosen.sharpness:
            assert other.loss == tuned.loss
        else:
            assert other.loss > tuned.loss - MIN_GAIN / shuffled.size


def test_few_words_do_not_decide_the_sharpness(network, text):
    ngram = NGram.count(text, V, 3)
    held_out = np.array([[2], [3], [2]])
    losses = [tune([network, ngram, FixedCache(50, s)], V, list(held_out.T)).loss for s in SHARPNESSES]
    assert min(losses) < losses[0]  # by chance, another one predicts them better
    usual = tune([network, ngram, Cache(50, SHARPNESSES[0])], V, list(held_out.T))
    assert usual.mixture.find(Cache).sharpness == SHARPNESSES[0]
    np.testing.assert_allclose(usual.loss, loss_of(usual.mixture, held_out), rtol=1e-5)
    assert usual.loss == losses[0]


@pytest.mark.parametrize(("gain", "is_chosen"), [(2.9, False), (3.1, True)])
def test_an_unusual_variant_must_gain_three_nats_on_the_whole_text(gain, is_chosen):
    words = np.zeros((50, 2), int)  # a hundred in all
    better = 0.1 * np.exp(gain / 100)
    tuned = tune([Table("zero", 0, (0.1, 0.05, better))], V, list(words.T))
    chosen = better if is_chosen else 0.1
    assert tuned.mixture.parts[0].probabilities == (chosen,)
    assert tuned.loss == pytest.approx(-np.log(chosen))
    assert tuned.losses == {"zero": pytest.approx(-np.log(chosen))}


@pytest.mark.parametrize(("gain", "is_chosen"), [(2.0, False), (4.0, True)])
def test_each_of_several_unusual_variants_must_gain_as_much(gain, is_chosen):
    words = np.tile([[0], [1]], (25, 2))  # fifty of each
    better = 0.1 * np.exp(gain / 50)
    tuned = tune([Table("zero", 0, (0.1, better)), Table("one", 1, (0.1, better, 0.05))], V, list(words.T))
    chosen = better if is_chosen else 0.1
    assert [part.probabilities for part in tuned.mixture.parts] == [(chosen,), (chosen,)]
    np.testing.assert_allclose(tuned.mixture.weights, [[0.5, 0.5]])
    assert tuned.loss == pytest.approx(-np.log(chosen / 2))


def test_tuning_a_network_alone_leaves_it_alone(network, text):
    tuned = tune([network], V, [text]).mixture
    assert tuned.parts == (network,)
    np.testing.assert_array_equal(tuned.weights, [[1.0]])


EVEN = np.full((2, 2), 0.5)


def test_fitted_weights_are_the_likeliest_ones():
    rng = np.random.default_rng(5)
    groups = np.repeat([0, 1], 20_000)
    truth = np.array([[0.8, 0.2], [0.3, 0.7]])
    # Two parts that are each sure of other words: a word comes from the first with the probability of its weight.
    first = rng.random(len(groups)) < truth[groups, 0]
    p = np.where(first, [[0.9], [0.1]], [[0.1], [0.9]])
    weights = fit_weights(p, groups, EVEN)

    def loss(weights):
        return -np.log(np.sum(weights[groups].T * p, axis=0)).mean()

    for shift in (-0.03, 0.03):
        for group in range(2):
            moved = weights.copy()
            moved[group] += [shift, -shift]
            assert loss(weights) < loss(moved)


def test_fitting_goes_on_until_the_weights_change_no_more():
    first = np.random.default_rng(5).random(2000) < 0.65
    p = np.where(first, [[0.7], [0.3]], [[0.3], [0.7]])  # it takes some dozens of rounds to find what they are mixed of

    def fitted(prior: np.ndarray) -> np.ndarray:
        weights = prior
        for _ in range(2000):
            credit = weights[:, None] * p
            weights = ((credit / credit.sum(axis=0)).sum(axis=1) + 50 * prior) / (len(first) + 50)
        return weights

    expected = fitted(fitted(np.array([0.5, 0.5])))  # of the whole text, then of the group, which is the same
    np.testing.assert_allclose(fit_weights(p, np.zeros(2000, int), EVEN[:1]), [expected], atol=2e-3)


def test_weights_of_few_words_stay_near_to_those_of_all():
    first, neither = [0.5, 0.1], [0.5, 0.5]
    p = np.array([*[first] * 5000, neither, neither, neither]).T
    groups = np.repeat([0, 1], [5000, 3])
    weights = fit_weights(p, groups, EVEN)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights[1], weights[0], atol=0.02)
    assert weights[0, 0] > 0.9


def test_the_prior_counts_as_fifty_words():
    # After fifty words that only the first part predicts, half of the evidence is for it, half is the prior. The prior
    # is followed twice: for the weights of all words, which are then that of each group.
    p = np.stack([np.ones(50), np.zeros(50)])
    weights = fit_weights(p, np.zeros(50, int), np.array([[0.6, 0.4]]))
    np.testing.assert_allclose(weights, [[1 - 0.4 / 4, 0.4 / 4]])


def test_where_no_text_tells_the_weights_are_the_prior_ones():
    prior = np.array([[0.6, 0.4]] * 2)
    np.testing.assert_allclose(fit_weights(np.empty((2, 0)), np.empty(0, int), prior), prior)
    few = fit_weights(np.array([[0.9, 0.9], [0.1, 0.1]]), np.array([0, 1]), prior)
    np.testing.assert_allclose(few, prior, atol=0.05)


def test_a_part_keeps_its_least_weight_where_the_others_explain_all():
    p = np.stack([np.full(20_000, 1e-9), np.ones(20_000)])
    weights = fit_weights(p, np.zeros(20_000, int), np.array([[0.5, 0.5]]), least=np.array([1e-3, 0.0]))
    assert 1e-4 < weights[0, 0] < 1e-2
    np.testing.assert_allclose(weights.sum(axis=1), 1)


def test_the_network_keeps_a_weight_where_the_others_explain_all(network):
    certain = Table("certain", 0, (1.0,))
    tuned = tune([network, certain], V, [np.zeros(1000, int)] * 10).mixture
    assert 1e-4 < tuned.weights[0, 0] < 1e-2
    assert Network.least_weight == 1e-3


def test_the_mass_that_a_part_leaves_unseen_does_not_count_against_it():
    rng = np.random.default_rng(5)
    sure = rng.random(40_000) < 0.5  # in one half of the places the second part knows, in the other it knows nothing
    second = sure & (rng.random(40_000) < 0.6)
    p = np.where(second, [[0.1], [0.9]], [[0.9], [0.0]])
    p[1, sure & ~second] = 0.1
    masses = np.stack([np.ones(40_000), sure])
    weights = fit_weights(p, np.zeros(40_000, int), np.array([[0.5, 0.5]]), masses)

    def loss(weights):
        return -np.log(weights @ p / (weights @ masses)).mean()

    for shift in (-0.02, 0.02):
        assert loss(weights[0]) < loss(weights[0] + [shift, -shift])


def test_a_network_that_gives_no_numbers_leaves_the_weights_at_their_prior(network, text):
    network.parameters["softmax.bias"].value[2] = np.nan
    parts = [network, NGram.count(text, V, 3)]
    with np.errstate(invalid="ignore"):
        tuned = tune(parts, V, [text[:100]])
    np.testing.assert_array_equal(tuned.mixture.weights, Mixture(parts, V).prior_weights())
    assert tuned.loss == np.inf
