import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnncli.lm import network_learner
from rnncli.lm.adaptation import TUNED_WORDS, WINDOW_WORDS, Learner, adapted
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import LearnedNetwork, Network
from rnncli.lm.network_learner import NetworkLearner
from rnncli.lm.ngram import NGram

V = 7
TEXT = np.tile([2, 5, 3, 6, 0], 60)
WEIGHTS = np.array([[0.6, 0.3, 0.1]] * 3)


@pytest.fixture
def mixture(network):
    return Mixture([network, NGram.count(TEXT, V, 3), Cache(20, 0.5)], V, WEIGHTS)


def copies(network: Network) -> dict[str, np.ndarray]:
    return {name: value.copy() for name, value in network.values().items()}


def copy(network: Network) -> Network:
    return Network(network.config, copies(network))


def gradients(network: Network, inputs, targets, state) -> dict[str, np.ndarray]:
    """The gradients of the loss of some words."""
    same = copy(network)
    _, _, backward = same.loss(inputs, targets, state)
    backward()
    return {name: parameter.grad for name, parameter in same.parameters.items()}


def learned(learner: Learner, words: np.ndarray, state):
    """Predict some words and learn from them: the loss of each, and the state after them."""
    lm = learner.mixture
    context, after = lm.advance(words, state)
    p = lm.probabilities(words, context)
    loss = -np.log((context.weights * p).sum(axis=0))
    learner.learn(words, context, p)
    return loss, after


def test_a_learner_predicts_a_text_better_and_better_and_leaves_the_first_network_as_it_was(network):
    before = copies(network)
    learner = Learner(Mixture([network], V))
    state = learner.mixture.initial_state(1)
    losses = []
    for words in np.split(np.tile(TEXT, 20), 300):
        loss, state = learned(learner, words[:, None], state)
        losses.append(loss.mean())
    assert losses[-1] < losses[0] / 2
    for name, value in network.values().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("samples", [2, 1000], ids=["sampled", "full"])
def test_a_step_goes_against_the_gradient_of_the_window_given_all_words_before_it(network, monkeypatch, samples):
    monkeypatch.setattr(network_learner, "SAMPLES", samples)
    learner = NetworkLearner(copy(network), V, rate=1e-4, decay=0.0)
    assert (learner.sampler is None) == (samples == 1000)
    learner.learn(TEXT[:20, None])
    before = copies(learner.part)
    expected = gradients(learner.part, TEXT[19:39, None], TEXT[20:40, None], learner.carried)
    learner.learn(TEXT[20:40, None])
    for name, value in learner.part.values().items():
        step = before[name] - value
        alike = np.vdot(step, expected[name]) / np.linalg.norm(step) / np.linalg.norm(expected[name])
        assert alike > 0.3, name
        # Divided by the root of their mean squares, steps are about as long as the rate, whatever the gradient is.
        assert 0.3 * 1e-4 < np.sqrt(np.mean(step**2)) < 3e-4, name


def test_the_first_window_is_learned_as_the_beginning_of_a_unit(network):
    learner = NetworkLearner(copy(network), V, rate=1e-3, decay=0.0)
    inputs = np.concatenate([[0], TEXT[:19]])[:, None]  # <eos>, after which nothing was read
    expected = gradients(network, inputs, TEXT[:20, None], network.zero_state(1))["softmax.bias"]
    learner.learn(TEXT[:20, None])
    step = learner.part.values()["softmax.bias"] - network.values()["softmax.bias"]
    np.testing.assert_allclose(step, -1e-3 * np.sign(expected), rtol=1e-3)


def test_a_gradient_that_is_no_number_changes_nothing(network):
    learner = NetworkLearner(copy(network), V)
    learner.part.parameters["softmax.bias"].value[2] = np.nan
    before = copies(learner.part)
    with np.errstate(invalid="ignore"):
        learner.learn(TEXT[:20, None])
    for name, value in learner.part.values().items():
        np.testing.assert_array_equal(value, before[name])


def test_decay_leads_back_to_the_first_values(network):
    learner = NetworkLearner(copy(network), V, rate=0.0, decay=0.5)
    parameter = learner.part.parameters["softmax.bias"]
    first = parameter.value.copy()
    parameter.value[...] += 1.0
    learner.learn(TEXT[:20, None])
    np.testing.assert_allclose(parameter.value, first + 0.5, rtol=1e-5)


def test_the_learning_network_shares_the_weight_of_the_one_that_it_is_a_copy_of(mixture):
    learner = Learner(mixture)
    assert learner.mixture.names == ("network", "ngram", "cache", "learned")
    np.testing.assert_allclose(learner.mixture.weights, [[0.3, 0.3, 0.1, 0.3]] * 3)
    words = TEXT[:10, None]
    whole, _ = mixture.score(words, mixture.initial_state(1))
    same, _ = learner.mixture.score(words, learner.mixture.initial_state(1))
    np.testing.assert_allclose(same, whole, rtol=1e-5)


