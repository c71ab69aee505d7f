"""A step whose work is divided among several workers."""

import numpy as np
import pytest

from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig
from rnncli.lm.noise import StepNoise, draw_noise
from rnncli.nn.sampling import Sampler
from rnncli.ranks import Ranks
from rnncli.training.crew import Crew
from rnncli.training.workers import Team

T = 4
B = 13
V = 30
DROPOUTS = {"dropout": 0.4, "word_dropout": 0.0, "recurrent_dropout": 0.0}
CONFIGS = {
    "tied": NetworkConfig(vocabulary_size=V, embedding_size=6, hidden_size=6, **DROPOUTS),
    "untied": NetworkConfig(
        vocabulary_size=V, cell="gru", embedding_size=3, hidden_size=6, layers=2, tied=False, **DROPOUTS
    ),
}


@pytest.fixture(params=CONFIGS)
def network(request, rng):
    """A network whose parameters are random, in double precision."""
    config = CONFIGS[request.param]
    return Network(config, {name: rng.normal(size=size) for name, size in config.shapes().items()})


def learn(network: Network, threads: int, sampled: bool):
    """Return what a team makes of one step: the loss, the state after it, and the gradients of all rows."""
    network = network.replica()
    rng = np.random.default_rng(3)
    words = rng.integers(0, V, (T + 1, B))
    state = tuple(type(layer)(*(rng.normal(size=field.shape) for field in layer)) for layer in network.zero_state(B))
    sampler = Sampler(np.ones(V), 9) if sampled else None
    noise = draw_noise(network.config, words[:-1], words[1:], rng, sampler, np.float64)
    loss, after = Team(network, B, Crew(threads, Ranks()), T).learn(words[:-1], words[1:], state, noise)
    gradients = {}
    for name, parameter in network.parameters.items():
        gradients[name] = np.zeros_like(parameter.value)
        gradients[name][slice(None) if parameter.rows is None else parameter.rows] = parameter.grad
    return loss, [field for layer in after for field in layer], gradients


@pytest.mark.parametrize(
    ("batch", "threads", "slices"), [(13, 2, [6, 7]), (13, 8, [4, 4, 5]), (3, 2, [3]), (20, 1, [20])]
)
def test_the_sequences_are_divided_evenly_and_each_worker_has_enough(network, batch, threads, slices):
    team = Team(network, batch, Crew(threads, Ranks()), T)
    own = [list(range(batch)[worker.worker_slice]) for worker in team.workers]
    assert [len(sequences) for sequences in own] == slices
    assert [sequence for sequences in own for sequence in sequences] == list(range(batch))


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("threads", [2, 3])
def test_several_workers_find_together_what_one_finds(network, sampled, threads):
    loss, state, gradients = learn(network, 1, sampled)
    loss_of_several, state_of_several, gradients_of_several = learn(network, threads, sampled)
    assert loss_of_several == pytest.approx(loss)
    for ours, theirs in zip(state_of_several, state, strict=True):
        np.testing.assert_allclose(ours, theirs)
    for name, gradient in gradients.items():
        assert gradient.any()
        np.testing.assert_allclose(gradients_of_several[name], gradient, atol=1e-12)


def test_the_same_number_of_workers_finds_the_same_to_the_last_bit(network):
    first, second = (learn(network, 3, True) for _ in range(2))
    assert first[0] == second[0]
    for name, gradient in first[2].items():
        np.testing.assert_array_equal(gradient, second[2][name])


def test_a_second_step_begins_with_new_gradients(network):
    team = Team(network, B, Crew(2, Ranks()), T)
    sampler = Sampler(np.ones(V), 9)
    found = []
    for _ in range(2):
        words = np.random.default_rng(5).integers(0, V, (T + 1, B))
        noise = draw_noise(network.config, words[:-1], words[1:], np.random.default_rng(7), sampler, np.float64)
        team.learn(words[:-1], words[1:], network.zero_state(B), noise)
        found.append({name: parameter.grad.copy() for name, parameter in network.parameters.items()})
    for name, gradient in found[0].items():
        np.testing.assert_array_equal(found[1][name], gradient)


def test_a_step_touches_only_the_rows_that_it_uses(network):
    inputs = np.array([[1, 2]])
    targets = np.array([[2, 4]])
    for sampler in (None, Sampler(np.ones(V), 3)):
        noise = draw_noise(network.config, inputs, targets, np.random.default_rng(1), sampler, np.float64)
        network.use(inputs, noise.sample)
        rows = network.embedding.weight.rows
        if sampler:
            assert {1, 2, 4} <= set(rows.tolist())
            assert len(rows) <= 6
            assert network.softmax.bias.rows is network.softmax.weight.rows is rows
        else:
            assert network.softmax.weight.rows is None
            assert rows is None if network.config.tied else rows.tolist() == [1, 2]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_on_several_windows_sums_their_gradients(network, threads):
    rng = np.random.default_rng(3)
    words = rng.integers(0, V, (T + 1, B))
    state = network.zero_state(B)
    alone = network.replica()
    losses = []
    expected = {name: np.zeros_like(parameter.value) for name, parameter in alone.parameters.items()}
    for begin in range(0, T, 2):
        alone.clear()
        loss, state, backward = alone.loss(words[begin : begin + 2], words[begin + 1 : begin + 3], state)
        backward(0.5)
        losses.append(loss)
        for name, parameter in alone.parameters.items():
            expected[name] += parameter.grad
    team = Team(network, B, Crew(threads, Ranks()), 2)
    loss, after = team.learn(words[:-1], words[1:], network.zero_state(B), StepNoise())
    assert loss == pytest.approx(np.mean(losses))
    for own, other in zip(after, state, strict=True):
        np.testing.assert_allclose(own.h, other.h)
    for name, parameter in network.parameters.items():
        found = np.zeros_like(parameter.value)
        found[slice(None) if parameter.rows is None else parameter.rows] = parameter.grad
        np.testing.assert_allclose(found, expected[name], atol=1e-12)
