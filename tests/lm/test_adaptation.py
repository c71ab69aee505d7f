import numpy as np
import pytest

from rnncli.lm import adaptation, ngram
from rnncli.lm.adaptation import Learner, adapted
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Config, Network

V = 7
TEXT = np.tile([2, 5, 3, 6, 0], 60)


@pytest.fixture
def mixture(rng):
    config = Config(V, embedding_size=5, hidden_size=4)
    values = {name: rng.normal(size=size).astype(np.float32) for name, size in config.shapes().items()}
    return Mixture(Network(config, values), ngram.count(TEXT, V, 3), Cache(20, 0.5))


def values(mixture) -> dict[str, np.ndarray]:
    return {name: parameter.value.copy() for name, parameter in mixture.network.named_parameters().items()}


def test_a_learner_foresees_a_text_better_and_better_and_leaves_the_first_network_as_it_was(mixture):
    before, learner = values(mixture), Learner(mixture)
    state, losses = learner.mixture.network.start(1), []
    for start in range(0, len(TEXT), 20):
        nll, state = learner.mixture.network.score(TEXT[start : start + 20, None], state)
        learner.learn(TEXT[start : start + 20, None])
        losses.append(nll.mean())
    assert losses[-1] < losses[0] / 2
    for name, value in values(mixture).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_step_goes_down_the_loss_of_the_window_given_all_before_it(mixture):
    learner = Learner(mixture, rate=1e-3, decay=0.0)
    learner.learn(TEXT[:20, None])
    network = learner.mixture.network
    same = Network(network.config, values(learner.mixture))
    _, _, backward = same.loss(TEXT[19:39, None], TEXT[20:40, None], learner.carried)
    backward()
    norm = np.sqrt(sum(np.vdot(p.grad, p.grad) for p in same.named_parameters().values()))
    learner.learn(TEXT[20:40, None])
    for name, parameter in same.named_parameters().items():
        expected = parameter.value - 1e-3 * parameter.grad * min(1, adaptation.CLIP / norm)
        np.testing.assert_allclose(network.parameters[name].value, expected, rtol=1e-5, atol=1e-7)


def test_a_gradient_that_is_no_number_changes_nothing(mixture):
    learner = Learner(mixture)
    learner.mixture.network.parameters["softmax.bias"].value[2] = np.nan
    before = values(learner.mixture)
    with np.errstate(invalid="ignore"):
        learner.learn(TEXT[:20, None])
    for name, value in values(learner.mixture).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_second_text_is_read_after_the_first(mixture):
    both = adapted(adapted(mixture, TEXT), TEXT[:10])
    np.testing.assert_array_equal(both.start(1).cache.words[0], np.concatenate([TEXT, TEXT[:10]])[-20:])


def test_what_is_learned_from_a_second_text_is_learned_in_the_state_that_the_first_ended_in(mixture, monkeypatch):
    learner = Learner(adapted(mixture, TEXT), rate=0.0, decay=0.0)
    network, heard = learner.mixture.network, []
    monkeypatch.setattr(network, "loss", lambda *given: heard.append(given) or Network.loss(network, *given))
    nll, _ = network.score(TEXT[:8, None], learner.mixture.start(1).network)
    for window in (slice(0, 1), slice(1, 5), slice(5, 8)):
        learner.learn(TEXT[window, None])
    losses = [Network.loss(network, *given)[0] for given in heard]
    np.testing.assert_allclose(losses, [nll[1:5].mean(), nll[5:8].mean()], rtol=1e-5)  # of the first word nothing


def test_a_window_is_read_before_it_is_learned_from(mixture, monkeypatch):
    monkeypatch.setattr(adaptation, "WINDOW", len(TEXT))
    after, plain = adapted(mixture, TEXT), mixture.read(TEXT[:, None], mixture.start(1))
    np.testing.assert_array_equal(after.start(1).network[-1].h, plain.network[-1].h)


def test_decay_leads_back_to_the_first_values(mixture):
    learner = Learner(mixture, rate=0.0, decay=0.5)
    parameter = learner.mixture.network.parameters["softmax.bias"]
    first = parameter.value.copy()
    parameter.value += 1.0
    learner.learn(TEXT[:20, None])
    np.testing.assert_allclose(parameter.value, first + 0.5, rtol=1e-5)


def test_an_adapted_model_begins_where_the_text_ended_in_every_stream(mixture):
    after = adapted(mixture, TEXT)
    one, three = after.start(1), after.start(3)
    assert one.cache.words.shape == (1, 20)
    np.testing.assert_array_equal(one.cache.words[0], TEXT[-20:])
    np.testing.assert_allclose(after.log_prob(three), np.repeat(after.log_prob(one), 3, axis=0), rtol=1e-5, atol=1e-6)
    nll, _ = after.score(TEXT[:5, None], one)
    assert nll.mean() < mixture.score(TEXT[:5, None], mixture.start(1))[0].mean()
