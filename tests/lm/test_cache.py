import numpy as np
import pytest

from rnncli.errors import SettingError
from rnncli.lm.cache import DECAY, FREE_PLACES, SHARPNESSES, SIZES, UNSEEN_MASS, Cache, keys_of

T, B, D, V = 9, 2, 3, 5


@pytest.fixture
def features(rng):
    return rng.normal(size=(T, B, D)).astype(np.float32)


@pytest.fixture
def words(rng):
    return rng.integers(0, V, (T, B))


def attention(cache: Cache, features: np.ndarray, words: np.ndarray):
    """What an empty cache sees from each place as it reads the words."""
    context, _ = cache.advance(words, cache.initial_state(B), {"network": features})
    return context


def distribution(cache: Cache, context) -> np.ndarray:
    p = np.zeros((T, B, V))
    cache.add_to(p, context, np.ones((T, B)))
    return p


def by_the_formula(features, words, t, b, size, sharpness) -> np.ndarray:
    """The probabilities of all words, one place at a time."""
    p = np.zeros(V)
    for i in range(max(0, t - size), t):
        then, now = features[i, b], features[t, b]
        cosine = then @ now / np.linalg.norm(then) / np.linalg.norm(now)
        p[words[i, b]] += np.exp(sharpness * (cosine - 1) - DECAY * (t - i) / size)
    return p / (p.sum() + UNSEEN_MASS)


@pytest.mark.parametrize("sharpness", [0.8, 10.0])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_probability_of_a_word_is_that_of_the_formula(size, sharpness, features, words):
    cache = Cache(size, sharpness)
    context = attention(cache, features, words)
    p = distribution(cache, context)
    for t, b in np.ndindex(T, B):
        np.testing.assert_allclose(p[t, b], by_the_formula(features, words, t, b, size, sharpness), rtol=1e-5)
    own = np.take_along_axis(p, words[..., None], 2)[..., 0]
    np.testing.assert_allclose(cache.probability(words, context), own, rtol=1e-5)
    np.testing.assert_allclose(cache.mass(context), p.sum(axis=2), rtol=1e-5, atol=1e-6)


def test_the_unseen_mass_and_the_decay_are_those_that_stored_models_were_tuned_with():
    assert (UNSEEN_MASS, DECAY) == (0.08, 3.0)


@pytest.mark.parametrize("size", [4, 100, 2 * FREE_PLACES])
def test_two_texts_that_begin_alike_go_on_word_by_word_without_harm_to_each_other(size, rng):
    cache = Cache(size, 0.8)
    steps = 2 * FREE_PLACES + 50
    texts = [
        (rng.normal(size=(steps, 1, D)).astype(np.float32), rng.integers(0, V, (steps, 1)))
        for _ in ("the beginning", "one end", "another end")
    ]
    state = cache.initial_state(1)
    states = []
    for features, words in texts:
        for t in range(steps):
            _, state = cache.advance(words[t : t + 1], state, {"network": features[t : t + 1]})
        states.append(state)
        state = states[0]
    for ends, found in ((texts[:1], states[0]), (texts[:2], states[1]), (texts[::2], states[2])):
        features, words = (np.concatenate(arrays) for arrays in zip(*ends, strict=True))
        _, expected = cache.advance(words, cache.initial_state(1), {"network": features})
        np.testing.assert_array_equal(found.words, expected.words)
        np.testing.assert_allclose(found.keys, expected.keys, rtol=1e-6)


def test_reading_in_pieces_gives_the_same_and_keeps_no_more_than_the_size(features, words):
    cache = Cache(4, 0.8)
    whole = attention(cache, features, words)
    state = cache.initial_state(B)
    found = []
    for piece in (slice(0, 2), slice(2, 3), slice(3, T)):
        alone = cache.context(state, {"network": features[piece][:1]})
        context, state = cache.advance(words[piece], state, {"network": features[piece]})
        found.append(cache.probability(words[piece], context))
        np.testing.assert_allclose(cache.probability(words[piece][:1], alone), found[-1][:1], rtol=1e-5)
    np.testing.assert_allclose(np.concatenate(found), cache.probability(words, whole), rtol=1e-5)
    assert state.keys.shape == (B, 4, D)
    np.testing.assert_array_equal(state.words, words[-4:].T)


