import numpy as np
import pytest

from rnncli.lm.cache import Cache
from rnncli.lm.interface import Part
from rnncli.lm.mixture import WORDS_PER_PASS, Mixture
from rnncli.lm.network import LearnedNetwork, Network
from rnncli.lm.ngram import NGram
from rnncli.text.batches import prefix_numbers

T, B, V = 6, 3, 7


@pytest.fixture
def words(rng):
    return rng.integers(0, V, (T, B))


PARTS = {
    "network": (False, False),
    "network, ngram": (True, False),
    "network, cache": (False, True),
    "network, ngram, cache": (True, True),
}


@pytest.fixture(params=PARTS.values(), ids=PARTS)
def mixture(request, network, text, rng):
    with_ngram, with_cache = request.param
    parts = [network]
    if with_ngram:
        parts.append(NGram.count(text, V, 3))
    if with_cache:
        parts.append(Cache(4, 0.5))
    return Mixture(parts, V, rng.dirichlet(np.ones(len(parts)), 3 if with_ngram else 1))


def test_a_network_behind_another_part_is_examined_alike(network, text, words):
    other = LearnedNetwork(network.config, {name: 2 * value for name, value in network.values().items()})
    mixture = Mixture([NGram.count(text, V, 2), network, other], V)
    context, _ = mixture.advance(words, mixture.initial_state(B))
    p, of_parts = mixture.examine(words, context)
    np.testing.assert_allclose(p, mixture.distribution(context), rtol=1e-5)
    np.testing.assert_allclose(of_parts, mixture.probabilities(words, context), rtol=1e-4)


def next_words(mixture: Mixture, state) -> np.ndarray:
    """The probabilities (B, V) of all words after a state."""
    return mixture.distribution(mixture.context(state))[0]


