import math
from dataclasses import replace

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError, SettingError, TextError
from rnncli.lm.mixture import Mixture
from rnncli.tasks.predict import (
    GROUP_WORDS,
    PROMPTS_PER_GROUP,
    SPREAD_WORDS,
    best_of_each,
    best_words,
    predict_all,
    without_unk,
)


def rank(model, prompt: str, n: int = 10, **options):
    (ranking,) = predict_all(model, [prompt], n, **options)
    return ranking


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


def test_without_unk_the_probabilities_sum_to_one():
    np.testing.assert_allclose(without_unk(np.array([0.1, 0.5, 0.4], np.float32)), [0.2, 0, 0.8], rtol=1e-6)


def test_words_that_can_be_named_keep_their_proportions_where_unk_has_nearly_all():
    p = np.array([1e-30, 1.0, 3e-30], np.float32)
    np.testing.assert_allclose(without_unk(p), [0.25, 0, 0.75], rtol=1e-6)


def test_probabilities_that_are_no_numbers_are_refused():
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        without_unk(np.array([np.nan, 0.0, 1.0]))


def test_a_negative_number_of_words_is_refused(model):
    with pytest.raises(SettingError, match="n is -1"):
        rank(model, "Tom", -1)


PROMPTS = ["Tom is", "", "The doctor is not good at French, so he will", "Mary", "Bogus is not", "Tom is"]


def assert_same(ranking, other) -> None:
    assert [word for word, _ in ranking.predictions] == [word for word, _ in other.predictions]
    np.testing.assert_allclose([p for _, p in ranking.predictions], [p for _, p in other.predictions], rtol=1e-4)
    assert ranking.unknown_words == other.unknown_words
    for parts, expected in zip(ranking.parts, other.parts, strict=True):
        assert parts == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_prompts_of_several_lengths_are_answered_in_their_order_as_each_by_itself(model):
    rankings = predict_all(model, PROMPTS, 5, parts=True)
    assert [ranking.prompt for ranking in rankings] == PROMPTS
    for prompt, ranking in zip(PROMPTS, rankings, strict=True):
        assert_same(ranking, rank(model, prompt, 5, parts=True))


def test_more_prompts_than_are_read_together_are_answered_as_each_by_itself(model, corpus_file):
    words = corpus_file.read_text().split()
    lengths = [*range(3 * SPREAD_WORDS), *[9] * (PROMPTS_PER_GROUP + 5), 0, 3]
    prompts = [" ".join(words[place : place + length]) for place, length in enumerate(lengths)]
    rankings = predict_all(model, prompts, 3, parts=True)
    assert [ranking.prompt for ranking in rankings] == prompts
    for place in [*range(0, len(prompts), 7), len(prompts) - 2, len(prompts) - 1]:
        assert_same(rankings[place], rank(model, prompts[place], 3, parts=True))


@pytest.mark.parametrize("complete", [False, True])
def test_the_parts_of_a_prediction_sum_to_its_probability(model, complete):
    ranking = rank(model, "Tom is not good at m", 3, parts=True, complete=complete)
    assert len(ranking.parts) == 3
    for (_, probability), parts in zip(ranking.predictions, ranking.parts, strict=True):
        assert tuple(parts) == model.lm.names
        assert sum(parts.values()) == pytest.approx(probability)


def test_no_prompts_have_no_answers(model):
    assert predict_all(model, []) == []


def test_only_the_words_among_are_ranked_with_their_own_probabilities(model):
    prompt = "Tom is not good at science, so he will"
    every = dict(rank(model, prompt, 0).predictions)
    few = rank(model, prompt, among=["play", "Study", "Bogus"]).predictions
    assert few == [("study", every["study"]), ("play", every["play"])]
    assert rank(model, prompt, 1, among=["play", "study"]).predictions == few[:1]
    with pytest.raises(SettingError, match="the model knows none of the words Bogus: name some"):
        rank(model, prompt, among=["Bogus"])