def test_each_place_adds_its_weight(features, words, rng):
    cache = Cache(100, 0.8)
    weight = rng.random((T, B))
    context = attention(cache, features, words)
    p = np.ones((T, B, V))
    cache.add_to(p, context, weight)
    np.testing.assert_allclose(p.sum(axis=2), V + weight * cache.mass(context), rtol=1e-5)
    np.testing.assert_array_equal(p[0], 1)  # nothing is in the cache yet


def test_features_of_any_size_give_numbers(features, words):
    cache = Cache(100, 1.0)
    for scale in (1e-36, 1e-15, 1e4, 1e36):
        mass = cache.mass(attention(cache, features * np.float32(scale), words))
        assert ((mass[1:] > 0.5) & (mass[1:] < 1)).all()
    nothing = cache.mass(attention(cache, np.zeros_like(features), words))
    assert (nothing[1:] < 1).all()


def test_the_less_is_similar_the_less_mass_is_claimed(words):
    cache = Cache(100, 10.0)
    alike = np.tile(np.float32([[1, 0, 0]]), (T, B, 1))
    unlike = alike.copy()
    unlike[-1] = [0, 1, 0]
    similar, different = (cache.mass(attention(cache, features, words))[-1] for features in (alike, unlike))
    assert (similar > 0.9).all()
    assert (different < 0.01).all()


def test_the_variants_of_a_cache_have_every_size_and_sharpness_and_share_its_contexts(features, words, monkeypatch):
    monkeypatch.setattr("rnncli.lm.cache.SIZES", (3, 2, 6, 50))
    variants = Cache(7, SHARPNESSES[0]).variants()
    assert [(variant.size, variant.sharpness) for variant in variants] == [
        (size, sharpness) for size in (3, 2, 6, 7) for sharpness in SHARPNESSES
    ]
    assert sorted(SHARPNESSES) != list(SHARPNESSES)  # the usual one is first, not the smallest
    shared = Cache(7, SHARPNESSES[0]).initial_state(B)
    states = [variant.initial_state(B) for variant in variants]
    for part in (slice(0, 5), slice(5, T)):
        before = {"network": features[part]}
        context, shared = Cache(7, SHARPNESSES[0]).advance(words[part], shared, before)
        read = [variant.advance(words[part], state, before) for variant, state in zip(variants, states, strict=True)]
        states = [state for _, state in read]
        for variant, (own, _) in zip(variants, read, strict=True):
            p = variant.probability(words[part], context)
            np.testing.assert_allclose(p, variant.probability(words[part], own), rtol=1e-6)
            np.testing.assert_allclose(variant.mass(context), variant.mass(own), rtol=1e-5, atol=1e-7)


def test_the_sizes_to_choose_from_are_at_most_that_which_was_asked_for():
    assert {variant.size for variant in Cache(8000, 1.0).variants()} == set(SIZES)
    assert {variant.size for variant in Cache(3000, 1.0).variants()} == {2000, 3000}
    assert {variant.size for variant in Cache(100, 1.0).variants()} == {100}


@pytest.mark.parametrize("size", [0, -1, 1_000_001])
def test_a_size_that_makes_no_sense_is_refused(size):
    with pytest.raises(SettingError, match=f"cache_size is {size}, and must be from 1 to 1,000,000"):
        Cache(size, 1.0)


def test_of_several_networks_the_mean_of_the_cosines_counts(rng):
    features = tuple(rng.normal(size=(T, B, width)).astype(np.float32) for width in (D, D + 2))
    keys = keys_of(features)
    alone = [keys_of(own) for own in features]
    expected = np.mean([own @ own.swapaxes(1, 2) for own in alone], axis=0)
    np.testing.assert_allclose(keys @ keys.swapaxes(1, 2), expected, rtol=1e-5, atol=1e-6)
