import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnncli.lm.adaptation import WINDOW_WORDS, Learner, adapted
from rnncli.lm.cache import Cache
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_learner import CLIP, DECAY, RATE, NetworkLearner
from rnncli.lm.ngram import NGram

V = 7
TEXT = np.tile([2, 5, 3, 6, 0], 60)


@pytest.fixture
def mixture(network):
    return Mixture([network, NGram.count(TEXT, V, 3), Cache(20, 0.5, network.config.width)], V)


def copies(network: Network) -> dict[str, np.ndarray]:
    return {name: value.copy() for name, value in network.values().items()}


def stepped(network: Network, inputs, targets, state, rate: float, decay: float, first: dict[str, np.ndarray]):
    """The values after one step of gradient descent down the loss of some words, and the state after the inputs."""
    same = Network(network.config, copies(network))
    _, after, backward = same.loss(inputs, targets, state)
    backward()
    norm = np.sqrt(sum(np.vdot(p.grad, p.grad) for p in same.parameters.values()))
    values = {}
    for name, parameter in same.parameters.items():
        value = parameter.value - rate * parameter.grad * min(1, CLIP / norm)
        values[name] = value + decay * (first[name] - value)
    return values, after


def assert_close(values: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-5, atol=1e-7)


def test_a_learner_predicts_a_text_better_and_better_and_leaves_the_first_network_as_it_was(mixture):
    network = mixture.find(Network)
    before = copies(network)
    learner = Learner(mixture)
    lm = Mixture([learner.mixture.find(Network)], V)
    state = lm.initial_state(1)
    losses = []
    for start in range(0, len(TEXT), 20):
        nll, state = lm.score(TEXT[start : start + 20, None], state)
        learner.learn(TEXT[start : start + 20, None])
        losses.append(nll.mean())
    assert losses[-1] < losses[0] / 2
    for name, value in network.values().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_step_goes_down_the_loss_of_the_window_given_all_words_before_it(network):
    learner = NetworkLearner(network.copy(), rate=1e-3, decay=0.0)
    learner.learn(TEXT[:20, None])
    expected, _ = stepped(
        learner.part, TEXT[19:39, None], TEXT[20:40, None], learner.carried, 1e-3, 0.0, learner.first_values
    )
    learner.learn(TEXT[20:40, None])
    assert_close(learner.part.values(), expected)


def test_the_first_window_is_learned_as_the_beginning_of_a_unit(network):
    learner = NetworkLearner(network.copy(), rate=1e-3, decay=0.0)
    inputs = np.concatenate([[0], TEXT[:19]])[:, None]  # <eos>, after which nothing was read
    expected, _ = stepped(network, inputs, TEXT[:20, None], network.zero_state(1), 1e-3, 0.0, learner.first_values)
    learner.learn(TEXT[:20, None])
    assert_close(learner.part.values(), expected)


def test_a_gradient_that_is_no_number_changes_nothing(network):
    learner = NetworkLearner(network.copy())
    learner.part.parameters["softmax.bias"].value[2] = np.nan
    before = copies(learner.part)
    with np.errstate(invalid="ignore"):
        learner.learn(TEXT[:20, None])
    for name, value in learner.part.values().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_second_text_is_read_after_the_first(mixture):
    both = adapted(adapted(mixture, TEXT), TEXT[:10])
    cache = both.initial_state(1).states[2]
    np.testing.assert_array_equal(cache.words[0], np.concatenate([TEXT, TEXT[:10]])[-20:])


def test_a_second_text_is_learned_in_the_state_that_the_first_ended_in(mixture):
    once = adapted(mixture, TEXT)
    network = once.find(Network)
    learner = Learner(once)
    learning = learner.mixture.find(Network)
    first = copies(network)
    learner.learn(TEXT[:1, None])
    assert_close(learning.values(), first)  # the word before the first one is not known, so nothing is learned of it
    state = once.initial_state(1).states[0]
    for begin, end in ((1, 5), (5, 8)):
        words = TEXT[begin - 1 : end, None]
        expected, state = stepped(learning, words[:-1], words[1:], state, RATE, DECAY, first)
        learner.learn(words[1:])
        assert_close(learning.values(), expected)


def test_a_window_is_read_before_it_is_learned_from(mixture):
    plain = mixture.initial_state(1)
    for words, is_learned_from in ((TEXT[:WINDOW_WORDS], False), (TEXT[: WINDOW_WORDS + 1], True)):
        after = adapted(mixture, words).initial_state(1)
        read = mixture.read(words[:, None], plain)
        assert np.array_equal(after.states[0][-1].h, read.states[0][-1].h) != is_learned_from


def test_decay_leads_back_to_the_first_values(network):
    learner = NetworkLearner(network.copy(), rate=0.0, decay=0.5)
    parameter = learner.part.parameters["softmax.bias"]
    first = parameter.value.copy()
    parameter.value += 1.0
    learner.learn(TEXT[:20, None])
    np.testing.assert_allclose(parameter.value, first + 0.5, rtol=1e-5)


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


def test_an_adapted_mixture_keeps_its_weights_and_the_parts_that_cannot_learn(mixture):
    after = adapted(Mixture(mixture.parts, V, np.array([[0.5, 0.3, 0.2]] * 3)), TEXT)
    np.testing.assert_array_equal(after.weights, [[0.5, 0.3, 0.2]] * 3)
    assert after.parts[1:] == mixture.parts[1:]


def test_adapting_reports_its_progress_and_keeps_to_one_core(mixture):
    fractions = []
    threads = []

    def progress(fraction: float) -> None:
        fractions.append(fraction)
        threads.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

    with threadpool_limits(2, user_api="blas"):
        adapted(mixture, TEXT[:50], progress)
    assert fractions == [0.4, 0.8, 1.0]
    assert set(threads) <= {1}