def test_a_half_typed_word_is_completed_with_probabilities_among_the_words_that_fit(model):
    every = dict(rank(model, "Tom is not good at", 0).predictions)
    assert rank(model, "Tom is not good at z", complete=True).predictions == []
    fitting = {word: p for word, p in every.items() if word in ("music", "Mary", "My", "more")}
    found = rank(model, "Tom is not good at m", complete=True).predictions
    assert dict(found) == pytest.approx({word: p / sum(fitting.values()) for word, p in fitting.items()})
    assert found[0].word == "music"
    assert sum(p for _, p in rank(model, "Tom is not good at m", 1, complete=True).predictions) < 1


def test_a_word_that_is_begun_with_a_capital_is_offered_with_it(model):
    assert "Science" not in model.vocabulary.words
    assert rank(model, "Tom is not good at Sc", 1, complete=True).predictions == [("Science", 1.0)]
    assert [word for word, _ in model.suggester(1).suggest("Tom is not good at Sc")] == ["Science"]


def test_where_nothing_is_typed_yet_the_next_word_is_asked_for(model):
    whole = "Tom is not good at science, so he will study more. "
    assert rank(model, whole, 1).predictions[0].word == "<eos>"
    for prompt in ("Tom is ", "", whole):
        every = dict(model.predict(prompt, 0))
        completed = model.complete(prompt, 0)
        rest = 1 - every.pop("<eos>")  # nobody types an <eos>
        assert [word for word, _ in completed] == list(every)
        assert [p for _, p in completed] == pytest.approx([p / rest for p in every.values()], rel=1e-2)


def test_a_blank_is_not_filled_while_a_word_is_completed(model):
    with pytest.raises(TextError, match="'Tom ___ a' has a blank: fill it, or complete the last word"):
        rank(model, "Tom ___ a", complete=True)


def test_the_best_words_are_the_first_of_equals():
    p = np.array([0.1, 0.0, 0.3, 0.1, 0.3, 0.1])
    assert best_words(p, 0).tolist() == [2, 4, 0, 3, 5]
    assert best_words(p, 3).tolist() == [2, 4, 0]
    assert best_words(p, 1).tolist() == [2]
    assert best_words(p, 9, np.array([5, 1, 0])).tolist() == [5, 0]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 199, 200, 300])
def test_the_best_words_of_many_are_those_of_a_sort(rng, n):
    assert 200 % GROUP_WORDS
    p = np.round(rng.random(200), 2)  # so some are equal
    p[198] = 2.0  # after the last whole group
    expected = sorted(np.flatnonzero(p), key=lambda word: (-p[word], word))[:n]
    assert best_words(p, n).tolist() == expected


@pytest.mark.parametrize("n", [0, 1, 3, 10, 130, 300])
def test_the_best_words_of_each_row_are_those_of_the_row_alone(rng, n):
    p = np.round(rng.random((4, 200)), 2)
    p[1] = 0.005  # all alike
    p[2, :190] = 0  # fewer possible words than are asked for
    p[3] = 0
    assert [best.tolist() for best in best_of_each(p, n)] == [best_words(row, n).tolist() for row in p]
    assert [len(best) for best in best_of_each(p, 300)][1:] == [200, np.count_nonzero(p[2]), 0]


def test_a_prompt_without_an_answer_is_refused_before_the_others_are_read(model):
    lm = Mixture([], len(model.vocabulary))  # which answers nothing
    with pytest.raises(TextError, match="has several blanks: fill one at a time"):
        predict_all(replace(model, lm=lm), ["Tom is", "Tom ___ ___ good"])


def test_words_are_shown_as_the_corpus_writes_them(tmp_path):
    path = tmp_path / "curly.txt"
    path.write_text("“I don’t know -- no,” he said.\n“I don’t--no,” he said.\n" * 20, "utf-8")
    model = rnncli.train(path, epochs=20, hidden_size=16, threads=1, valid=[path])
    assert model.predict('"I', 1)[0].word == model.predict("“I", 1)[0].word == "don’t"
    assert model.complete("“I don", 1)[0].word == "don’t"
    marks = [word for word, _ in model.predict("“I don’t know", 0)]
    assert marks.count("--") == 1
    assert sum(probability for _, probability in model.predict("“I don’t", 0)) == pytest.approx(1, abs=1e-5)
    assert model.generate("“I don’t know", 20, temperature=0).splitlines()[0] == " -- no,” he said."
