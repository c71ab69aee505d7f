import math
from dataclasses import asdict

import numpy as np
import pytest

from rnncli.errors import SettingError
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig, extended_values, initial_values
from rnncli.lm.noise import draw_noise
from rnncli.network_options import CELL_NAMES
from rnncli.nn.sampling import Sampler
from rnncli.text.batches import prefix_numbers

T, B, V = 4, 3, 7
SHAPES = {
    "elman": {"cell": "elman", "hidden_size": 2, "layers": 2},
    "gru, untied": {"cell": "gru", "hidden_size": 2, "layers": 2, "tied": False},
    "lstm, tied and projected": {"hidden_size": 2, "layers": 2},
    "lstm, tied": {"embedding_size": 2, "hidden_size": 2, "layers": 1},
}
TIED = SHAPES["lstm, tied"]
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.fixture
def exact_network(random_network):
    """Make a network in float64."""
    return lambda **shape: random_network(scale=0.7, dtype=np.float64, **shape)


@pytest.fixture
def words(rng) -> np.ndarray:
    return rng.integers(0, V, (T, B))


@every_shape
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_every_gradient_is_right(exact_network, shape, dropout, words, rng, check_gradient):
    network = exact_network(**shape, dropout=dropout, word_dropout=dropout, recurrent_dropout=dropout)
    targets = rng.integers(0, V, (T, B))
    state = tuple(type(s)(*(rng.normal(size=a.shape) for a in s)) for s in network.zero_state(B))

    noise = draw_noise(network.config, words, targets, rng, dtype=np.float64)

    def loss():
        return network.loss(words, targets, state, noise)

    loss()[2]()
    for parameter in network.parameters.values():
        check_gradient(lambda: loss()[0], parameter.value, parameter.grad)


@every_shape
def test_the_training_loss_is_the_mean_score(exact_network, shape, words):
    network = exact_network(**shape)
    inputs = np.concatenate([np.zeros((1, B), int), words[:-1]])
    loss, _, _ = network.loss(inputs, words, network.zero_state(B))
    lm = Mixture([network], V)
    nll, _ = lm.score(words, lm.initial_state(B))
    assert loss == pytest.approx(nll.mean())


@every_shape
@pytest.mark.parametrize("steps", [T, 30], ids=["few words", "words that recur"])
def test_scores_equal_reading_word_by_word(exact_network, exact_distribution, shape, steps, rng):
    words = rng.integers(0, V, (steps, B))
    lm = Mixture([exact_network(**shape)], V)
    state = lm.initial_state(B)
    nll, end = lm.score(words, state)
    for t in range(steps):
        p = exact_distribution(lm, state)
        assert p.shape == (B, V)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(nll[t], -np.log(p[np.arange(B), words[t]]))
        state = lm.read(words[t : t + 1], state)
    for ours, theirs in zip(state.states[0], end.states[0], strict=True):
        np.testing.assert_allclose(ours, theirs)


@every_shape
def test_two_halves_with_the_state_carried_equal_one_run(exact_network, shape, words):
    lm = Mixture([exact_network(**shape)], V)
    whole, _ = lm.score(words, lm.initial_state(B))
    first, middle = lm.score(words[:1], lm.initial_state(B))
    second, _ = lm.score(words[1:], middle)
    np.testing.assert_allclose(np.concatenate([first, second]), whole)


@every_shape
def test_a_batch_of_texts_equals_one_at_a_time(exact_network, exact_distribution, shape, words):
    lm = Mixture([exact_network(**shape)], V)
    together = exact_distribution(lm, lm.read(words, lm.initial_state(B)))
    for b in range(B):
        alone = exact_distribution(lm, lm.read(words[:, b : b + 1], lm.initial_state(1)))
        np.testing.assert_allclose(np.log(alone[0]), np.log(together[b]))


@every_shape
def test_the_first_word_changes_the_last_prediction(exact_network, exact_distribution, shape):
    lm = Mixture([exact_network(**shape)], V)
    prompts = np.array([[2, 3], [4, 4], [5, 5], [6, 6]])  # two prompts that differ in the first word
    a, b = np.log(exact_distribution(lm, lm.read(prompts, lm.initial_state(2))))
    assert np.abs(a - b).max() > 1e-6


@pytest.mark.parametrize(("size", "steps", "batch"), [(V, 4, 3), (2000, 40, 60)], ids=["few", "in several blocks"])
def test_a_place_with_an_equal_prefix_is_as_likely_as_by_itself(exact_network, rng, size, steps, batch):
    network = exact_network(**TIED, vocabulary_size=size)
    words = rng.integers(0, size, (steps, batch))
    words[:2, 1] = words[:2, 0]
    prefixes = prefix_numbers(words, np.full(batch, steps))
    assert len(np.unique(prefixes)) < words.size
    context, _ = network.advance(words, network.initial_state(batch), {})
    np.testing.assert_allclose(network.probability(words, context, prefixes), network.probability(words, context))


def test_the_gradients_of_slices_of_a_batch_add_up_to_that_of_the_whole(exact_network, words):
    whole = exact_network(**TIED)
    whole.loss(words, words, whole.zero_state(B))[2]()
    total = {name: np.zeros_like(p.value) for name, p in whole.parameters.items()}
    for rows in (slice(0, 1), slice(1, 3)):
        count = rows.stop - rows.start
        part = Network(whole.config, whole.values())
        part.loss(words[:, rows], words[:, rows], part.zero_state(count))[2](count / B)
        for name, parameter in part.parameters.items():
            total[name] += parameter.grad
    for name, parameter in whole.parameters.items():
        np.testing.assert_allclose(parameter.grad, total[name], atol=1e-12)


