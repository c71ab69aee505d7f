import numpy as np
import pytest

from rnncli.tasks.metrics import KeystrokeCounter, calibration, likeliest, perplexity_of_parts, ranks
from rnncli.text.vocabulary import EOS, UNK, UNK_ID

V = 9


@pytest.fixture
def p(rng):
    return rng.dirichlet(np.ones(V), 50)


def test_a_part_that_finds_a_word_impossible_has_no_perplexity():
    p = np.array([[0.5, 0.125], [0.25, 0.0]])
    assert perplexity_of_parts(["network", "cache"], p) == {"network": pytest.approx(4), "cache": None}


def test_a_rank_counts_the_likelier_words_that_can_be_named(p, rng):
    targets = rng.integers(0, V, 50)
    p[::3] = np.round(p[::3], 1)  # ties
    for row, target, found in zip(p, targets, ranks(p, targets), strict=True):
        order = [word for word in np.argsort(-row, kind="stable") if word != UNK_ID]
        assert found == (V if target == UNK_ID else order.index(target))


def test_the_best_word_is_never_unk(p):
    p[:5, UNK_ID] = 1.0
    before = p.copy()
    best, probability = likeliest(p)
    np.testing.assert_array_equal(p, before)
    others = np.delete(np.arange(V), UNK_ID)
    np.testing.assert_array_equal(best, others[p[:, others].argmax(axis=1)])
    np.testing.assert_allclose(probability, p[:, others].max(axis=1))


def test_the_calibration_error_is_the_mean_gap_between_confidence_and_accuracy():
    confidence = np.array([0.15, 0.15, 0.95, 0.95, 0.95, 1.0])
    right = np.array([False, True, True, True, False, True])
    error, bins = calibration(confidence, right)
    assert bins == [(pytest.approx(0.15), 0.5, 2), (pytest.approx(0.9625), 0.75, 4)]
    assert error == pytest.approx((2 * 0.35 + 4 * 0.2125) / 6)


def test_predictions_that_are_right_as_often_as_they_say_have_no_calibration_error():
    confidence = np.repeat([0.25, 0.75], 400)
    right = np.tile([True, False, False, False], 100), np.tile([True, True, True, False], 100)
    assert calibration(confidence, np.concatenate(right))[0] == pytest.approx(0)


WORDS = [EOS, UNK, "the", "a", "study", "stay", "stop", "sty", "play"]


def probabilities(*order: str) -> np.ndarray:
    """Probabilities by which these words come first, in this order, and the others after them."""
    ranked = [*order, *(word for word in WORDS if word not in order)]
    return 0.5 ** np.array([ranked.index(word) + 1 for word in WORDS])


@pytest.mark.parametrize(
    ("order", "word", "keys"),
    [
        (["study"], "study", 1),  # suggested at once
        (["the", "a", "study"], "study", 1),
        ([EOS, UNK, "the", "a", "study"], "study", 1),  # neither can be suggested
        (["the", "a", "play", "study"], "study", 2),  # s, accept
        (["the", "a", "play", "stay", "stop", "sty", "study"], "study", 4),  # s t u, accept
        (["the", "a", "stay", "stop", "study", "sty"], "sty", 4),  # s t y, accept: not suggested before
        (["the", "a", "play", "stay", "stop", "study", "sty"], EOS, 1),
    ],
    ids=str,
)
def test_keys_are_letters_until_the_word_is_among_the_three_suggested_and_one_to_accept(order, word, keys):
    assert KeystrokeCounter(WORDS).keys(probabilities(*order), WORDS.index(word)) == keys


def test_a_word_that_is_the_beginning_of_likelier_ones_is_typed_to_its_end():
    words = [EOS, UNK, "in", "into", "inner", "inns"]
    p = -np.array([9.0, 9.0, 5.0, 1.0, 2.0, 3.0])
    assert KeystrokeCounter(words).keys(p, 2) == 3  # i n, space