def test_scores_and_examinations_equal_reading_word_by_word(mixture, words):
    state = mixture.initial_state(B)
    nll, end = mixture.score(words, state)
    context, after_advance = mixture.advance(words, state)
    p, of_parts = mixture.examine(words, context)
    np.testing.assert_allclose(of_parts, mixture.probabilities(words, context), rtol=1e-4, atol=1e-30)
    for t in range(T):
        step = next_words(mixture, state)
        assert step.shape == (B, V)
        np.testing.assert_allclose(step.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(np.log(p[t]), np.log(step), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(nll[t], -np.log(step[np.arange(B), words[t]]), rtol=1e-4, atol=1e-5)
        state = mixture.read(words[t : t + 1], state)
    for other in (end, after_advance):
        np.testing.assert_allclose(
            np.log(next_words(mixture, other)), np.log(next_words(mixture, state)), rtol=1e-4, atol=1e-5
        )


def test_a_batch_equals_its_sequences_one_at_a_time(mixture, words):
    together, _ = mixture.score(words, mixture.initial_state(B))
    alone = [mixture.score(words[:, [b]], mixture.initial_state(1))[0] for b in range(B)]
    np.testing.assert_allclose(together, np.concatenate(alone, axis=1), rtol=1e-4, atol=1e-5)


def test_places_with_an_equal_prefix_score_as_by_themselves(mixture, words):
    words[:2, 1] = words[:2, 0]
    prefixes = np.arange(T * B).reshape(T, B)
    prefixes[:3, 1] = prefixes[:3, 0]
    nll, _ = mixture.score(words, mixture.initial_state(B), prefixes)
    np.testing.assert_allclose(nll, mixture.score(words, mixture.initial_state(B))[0], rtol=1e-4, atol=1e-5)


def test_a_long_text_is_read_in_passes_as_in_pieces(mixture, rng):
    long = rng.integers(0, V, (2 * WORDS_PER_PASS + 20, 2))
    long[: WORDS_PER_PASS // 2, 1] = long[: WORDS_PER_PASS // 2, 0]
    prefixes = prefix_numbers(long, np.array([len(long)] * 2))
    start = mixture.initial_state(2)
    whole, end = mixture.score(long, start)
    state = start
    pieces = []
    for begin in range(0, len(long), 7):
        nll, state = mixture.score(long[begin : begin + 7], state)
        pieces.append(nll)
    np.testing.assert_allclose(whole, np.concatenate(pieces), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mixture.score(long, start, prefixes)[0], whole, rtol=1e-4, atol=1e-5)
    for other in (end, mixture.read(long, start)):
        np.testing.assert_allclose(next_words(mixture, other), next_words(mixture, state), rtol=1e-4, atol=1e-5)


def test_a_state_is_a_value(mixture, words):
    state = mixture.read(words, mixture.initial_state(B))
    before = next_words(mixture, state)
    mixture.read(words[:2], state)
    mixture.score(words, state)
    np.testing.assert_array_equal(next_words(mixture, state), before)


def test_the_mixture_is_the_sum_of_its_parts_by_their_weights(mixture, words):
    state = mixture.read(words, mixture.initial_state(B))
    context = mixture.context(state)
    contributions = mixture.contributions(context)[:, 0]
    assert contributions.shape == (len(mixture.parts), B, V)
    masses = [np.broadcast_to(part.mass(context.contexts[part.name]), (1, B))[0] for part in mixture.parts]
    claimed = context.weights[:, 0] * masses  # the cache claims less than one
    np.testing.assert_allclose(contributions.sum(axis=2), claimed, rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(claimed.sum(axis=0), 1)
    np.testing.assert_allclose(next_words(mixture, state), contributions.sum(axis=0), rtol=1e-4)


def test_a_contribution_is_the_weight_times_the_probability_of_the_part(mixture, words):
    state = mixture.read(words[:3], mixture.initial_state(B))
    context, _ = mixture.advance(words[3:4], state)
    p = mixture.probabilities(words[3:4], context)
    contributions = mixture.contributions(mixture.context(state))[:, 0]
    expected = contributions[:, np.arange(B), words[3]]
    np.testing.assert_allclose((context.weights * p)[:, 0], expected, rtol=1e-4, atol=1e-30)


def test_the_weights_are_those_of_the_group_that_the_parts_sort_a_context_into(network, text, words):
    ngram = NGram.count(text, V, 3)
    weights = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    context, _ = Mixture([network, ngram], V, weights).advance(words, Mixture([network, ngram], V).initial_state(B))
    np.testing.assert_array_equal(context.groups, ngram.group(context.contexts["ngram"]))
    np.testing.assert_array_equal(context.weights, np.moveaxis(weights[context.groups], -1, 0))
    assert len(np.unique(context.groups)) > 1


class LastWord(Part):
    """A part that sorts contexts by the last word, and finds all words equally likely."""

    prior_weight = 1.0
    least_weight = 0.0
    stored_config = from_file = None  # which a mixture does not ask for

    def __init__(self, name: str, groups: int):
        self.name = name
        self.kinds = groups

    @property
    def groups(self):
        return self.kinds

    def group(self, context):
        return context % self.kinds

    def initial_state(self, batch):
        return np.zeros(batch, int)

    def advance(self, words, state, before):
        return np.concatenate([state[None], words[:-1]]), words[-1]

    def context(self, state, before):
        return state[None]

    def probability(self, words, context, prefixes=None):
        return np.full(words.shape, 1 / V)

    def add_to(self, p, context, weight):
        p += weight[..., None] / V


def test_every_combination_of_the_groups_of_all_parts_has_weights_of_its_own(words, rng):
    parts = [LastWord("parity", 2), LastWord("remainder", 3)]
    assert Mixture(parts, V).weights.shape == (6, 2)
    weights = rng.dirichlet([1, 1], 6)
    mixture = Mixture(parts, V, weights)
    state = mixture.initial_state(B)
    context, after = mixture.advance(words, state)
    last = np.concatenate([np.zeros((1, B), int), words])
    groups = last % 2 * 3 + last % 3
    np.testing.assert_array_equal(context.groups, groups[:-1])
    np.testing.assert_allclose(context.weights, np.moveaxis(weights[groups[:-1]], -1, 0))
    lengths = np.array([0, 6, 3])
    picked = mixture.context_after(words, lengths, state)
    np.testing.assert_array_equal(picked.groups, [groups[lengths, np.arange(B)]])
    np.testing.assert_allclose(picked.weights[:, 0], weights[groups[lengths, np.arange(B)]].T)
    np.testing.assert_array_equal(mixture.context(after).groups, groups[-1:])


@pytest.mark.parametrize("lengths", [[6, 6, 6], [1, 6, 3], [2, 2, 3], [0, 4, 1], [0, 0, 0]])
def test_sequences_are_read_as_far_as_each_goes(mixture, words, lengths):
    p = mixture.distribution(mixture.context_after(words, np.array(lengths), mixture.initial_state(B)))[0]
    for sequence, length in enumerate(lengths):
        state = mixture.initial_state(1)
        if length:
            state = mixture.read(words[:length, sequence : sequence + 1], state)
        np.testing.assert_allclose(p[sequence], next_words(mixture, state)[0], rtol=1e-4)


def test_an_empty_cache_leaves_its_weight_to_the_others(network, text):
    weights = np.array([[0.2, 0.3, 0.5]] * 3)
    mixture = Mixture([network, NGram.count(text, V, 3), Cache(4, 0.5)], V, weights)
    state = mixture.initial_state(1)
    context = mixture.context(state)
    np.testing.assert_allclose(context.weights[:2, 0, 0], [0.4, 0.6])
    np.testing.assert_array_equal(mixture.contributions(context)[2], 0)
    np.testing.assert_allclose(next_words(mixture, state).sum(), 1, rtol=1e-5)


def test_a_mixture_that_no_text_has_tuned_weighs_network_ngrams_and_cache_as_seven_two_and_one(network, text, words):
    ngram = NGram.count(text, V, 3)
    cache = Cache(4, 0.5)
    cases = [
        ([network], [1.0]),
        ([network, ngram], [7 / 9, 2 / 9]),
        ([network, cache], [7 / 8, 1 / 8]),
        ([network, ngram, cache], [0.7, 0.2, 0.1]),
    ]
    for parts, expected in cases:
        untuned = Mixture(parts, V)
        assert untuned.weights.shape == (3 if ngram in parts else 1, len(parts))
        np.testing.assert_allclose(untuned.weights, np.tile(expected, (len(untuned.weights), 1)))
        context, _ = untuned.advance(words, untuned.initial_state(B))
        masses = [part.mass(context.contexts[part.name]) for part in parts]
        p = sum(w * own for w, own in zip(expected, untuned.probabilities(words, context), strict=True))
        p = p / sum(w * mass for w, mass in zip(expected, masses, strict=True))
        np.testing.assert_allclose(untuned.score(words, untuned.initial_state(B))[0], -np.log(p), rtol=1e-6)


@pytest.mark.parametrize("bias", [-95, -1000])  # the probability has few digits left, or is zero
def test_no_word_is_impossible_but_what_no_part_gives_is_no_contribution(random_network, words, bias):
    network = random_network()
    values = network.values()
    values["softmax.bias"] = np.where(np.arange(V) == 2, bias, 0).astype(np.float32)
    mixture = Mixture([Network(network.config, values)], V)
    state = mixture.read(words, mixture.initial_state(B))
    assert (next_words(mixture, state) > 0).all()
    assert (mixture.examine(words, mixture.advance(words, state)[0])[0] > 0).all()
    assert (mixture.contributions(mixture.context(state))[..., 2] == 0).all()
    assert np.isfinite(mixture.score(np.full((1, B), 2), state)[0]).all()


def test_parts_are_found_by_their_kind(network):
    mixture = Mixture([network], V)
    assert mixture.find(Network) is network
    assert mixture.find(Cache) is None
    assert mixture.names == ("network",)
