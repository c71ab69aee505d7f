import numpy as np
import pytest

from rnncli.lm import cache as caches
from rnncli.lm.cache import DOUBT, FADING, Cache, keys_of

T, B, D, V = 9, 2, 3, 5


@pytest.fixture
def features(rng):
    return rng.normal(size=(T, B, D)).astype(np.float32)


@pytest.fixture
def words(rng):
    return rng.integers(0, V, (T, B))


def by_the_book(features, words, t, b, size, sharpness) -> np.ndarray:
    """The formula, one place at a time."""
    p = np.zeros(V)
    for i in range(max(0, t - size), t):
        then, now = features[i, b], features[t, b]
        cosine = then @ now / np.linalg.norm(then) / np.linalg.norm(now)
        p[words[i, b]] += np.exp(sharpness * (cosine - 1) - FADING * (t - i) / size)
    return p / (p.sum() + DOUBT)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_chance_of_a_word_is_that_of_the_formula(size, features, words):
    cache = Cache(size, 0.8)
    glance = cache.look_back(keys_of(features), words, cache.start(B, D))
    p = np.zeros((T, B, V))
    caches.add_to(p, glance, np.ones((T, B)))
    for t, b in np.ndindex(T, B):
        np.testing.assert_allclose(p[t, b], by_the_book(features, words, t, b, size, 0.8), rtol=1e-5)
    np.testing.assert_allclose(
        caches.probability(words, glance), np.take_along_axis(p, words[..., None], 2)[..., 0], rtol=1e-5
    )


def test_reading_in_parts_gives_the_same_and_keeps_no_more_than_the_size(features, words):
    cache, keys = Cache(4, 0.8), keys_of(features)
    whole = cache.look_back(keys, words, cache.start(B, D))
    state, found = cache.start(B, D), []
    for part in (slice(0, 2), slice(2, 3), slice(3, T)):
        glance = cache.look_back(keys[:, part], words[part], state)
        state = cache.read(keys[:, part], words[part], state)
        found.append(caches.probability(words[part], glance))
    np.testing.assert_allclose(np.concatenate(found), caches.probability(words, whole), rtol=1e-5)
    assert state.keys.shape == (B, 4, D)
    np.testing.assert_array_equal(state.words, words[-4:].T)


def test_each_place_adds_its_share(features, words, rng):
    cache, share = Cache(100, 0.8), rng.random((T, B))
    glance = cache.look_back(keys_of(features), words, cache.start(B, D))
    p = np.ones((T, B, V))
    caches.add_to(p, glance, share)
    np.testing.assert_allclose(p.sum(axis=2), V + share * glance.total, rtol=1e-5)
    np.testing.assert_array_equal(p[0], 1)  # nothing is there to look back to


def test_features_of_any_size_give_numbers(features, words):
    cache = Cache(100, 1.0)
    for scale in (1e-36, 1e-15, 1e4, 1e36):
        glance = cache.look_back(keys_of(features * np.float32(scale)), words, cache.start(B, D))
        assert ((glance.total[1:] > 0.5) & (glance.total[1:] < 1)).all()
    nothing = cache.look_back(keys_of(np.zeros_like(features)), words, cache.start(B, D))
    assert (nothing.total[1:] < 1).all()


def test_the_less_is_alike_the_less_is_said(words):
    cache, alike = Cache(100, 10.0), np.tile(np.float32([[1, 0, 0]]), (T, B, 1))
    unlike = alike.copy()
    unlike[-1] = [0, 1, 0]
    said = [cache.look_back(keys_of(now), words, cache.start(B, D)).total[-1] for now in (alike, unlike)]
    assert (said[0] > 0.9).all()
    assert (said[1] < 0.01).all()
