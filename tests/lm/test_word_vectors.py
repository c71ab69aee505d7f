from itertools import pairwise
from math import log

import numpy as np
import pytest

from rnncli.lm import word_vectors as module
from rnncli.lm.word_vectors import word_vectors


def vectors_of(text: str, size: int) -> dict[str, np.ndarray]:
    words = text.split()
    names = sorted(set(words))
    ids = np.array([names.index(word) for word in words], np.uint16)
    vectors = word_vectors(ids, np.bincount(ids), size)
    assert vectors.shape == (len(names), size)
    assert vectors.dtype == np.float32
    return dict(zip(names, vectors, strict=True))


def test_words_with_the_same_neighbours_have_the_same_vector():
    text = "the cat sleeps . the dog sleeps . a boat sinks . a ship sinks . " * 3
    vectors = vectors_of(text, 8)
    assert vectors["cat"] @ vectors["dog"] == pytest.approx(1, abs=1e-5)
    assert vectors["boat"] @ vectors["ship"] == pytest.approx(1, abs=1e-5)
    assert vectors["cat"] @ vectors["ship"] < 0.5


@pytest.mark.parametrize("neighbours", [1000, 3])
@pytest.mark.parametrize("rows", [1024, 2])
def test_vectors_are_as_alike_as_what_the_pairs_of_neighbours_tell(monkeypatch, neighbours, rows, rng):
    monkeypatch.setattr(module, "MAX_NEIGHBOURS", neighbours)
    monkeypatch.setattr(module, "ROWS_PER_BLOCK", rows)
    words = 5
    ids = rng.choice(words, 60, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    counts = np.bincount(ids, minlength=words)
    frequent = np.argsort(-counts, kind="stable")[:neighbours]
    pairs = np.zeros((words, 2, words))
    for before, after in pairwise(ids):
        pairs[after, 0, before] += before in frequent
        pairs[before, 1, after] += after in frequent
    told = np.zeros(pairs.shape)
    for place, n in np.ndenumerate(pairs):
        if n:
            by_chance = pairs[place[0]].sum() * pairs[:, place[1], place[2]].sum() / pairs.sum()
            told[place] = max(0, log(n / by_chance)) * n / (n + 1)
    told = told.reshape(words, -1)
    lengths = np.linalg.norm(told, axis=1)
    vectors = word_vectors(ids, counts, 2 * words)
    np.testing.assert_allclose(vectors @ vectors.T, told @ told.T / np.outer(lengths, lengths), atol=1e-5)


def test_few_numbers_hold_the_most_that_they_can(rng):
    ids = rng.choice(30, 2000, p=np.arange(1, 31) / 465)
    counts = np.bincount(ids, minlength=30)
    whole, half, less = (word_vectors(ids, counts, size) for size in (60, 15, 3))
    angles = whole @ whole.T
    assert np.abs(half @ half.T - angles).mean() < np.abs(less @ less.T - angles).mean()


@pytest.mark.parametrize("words", [[], [0], [0, 0, 0]])
def test_words_of_which_a_text_tells_nothing_have_vectors_of_zeros(words):
    ids = np.array(words, np.int64)
    np.testing.assert_array_equal(word_vectors(ids, np.bincount(ids, minlength=3), 4), np.zeros((3, 4)))
