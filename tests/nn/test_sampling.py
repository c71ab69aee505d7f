import numpy as np
import pytest

from rnncli.nn.sampling import Sampler

COUNTS = np.array([400, 0, 90, 1, 30, 30, 5, 60, 2, 7])
NONE = np.array([], int)


def frequencies_and_chances(sampler: Sampler, rng, words=lambda: NONE, times: int = 6000):
    """How often each word is in a sample, and what the samples say its probability was."""
    found, chance = np.zeros(len(COUNTS)), np.zeros(len(COUNTS))
    for _ in range(times):
        sample = sampler.sample(words(), rng)
        found[sample.words] += 1
        chance[sample.words] = np.exp(sample.log_chance)
    return found / times, chance


def test_a_sample_holds_the_words_of_the_step_and_each_word_once_in_order(rng):
    sample = Sampler(COUNTS, 3).sample(np.array([[9, 1], [3, 9]]), rng)
    assert {1, 3, 9} < set(sample.words.tolist())
    assert (np.diff(sample.words) > 0).all()
    assert sample.log_chance.shape == sample.words.shape


@pytest.mark.parametrize("draws", [1, 3, 7])
def test_a_word_is_drawn_as_often_as_its_chance_says(rng, draws):
    frequencies, chances = frequencies_and_chances(Sampler(COUNTS, draws), rng)
    np.testing.assert_allclose(frequencies, chances, atol=0.02)


def test_the_chance_counts_that_a_word_may_be_one_of_the_step(rng):
    unigram = (COUNTS + 1) / (COUNTS + 1).sum()
    words = lambda: rng.choice(len(COUNTS), 5, p=unigram)  # noqa: E731
    frequencies, chances = frequencies_and_chances(Sampler(COUNTS, 3), rng, words)
    np.testing.assert_allclose(frequencies, chances, atol=0.02)
    assert frequencies.sum() > frequencies_and_chances(Sampler(COUNTS, 3), rng)[0].sum() + 0.5


def test_words_are_drawn_by_their_smoothed_frequency(rng):
    weights = COUNTS + 1.0
    np.testing.assert_allclose(frequencies_and_chances(Sampler(COUNTS, 1), rng)[0], weights / weights.sum(), atol=0.02)


def test_frequent_words_are_sure_to_come_and_the_others_share_what_is_left(rng):
    frequencies, chances = frequencies_and_chances(Sampler(COUNTS, 4), rng)
    assert chances[[0, 2]].tolist() == frequencies[[0, 2]].tolist() == [1, 1]
    assert chances[4] / chances[6] == pytest.approx(31 / 6, rel=0.2)  # but for what may be hit twice
    assert frequencies.sum() == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("size", [10, 11, 500])
def test_a_sample_as_large_as_the_vocabulary_is_the_vocabulary(rng, size):
    sample = Sampler(COUNTS, size).sample(NONE, rng)
    assert sample.words.tolist() == list(range(len(COUNTS)))
    assert sample.log_chance.tolist() == [0] * len(COUNTS)


def test_words_that_are_all_equally_frequent_have_the_same_chance(rng):
    sample = Sampler(np.full(10, 3), 5).sample(NONE, rng)
    np.testing.assert_allclose(np.exp(sample.log_chance), 0.5)


def test_the_sum_over_a_sample_estimates_the_sum_over_all_words(rng):
    values, sampler = rng.random(len(COUNTS)), Sampler(COUNTS, 4)
    estimates = []
    for _ in range(4000):
        sample = sampler.sample(NONE, rng)
        estimates.append((values[sample.words] / np.exp(sample.log_chance)).sum())
    assert np.mean(estimates) == pytest.approx(values.sum(), rel=0.03)


def test_the_same_generator_draws_the_same_words():
    a, b = (Sampler(COUNTS, 3).sample(NONE, np.random.default_rng(2)).words for _ in range(2))
    np.testing.assert_array_equal(a, b)
