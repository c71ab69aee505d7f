import math

import numpy as np
import pytest

from rnncli.errors import SettingError
from rnncli.lm.network import CELLS, Config, Network, initial_values
from rnncli.nn.sampling import Sampler

T, B, V = 4, 3, 7


def config(**changes) -> Config:
    return Config(**{"vocabulary_size": V, "embedding_size": 5, "hidden_size": 2, "layers": 2, **changes})


def network(shape: Config, rng, scale: float = 0.7) -> Network:
    """A network in float64, every parameter of it random."""
    return Network(shape, {name: rng.normal(scale=scale, size=size) for name, size in shape.shapes().items()})


SHAPES = {
    "elman": config(cell="elman"),
    "gru, untied": config(cell="gru", tied=False),
    "lstm, tied and projected": config(),
    "lstm, tied": config(embedding_size=2, layers=1),
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.fixture
def words(rng) -> np.ndarray:
    return rng.integers(0, V, (T, B))


@every_shape
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_every_gradient_is_right(shape, dropout, words, rng, check_gradient):
    shape = Config(**{**vars(shape), "dropout": dropout, "word_dropout": dropout, "recurrent_dropout": dropout})
    model = network(shape, rng)
    targets = rng.integers(0, V, (T, B))
    state = tuple(type(s)(*(rng.normal(size=a.shape) for a in s)) for s in model.blank(B))

    draw = model.draw(words, targets, rng)

    def loss():
        return model.loss(words, targets, state, draw)

    loss()[2]()
    for parameter in model.named_parameters().values():
        check_gradient(lambda: loss()[0], parameter.value, parameter.grad)


@every_shape
def test_the_training_loss_is_the_mean_score(shape, words, rng):
    model = network(shape, rng)
    start = model.start(B)
    inputs = np.concatenate([np.zeros((1, B), int), words[:-1]])
    loss, _, _ = model.loss(inputs, words, model.blank(B))
    nll, _ = model.score(words, start)
    assert loss == pytest.approx(nll.mean())


@every_shape
def test_scores_equal_reading_word_by_word(shape, words, rng):
    model = network(shape, rng)
    state = model.start(B)
    nll, end = model.score(words, state)
    for t in range(T):
        step = model.log_prob(state)
        assert step.shape == (B, V)
        np.testing.assert_allclose(np.exp(step).sum(axis=1), 1)
        np.testing.assert_allclose(nll[t], -step[np.arange(B), words[t]])
        state = model.read(words[t : t + 1], state)
    for ours, theirs in zip(state, end, strict=True):
        np.testing.assert_allclose(ours, theirs)


@every_shape
def test_two_halves_with_the_state_carried_equal_one_run(shape, words, rng):
    model = network(shape, rng)
    whole, _ = model.score(words, model.start(B))
    first, middle = model.score(words[:1], model.start(B))
    second, _ = model.score(words[1:], middle)
    np.testing.assert_allclose(np.concatenate([first, second]), whole)


@every_shape
def test_a_batch_of_texts_equals_one_at_a_time(shape, words, rng):
    model = network(shape, rng)
    together = model.log_prob(model.read(words, model.start(B)))
    for b in range(B):
        alone = model.log_prob(model.read(words[:, b : b + 1], model.start(1)))
        np.testing.assert_allclose(alone[0], together[b])


@every_shape
def test_the_first_word_changes_the_last_prediction(shape, rng):
    model = network(shape, rng)
    prompts = np.array([[2, 3], [4, 4], [5, 5], [6, 6]])  # two prompts that differ in the first word
    a, b = model.log_prob(model.read(prompts, model.start(2)))
    assert np.abs(a - b).max() > 1e-6


def test_the_gradients_of_shares_of_a_batch_add_up_to_that_of_the_whole(words, rng):
    whole = network(SHAPES["lstm, tied"], rng)
    whole.loss(words, words, whole.blank(B))[2]()
    total = {name: np.zeros_like(p.value) for name, p in whole.named_parameters().items()}
    for rows in (slice(0, 1), slice(1, 3)):
        part = Network(whole.config, {name: p.value for name, p in whole.named_parameters().items()})
        part.loss(words[:, rows], words[:, rows], part.blank(rows.stop - rows.start))[2]((rows.stop - rows.start) / B)
        for name, parameter in part.named_parameters().items():
            total[name] += parameter.grad
    for name, parameter in whole.named_parameters().items():
        np.testing.assert_allclose(parameter.grad, total[name], atol=1e-12)


def test_the_words_of_a_window_and_a_sample_estimate_the_sum_over_all_words(rng):
    model, sampler = network(config(vocabulary_size=60), rng), Sampler(np.full(60, 9), 4)
    estimates = []
    for _ in range(2000):
        window = rng.integers(0, 60, (T + 1, B))
        sample = model.draw(window[:-1], window[1:], rng, sampler).sample
        assert set(window.ravel()) <= set(sample.words)
        estimates.append(np.exp(-sample.log_chance).sum())
    assert np.mean(estimates) == pytest.approx(60, rel=0.03)


def test_a_tied_table_has_one_gradient_from_both_its_uses(words, rng):
    tied = network(SHAPES["lstm, tied"], rng)
    apart = Network(
        Config(**{**vars(tied.config), "tied": False}),
        {**{n: p.value for n, p in tied.parameters.items()}, "softmax.weight": tied.softmax.weight.value.copy()},
    )
    for model in (tied, apart):
        model.loss(words, words, model.start(B))[2]()
    together = apart.embedding.weight.grad + apart.softmax.weight.grad
    np.testing.assert_allclose(tied.embedding.weight.grad, together)


@pytest.mark.parametrize("cell", CELLS)
def test_an_untrained_network_is_as_unsure_as_a_fair_die(cell, rng):
    shape = Config(vocabulary_size=1000, cell=cell, embedding_size=32, hidden_size=32)
    model = Network(shape, initial_values(shape, rng))
    nll, _ = model.score(rng.integers(0, 1000, (20, 5)), model.start(5))
    assert nll.mean() == pytest.approx(math.log(1000), rel=0.01)


def test_an_untrained_network_that_knows_the_counts_predicts_the_frequencies(rng):
    counts = np.array([50, 0, 30, 20, 10, 5, 1])
    shape = config(hidden_size=8)
    model = Network(shape, initial_values(shape, rng, counts))
    p = np.exp(model.log_prob(model.start(1)))[0]
    np.testing.assert_allclose(p, (counts + 1) / (counts.sum() + V), rtol=0.35)


def test_initial_values_follow_the_literature(rng):
    values = initial_values(Config(vocabulary_size=9, embedding_size=6, hidden_size=4), rng)
    for gate in np.split(values["recurrent.0.recurrent_weight"], 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(4), atol=1e-6)
    np.testing.assert_array_equal(values["recurrent.0.bias"], [0] * 4 + [1] * 4 + [0] * 8)
    assert {value.dtype for value in values.values()} == {np.dtype(np.float32)}


def test_the_same_generator_gives_the_same_values():
    a, b = (initial_values(config(), np.random.default_rng(4)) for _ in range(2))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cell": "rnn"}, "no cell is called 'rnn': choose from elman, gru, lstm"),
        ({"activation": "gelu"}, "no activation is called 'gelu'"),
        ({"layers": 0}, "layers is 0, and must be a whole number from 1 to 100"),
        ({"hidden_size": 10**18}, "hidden_size is 1000000000000000000, and must be a whole number from 1 to 100,000"),
        ({"hidden_size": 8.5}, "hidden_size is 8.5, and must be a whole number from 1 to 100,000"),
        ({"activation": "relu"}, "the activation relu is for the elman cell; lstm has its own"),
        ({"dropout": 1.0}, "dropout is 1.0, and must be a number from 0 on and below 1"),
        ({"dropout": "0.5"}, "dropout is 0.5, and must be a number from 0 on and below 1"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(SettingError, match=message):
        config(**wrong)