def test_the_words_of_a_window_and_a_sample_estimate_the_sum_over_all_words(network_config, rng):
    config = network_config(vocabulary_size=60, hidden_size=2, layers=2)
    sampler = Sampler(np.full(60, 9), 4)
    estimates = []
    for _ in range(2000):
        window = rng.integers(0, 60, (T + 1, B))
        sample = draw_noise(config, window[:-1], window[1:], rng, sampler).sample
        assert set(window.ravel()) <= set(sample.words)
        estimates.append(np.exp(-sample.log_probability).sum())
    assert np.mean(estimates) == pytest.approx(60, rel=0.03)


def test_the_noise_of_some_sequences_hides_the_same_as_that_of_the_batch(exact_network, words, rng):
    network = exact_network(**TIED, dropout=0.4, word_dropout=0.4, recurrent_dropout=0.4)
    noise = draw_noise(network.config, words, words, rng, dtype=np.float64)
    whole, _, _ = network.loss(words, words, network.zero_state(B), noise)
    alone = [
        network.loss(words[:, [b]], words[:, [b]], network.zero_state(1), noise.for_sequences(slice(b, b + 1)))[0]
        for b in range(B)
    ]
    assert np.mean(alone) == pytest.approx(whole)
    assert whole != pytest.approx(network.loss(words, words, network.zero_state(B))[0])


def test_a_tied_table_has_one_gradient_from_both_its_uses(exact_network, network_config, words):
    tied = exact_network(**TIED)
    untied_config = NetworkConfig(**{**asdict(tied.config), "tied": False})
    untied = Network(untied_config, {**tied.values(), "softmax.weight": tied.softmax.weight.value.copy()})
    for network in (tied, untied):
        network.loss(words, words, network.initial_state(B))[2]()
    together = untied.embedding.weight.grad + untied.softmax.weight.grad
    np.testing.assert_allclose(tied.embedding.weight.grad, together)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_an_untrained_network_finds_all_words_about_equally_likely(cell, network_config, rng):
    config = network_config(vocabulary_size=1000, cell=cell, embedding_size=32, hidden_size=32)
    lm = Mixture([Network(config, initial_values(config, rng))], 1000)
    nll, _ = lm.score(rng.integers(0, 1000, (20, 5)), lm.initial_state(5))
    assert nll.mean() == pytest.approx(math.log(1000), rel=0.01)


def test_an_untrained_network_that_knows_the_counts_predicts_the_frequencies(network_config, rng):
    counts = np.array([50, 0, 30, 20, 10, 5, 1])
    config = network_config(hidden_size=8, layers=2)
    lm = Mixture([Network(config, initial_values(config, rng, counts))], V)
    p = lm.distribution(lm.context(lm.initial_state(1)))[0, 0]
    np.testing.assert_allclose(p, (counts + 1) / (counts.sum() + V), rtol=0.35)


def test_initial_values_follow_the_literature(network_config, rng):
    values = initial_values(network_config(vocabulary_size=9, embedding_size=6, hidden_size=4), rng)
    for gate in np.split(values["recurrent.0.recurrent_weight"], 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(4), atol=1e-6)
    np.testing.assert_array_equal(values["recurrent.0.bias"], [0] * 4 + [1] * 4 + [0] * 8)
    assert {value.dtype for value in values.values()} == {np.dtype(np.float32)}


def test_the_same_generator_gives_the_same_values(network_config):
    a, b = (initial_values(network_config(), np.random.default_rng(4)) for _ in range(2))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


@pytest.mark.parametrize("tied", [True, False])
def test_new_words_divide_the_probability_of_unk_by_their_counts(exact_network, exact_distribution, words, tied):
    old = exact_network(tied=tied)
    counts = np.array([9, 3, 1, 1, 1, 1, 1, 7, 1])  # two words are new, and the unknown word goes on with its 3
    config = NetworkConfig(**{**asdict(old.config), "vocabulary_size": V + 2})
    new = Network(config, extended_values(old.values(), counts))
    before, after = (Mixture([network], network.config.vocabulary_size) for network in (old, new))
    p = exact_distribution(before, before.read(words, before.initial_state(B)))
    extended = exact_distribution(after, after.read(words, after.initial_state(B)))
    np.testing.assert_allclose(np.delete(extended[:, :V], 1, axis=1), np.delete(p, 1, axis=1))
    np.testing.assert_allclose(extended[:, [7, 8, 1]], p[:, [1]] * np.array([8, 2, 4]) / 14)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cell": "rnn"}, "no cell is called 'rnn': choose from lstm, gru, elman"),
        ({"activation": "gelu"}, "no activation is called 'gelu'"),
        ({"layers": 0}, "layers is 0, and must be a whole number from 1 to 100"),
        ({"hidden_size": 10**18}, "hidden_size is 1000000000000000000, and must be a whole number from 1 to 100,000"),
        ({"hidden_size": 8.5}, "hidden_size is 8.5, and must be a whole number from 1 to 100,000"),
        ({"hidden_size": None}, "hidden_size is None, and must have a value"),
        ({"vocabulary_size": 0}, "vocabulary_size is 0, and must be a whole number from 1 to 100,000,000"),
        ({"activation": "relu"}, "activation=relu is for the elman cell; lstm has its own"),
        ({"dropout": 1.0}, "dropout is 1.0, and must be a number from 0 on and below 1"),
        ({"dropout": "0.5"}, "dropout is 0.5, and must be a number from 0 on and below 1"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(network_config, wrong, message):
    with pytest.raises(SettingError, match=message):
        network_config(**wrong)
