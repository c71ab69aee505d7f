import numpy as np
import pytest

from rnncli.lm.adaptation import Learner, adapted
from rnncli.lm.cache import Cache
from rnncli.lm.ensemble import Ensemble, LearnedEnsemble, networks_of
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_learner import NetworkLearner
from rnncli.model import Model
from rnncli.storage.model_file import load, save
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS, UNK, Vocabulary

V = 7


def copies(network):
    return {name: value.copy() for name, value in network.values().items()}


@pytest.fixture
def networks(random_network):
    return [random_network() for _ in range(3)]


@pytest.fixture
def words(rng):
    return rng.integers(0, V, (5, 2))


def test_the_probability_of_a_word_is_the_mean_of_what_the_networks_say(networks, words):
    alone = [Mixture([network], V) for network in networks]
    together = Mixture([Ensemble(networks)], V)
    losses = [lm.score(words, lm.initial_state(2))[0] for lm in alone]
    nll, state = together.score(words, together.initial_state(2))
    np.testing.assert_allclose(np.exp(-nll), np.mean(np.exp(-np.array(losses)), axis=0), rtol=1e-5)
    p = together.distribution(together.context(state))
    np.testing.assert_allclose(p.sum(axis=2), 1, rtol=1e-5)
    expected = [lm.distribution(lm.context(lm.read(words, lm.initial_state(2)))) for lm in alone]
    np.testing.assert_allclose(p, np.mean(expected, axis=0), rtol=1e-4)


def test_networks_behind_others_are_examined_alike(networks, words):
    lm = Mixture([Ensemble(networks[:1]), LearnedEnsemble(networks[1:])], V)
    context, _ = lm.advance(words, lm.initial_state(2))
    p, of_parts = lm.examine(words, context)
    np.testing.assert_allclose(p, lm.distribution(context), rtol=1e-5)
    np.testing.assert_allclose(of_parts, lm.probabilities(words, context), rtol=1e-4)


def test_scores_equal_reading_word_by_word(networks, words):
    lm = Mixture([Ensemble(networks), Cache(50, 10.0)], V)
    nll, _ = lm.score(words, lm.initial_state(2))
    state = lm.initial_state(2)
    for t in range(len(words)):
        p = lm.distribution(lm.context(state))
        np.testing.assert_allclose(nll[t], -np.log(p[0, [0, 1], words[t]]), rtol=1e-4)
        state = lm.read(words[t : t + 1], state)


def test_a_model_with_several_networks_is_saved_and_loaded(networks, words, tmp_path):
    lm = Mixture([Ensemble(networks), Cache(50, 10.0)], V)
    model = Model(lm, Vocabulary([EOS, UNK, *"abcde"]), Tokenizer("whitespace"))
    save(model, tmp_path / "model.npz")
    loaded = load(tmp_path / "model.npz").lm
    assert loaded.names == ("network", "cache")
    np.testing.assert_array_equal(
        loaded.score(words, loaded.initial_state(2))[0], lm.score(words, lm.initial_state(2))[0]
    )
    for ours, theirs in zip(networks_of(loaded), networks, strict=True):
        for name, value in ours.values().items():
            np.testing.assert_array_equal(value, theirs.values()[name])


def test_the_networks_of_a_mixture_are_those_that_predict(networks):
    cache = Cache(50, 10.0)
    assert networks_of(Mixture([cache], V)) == ()
    assert networks_of(Mixture([networks[0], cache], V)) == (networks[0],)
    assert networks_of(Mixture([Ensemble(networks), cache], V)) == tuple(networks)
    assert all(isinstance(network, Network) for network in networks)


def test_every_network_learns_from_the_text_that_is_read(networks, words):
    lm = Mixture([Ensemble(networks)], V)
    learner = Learner(lm)
    together = learner.mixture
    assert together.names == ("network", "learned")
    text = words.reshape(-1, 1)
    context, _ = together.advance(text, together.initial_state(1))
    learner.learn(text, context, together.probabilities(text, context))
    for before, after in zip(networks, together.parts[1].networks, strict=True):
        alone = NetworkLearner(Network(before.config, copies(before)), V)
        alone.learn(text)
        for name, value in after.values().items():
            np.testing.assert_array_equal(value, alone.part.values()[name])
            assert (value != before.values()[name]).any()


def test_a_second_text_is_learned_by_the_networks_that_have_learned_from_the_first(networks, words):
    once = adapted(Mixture([Ensemble(networks)], V), words.ravel())
    again = Learner(once)
    assert again.mixture.names == ("network", "learned")
    for first, second in zip(once.parts[1].networks, again.mixture.parts[1].networks, strict=True):
        for name, value in first.values().items():
            np.testing.assert_array_equal(value, second.values()[name])
    assert networks_of(once) == tuple(networks)
