import numpy as np
import pytest

from rnncli.nn.sampling import Sampler

COUNTS = np.array([400, 0, 90, 1, 30, 30, 5, 60, 2, 7])
NONE = np.array([], int)


def frequencies_and_probabilities(sampler: Sampler, rng, words=lambda: NONE, times: int = 6000):
    """How often each word is in a sample, and what the samples say its probability was."""
    found, probability = np.zeros(len(COUNTS)), np.zeros(len(COUNTS))
    for _ in range(times):
        sample = sampler.sample(words(), rng)
        found[sample.words] += 1
        probability[sample.words] = np.exp(sample.log_probability)
    return found / times, probability


def test_a_sample_holds_the_words_of_the_step_and_each_word_once_in_order(rng):
    sample = Sampler(COUNTS, 3).sample(np.array([[9, 1], [3, 9]]), rng)
    assert {1, 3, 9} < set(sample.words.tolist())
    assert (np.diff(sample.words) > 0).all()
    assert sample.log_probability.shape == sample.words.shape


@pytest.mark.parametrize("draws", [1, 3, 7])
def test_a_word_is_drawn_as_often_as_its_probability_says(rng, draws):
    frequencies, probabilities = frequencies_and_probabilities(Sampler(COUNTS, draws), rng)
    np.testing.assert_allclose(frequencies, probabilities, atol=0.02)


def test_the_probability_counts_that_a_word_may_be_one_of_the_step(rng):
    unigram = (COUNTS + 1) / (COUNTS + 1).sum()
    words = lambda: rng.choice(len(COUNTS), 5, p=unigram)  # noqa: E731
    frequencies, probabilities = frequencies_and_probabilities(Sampler(COUNTS, 3), rng, words)
    np.testing.assert_allclose(frequencies, probabilities, atol=0.02)
    assert frequencies.sum() > frequencies_and_probabilities(Sampler(COUNTS, 3), rng)[0].sum() + 0.5


def test_words_are_drawn_by_their_smoothed_frequency(rng):
    weights = COUNTS + 1.0
    np.testing.assert_allclose(
        frequencies_and_probabilities(Sampler(COUNTS, 1), rng)[0], weights / weights.sum(), atol=0.02
    )


def test_frequent_words_are_always_drawn_and_the_others_by_their_frequency(rng):
    frequencies, probabilities = frequencies_and_probabilities(Sampler(COUNTS, 4), rng)
    assert probabilities[[0, 2]].tolist() == frequencies[[0, 2]].tolist() == [1, 1]
    assert probabilities[4] / probabilities[6] == pytest.approx(31 / 6, rel=0.2)  # but for what may be hit twice
    assert frequencies.sum() == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("size", [10, 11, 500])
def test_a_sample_as_large_as_the_vocabulary_is_the_vocabulary(rng, size):
    sample = Sampler(COUNTS, size).sample(NONE, rng)
    assert sample.words.tolist() == list(range(len(COUNTS)))
    assert sample.log_probability.tolist() == [0] * len(COUNTS)


def test_words_that_are_all_equally_frequent_have_the_same_probability(rng):
    sample = Sampler(np.full(10, 3), 5).sample(NONE, rng)
    np.testing.assert_allclose(np.exp(sample.log_probability), 0.5)


def test_the_sum_over_a_sample_estimates_the_sum_over_all_words(rng):
    values, sampler = rng.random(len(COUNTS)), Sampler(COUNTS, 4)
    estimates = []
    for _ in range(4000):
        sample = sampler.sample(NONE, rng)
        estimates.append((values[sample.words] / np.exp(sample.log_probability)).sum())
    assert np.mean(estimates) == pytest.approx(values.sum(), rel=0.03)


def test_the_same_generator_draws_the_same_words():
    a, b = (Sampler(COUNTS, 3).sample(NONE, np.random.default_rng(2)).words for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_each_word_is_smoothed_by_one_more_occurrence(rng):
    counts = np.array([0, 6, 0, 1, 0])
    probabilities = np.array([1, 7, 1, 2, 1]) / 12
    sampler, seen = Sampler(counts, 1), set()
    for _ in range(200):
        sample = sampler.sample(NONE, rng)
        np.testing.assert_allclose(np.exp(sample.log_probability), probabilities[sample.words])
        seen.update(sample.words.tolist())
    assert seen == set(range(5))  # a word that never occurred may be drawn too


def test_a_word_of_the_step_has_the_probability_to_be_there_or_drawn(rng):
    counts = np.array([0, 6, 0, 1, 0])
    probabilities = np.array([1, 7, 1, 2, 1]) / 12
    sample = Sampler(counts, 1).sample(np.array([[0, 3, 0]]), rng)
    absent = (1 - probabilities) ** 3 * (1 - probabilities)  # from three positions, and from one draw
    np.testing.assert_allclose(np.exp(sample.log_probability), (1 - absent)[sample.words])


def test_a_word_that_would_be_drawn_exactly_once_is_always_drawn(rng):
    sampler = Sampler(np.array([2, 0, 0, 0]), 2)  # weights 3, 1, 1, 1: two draws of the first would share the line
    assert sampler.always.tolist() == [0]
    assert sampler.draws == 1


def test_the_largest_random_number_draws_the_last_word(rng):
    class Largest:
        def random(self, size):
            return np.full(size, np.nextafter(1, 0))

    for _ in range(100):
        counts = rng.integers(0, 50, 40)
        sampler = Sampler(counts, 12)
        assert sampler.sampled[-1] in sampler.sample(NONE, Largest()).words