def test_a_part_gets_as_much_weight_as_it_has_earned_over_what_it_claimed_beside_what_it_was_tuned_to(mixture):
    learner = Learner(mixture)
    lm = learner.mixture
    before = lm.weights.copy()
    words = TEXT[:20, None]
    context, _ = lm.advance(words, lm.initial_state(1))
    p = lm.probabilities(words, context)
    learner.learn(words, context, p)
    for group in range(3):
        these = context.groups[:, 0] == group
        shares = (context.weights * p)[:, these, 0]
        earned = TUNED_WORDS * before[group] + (shares / shares.sum(axis=0)).sum(axis=1)
        masses = np.stack([np.broadcast_to(part.mass(context.contexts[part.name]), words.shape) for part in lm.parts])
        claimed = masses[:, these, 0] / (before[group][:, None] * masses[:, these, 0]).sum(axis=0)
        expected = earned / (TUNED_WORDS + claimed.sum(axis=1))
        np.testing.assert_allclose(lm.weights[group], expected / expected.sum(), rtol=1e-6)
    np.testing.assert_array_equal(mixture.weights, WEIGHTS)


def test_a_second_text_is_read_after_the_first(mixture):
    both = adapted(adapted(mixture, TEXT), TEXT[:10])
    cache = both.initial_state(1).states[2]
    np.testing.assert_array_equal(cache.words[0], np.concatenate([TEXT, TEXT[:10]])[-20:])


def test_a_second_text_is_learned_by_the_network_that_has_learned_from_the_first(mixture):
    once = adapted(mixture, TEXT)
    learner = Learner(once)
    assert learner.mixture.names == ("network", "ngram", "cache", "learned")
    first = copies(once.find(LearnedNetwork))
    assert all((learner.mixture.find(LearnedNetwork).values()[name] == value).all() for name, value in first.items())
    lm = learner.mixture
    _, state = learned(learner, TEXT[:1, None], lm.initial_state(1))
    # The word before the first one is not known, so nothing is learned of it.
    assert all((lm.find(LearnedNetwork).values()[name] == value).all() for name, value in first.items())
    learned(learner, TEXT[1:5, None], state)
    assert all((lm.find(LearnedNetwork).values()[name] != value).any() for name, value in first.items())
    np.testing.assert_array_equal(once.find(LearnedNetwork).values()["softmax.bias"], first["softmax.bias"])


def test_a_window_is_read_before_it_is_learned_from(mixture):
    plain = mixture.initial_state(1)
    for words, is_learned_from in ((TEXT[:WINDOW_WORDS], False), (TEXT[: WINDOW_WORDS + 1], True)):
        after = adapted(mixture, words).initial_state(1)
        read = mixture.read(words[:, None], plain)
        assert np.array_equal(after.states[3][-1].h, read.states[0][-1].h) != is_learned_from
        np.testing.assert_allclose(after.states[0][-1].h, read.states[0][-1].h, rtol=1e-5)


def test_an_adapted_model_begins_where_the_text_ended_in_every_sequence(mixture):
    after = adapted(mixture, TEXT)
    one = after.initial_state(1)
    p = after.distribution(after.context(one))[0]
    cache = one.states[2]
    assert cache.words.shape == (1, 20)
    np.testing.assert_array_equal(cache.words[0], TEXT[-20:])
    of_three = after.distribution(after.context(after.initial_state(3)))[0]
    np.testing.assert_allclose(np.log(of_three), np.log(np.repeat(p, 3, axis=0)), rtol=1e-5, atol=1e-6)
    nll, _ = after.score(TEXT[:5, None], one)
    assert nll.mean() < mixture.score(TEXT[:5, None], mixture.initial_state(1))[0].mean()


def test_an_adapted_mixture_keeps_the_parts_that_cannot_learn(mixture):
    assert adapted(mixture, TEXT).parts[:3] == mixture.parts


def test_adapting_reports_its_progress(mixture):
    fractions = []
    adapted(mixture, TEXT[:80], fractions.append)
    assert fractions == [0.4, 0.8, 1.0]


def test_networks_learn_on_one_core(mixture, monkeypatch):
    threads = []

    def learn(self, words):
        threads.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    monkeypatch.setattr(NetworkLearner, "learn", learn)
    with threadpool_limits(2, user_api="blas"):
        blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
        adapted(mixture, TEXT[:80])
    assert threads == [1] * 3 * len(blas)


class Reserved(NGram):
    """N-grams that claim a quarter of the probability, and are right about it."""

    name = "reserved"

    def mass(self, context):
        return 0.25

    def probability(self, words, context, prefixes=None):
        return super().probability(words, context, prefixes) / 4


def test_a_part_that_claims_little_loses_no_weight_to_one_that_says_the_same():
    ngram = NGram.count(TEXT, V, 3)
    learner = Learner(Mixture([ngram, Reserved(ngram.unigrams, ngram.levels)], V, np.full((9, 2), 0.5)))
    learned(learner, TEXT[:, None], learner.mixture.initial_state(1))
    np.testing.assert_allclose(learner.mixture.weights, 0.5)
