import numpy as np
import pytest

from rnncli.lm.network import Config, Network
from rnncli.nn.sampling import Sampler
from rnncli.threads import Threads
from rnncli.training.workers import Team

T, B, V = 4, 13, 30
SHAPES = {
    "tied": Config(V, embedding_size=6, hidden_size=6, dropout=0.4),
    "untied": Config(V, cell="gru", embedding_size=3, hidden_size=6, layers=2, tied=False, dropout=0.4),
}


@pytest.fixture(params=SHAPES)
def values(request, rng):
    shape = SHAPES[request.param]
    return shape, {name: rng.normal(size=size) for name, size in shape.shapes().items()}


def learn(values, threads: int, sampled: bool):
    """What a team makes of one step: the loss, the state after it, and the gradients, of all rows."""
    shape, arrays = values
    network, chance = Network(shape, arrays), np.random.default_rng(3)
    words = chance.integers(0, V, (T + 1, B))
    state = tuple(type(layer)(*(chance.normal(size=field.shape) for field in layer)) for layer in network.blank(B))
    sampler = Sampler(np.ones(V), 9) if sampled else None
    draw = network.draw(words[:-1], words[1:], chance, sampler)
    loss, after = Team(network, B, Threads(threads)).learn(words[:-1], words[1:], state, draw)
    gradients = {}
    for name, parameter in network.named_parameters().items():
        gradients[name] = np.zeros_like(parameter.value)
        gradients[name][slice(None) if parameter.rows is None else parameter.rows] = parameter.grad
    return loss, [field for layer in after for field in layer], gradients


@pytest.mark.parametrize(
    ("batch", "threads", "shares"), [(13, 2, [6, 7]), (13, 8, [4, 4, 5]), (3, 2, [3]), (20, 1, [20])]
)
def test_the_streams_are_shared_out_evenly_and_not_too_thinly(values, batch, threads, shares):
    team = Team(Network(*values), batch, Threads(threads))
    assert [len(range(batch)[worker.streams]) for worker in team.workers] == shares
    assert sorted(stream for worker in team.workers for stream in range(batch)[worker.streams]) == list(range(batch))


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("threads", [2, 3])
def test_several_workers_find_together_what_one_finds(values, sampled, threads):
    loss, state, gradients = learn(values, 1, sampled)
    shared_loss, shared_state, shared_gradients = learn(values, threads, sampled)
    assert shared_loss == pytest.approx(loss)
    for ours, theirs in zip(shared_state, state, strict=True):
        np.testing.assert_allclose(ours, theirs)
    for name, gradient in gradients.items():
        assert gradient.any()
        np.testing.assert_allclose(shared_gradients[name], gradient, atol=1e-12)


def test_the_same_number_of_workers_finds_the_same_to_the_last_bit(values):
    first, second = (learn(values, 3, True) for _ in range(2))
    assert first[0] == second[0]
    for name, gradient in first[2].items():
        np.testing.assert_array_equal(gradient, second[2][name])


def test_a_second_step_begins_with_new_gradients(values):
    shape, arrays = values
    network = Network(shape, arrays)
    team, sampler = Team(network, B, Threads(2)), Sampler(np.ones(V), 9)
    found = []
    for _ in range(2):
        words = np.random.default_rng(5).integers(0, V, (T + 1, B))
        draw = network.draw(words[:-1], words[1:], np.random.default_rng(7), sampler)
        team.learn(words[:-1], words[1:], network.blank(B), draw)
        found.append({name: p.grad.copy() for name, p in network.named_parameters().items()})
    for name, gradient in found[0].items():
        np.testing.assert_array_equal(found[1][name], gradient)


def test_a_step_touches_only_the_rows_that_it_uses(values):
    shape, arrays = values
    network = Network(shape, arrays)
    inputs, targets = np.array([[1, 2]]), np.array([[2, 4]])
    for sampler in (None, Sampler(np.ones(V), 3)):
        draw = network.draw(inputs, targets, np.random.default_rng(1), sampler)
        network.use(inputs, draw.sample)
        if sampler:
            assert {1, 2, 4} <= set(network.embedding.weight.rows.tolist())
            assert len(network.embedding.weight.rows) <= 6
            assert network.softmax.bias.rows is network.softmax.weight.rows is network.embedding.weight.rows
        else:
            assert network.softmax.weight.rows is None
            rows = network.embedding.weight.rows
            assert rows is None if shape.tied else rows.tolist() == [1, 2]
