import math

import numpy as np
import pytest

from rnncli.errors import ModelError, SettingError
from rnncli.prediction import of_real_words, rank


def test_words_are_ranked_by_probability_and_unk_is_left_out(model):
    ranking = rank(model, "Tom is", 0)
    probabilities = [p for _, p in ranking.predictions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert math.fsum(probabilities) == pytest.approx(1)
    words = [word for word, _ in ranking.predictions]
    assert sorted(words) == sorted(set(model.vocabulary.words) - {"<unk>"})


def test_the_best_words_are_the_first_of_all(model):
    assert rank(model, "Mary", 3).predictions == rank(model, "Mary", 0).predictions[:3]


def test_unknown_words_are_named_and_read_as_unk(model):
    ranking = rank(model, "Tom was Bogus at science", 2)
    assert ranking.unknown_words == ["was", "Bogus"]
    assert len(ranking.predictions) == 2


def test_a_word_is_read_in_the_case_in_which_it_is_known(model):
    assert rank(model, "TOM IS", 3).predictions == rank(model, "tom is", 3).predictions
    assert rank(model, "TOM IS", 3).unknown_words == []


def test_an_empty_prompt_asks_for_the_first_word_of_a_unit(model):
    words = {word for word, _ in rank(model, "", 4).predictions}
    assert words == {"Tom", "Mary", "The", "My"}


def test_what_is_left_without_unk_sums_to_one():
    log_p = np.log(np.array([0.1, 0.5, 0.4], np.float32))
    np.testing.assert_allclose(np.exp(of_real_words(log_p)), [0.2, 0, 0.8], rtol=1e-6)


def test_real_words_keep_their_probabilities_where_unk_has_nearly_all():
    np.testing.assert_allclose(
        np.exp(of_real_words(np.array([-1001.0, 0.0, -1000.0]))), [0.268941, 0, 0.731059], rtol=1e-5
    )


def test_numbers_that_ran_over_are_told():
    with pytest.raises(ModelError, match="the model's numbers have run over"):
        of_real_words(np.array([np.nan, 0.0, 1.0]))


def test_a_negative_number_of_words_is_refused(model):
    with pytest.raises(SettingError, match="n is -1"):
        rank(model, "Tom", -1)
