import numpy as np
import pytest

from rnncli.errors import SettingError, TextError
from rnncli.tasks.explain import GROUPS_PER_REPORT, VARIANTS_PER_GROUP, explain
from rnncli.tasks.predict import predict_all

PROMPT = "Tom is not good at science, so he will"


def by_prediction(model, words: list[str], hidden: int, target: str) -> float:
    """How likely a word is after some words, of which one is hidden."""
    prompt = " ".join([*words[:hidden], "<unk>", *words[hidden + 1 :]])
    return dict(predict_all(model, [prompt], 0)[0].predictions)[target]


def test_an_influence_is_what_hiding_the_word_takes_from_the_log_probability(model):
    explanation = explain(model, PROMPT)
    words = model.tokenizer.tokenize(PROMPT)
    assert [influence.word for influence in explanation.influences] == words
    (best,) = model.predict(PROMPT, 1)
    assert explanation.word == best.word == "study"
    assert explanation.probability == pytest.approx(best.probability)
    for place, influence in enumerate(explanation.influences):
        without = by_prediction(model, words, place, "study")
        assert influence.change == pytest.approx(np.log(best.probability / without), abs=1e-3)


def test_a_long_prompt_is_explained_group_by_group_and_its_progress_is_reported(model, corpus_file):
    words = model.tokenizer.tokenize(" ".join([*corpus_file.read_text().split()[:500], PROMPT]))
    assert len(words) > VARIANTS_PER_GROUP * GROUPS_PER_REPORT
    fractions = []
    explanation = explain(model, " ".join(words), "study", progress=fractions.append)
    assert [influence.word for influence in explanation.influences] == words
    for place in [0, VARIANTS_PER_GROUP - 1, VARIANTS_PER_GROUP, *range(len(words) - 12, len(words))]:
        without = by_prediction(model, words, place, "study")
        change = np.log(explanation.probability / without)
        assert explanation.influences[place].change == pytest.approx(change, abs=1e-3)
    assert len(fractions) > 1
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == 1


def test_of_a_very_long_prompt_the_last_words_are_explained_and_all_are_read(model, monkeypatch):
    whole = explain(model, PROMPT)
    monkeypatch.setattr("rnncli.tasks.explain.MAX_HIDDEN_WORDS", 4)
    explanation = explain(model, PROMPT)
    assert [influence.word for influence in explanation.influences] == [",", "so", "he", "will"]
    assert (explanation.word, explanation.probability) == (whole.word, whole.probability)
    changes = [influence.change for influence in whole.influences[-4:]]
    assert [influence.change for influence in explanation.influences] == pytest.approx(changes, abs=1e-4)


def test_the_whole_prompt_is_read(model):
    changes = {influence.word: influence.change for influence in explain(model, PROMPT).influences}
    assert changes["science"] > 1
    assert changes["science"] > changes["he"]


def test_the_parts_sum_to_the_probability(model):
    explanation = explain(model, PROMPT, "play")
    assert explanation.word == "play"
    assert tuple(explanation.parts) == model.lm.names
    assert sum(explanation.parts.values()) == pytest.approx(explanation.probability)
    (ranking,) = predict_all(model, [PROMPT], among=["play"], parts=True)
    assert explanation.parts == pytest.approx(ranking.parts[0], rel=1e-4)


def test_unknown_words_do_nothing_and_are_named(model):
    explanation = explain(model, "Bogus is not")
    assert explanation.influences[0].change == pytest.approx(0, abs=1e-5)
    assert explanation.unknown_words == ["Bogus"]


def test_an_empty_prompt_has_no_influences(model):
    assert explain(model, "").influences == []


def test_a_word_that_is_not_known_cannot_be_explained(model):
    with pytest.raises(SettingError, match="the model does not know the word 'Bogus'"):
        explain(model, PROMPT, "Bogus")


def test_a_blank_cannot_be_explained(model):
    with pytest.raises(TextError, match="'Tom is ___ good' has a blank: only what comes next is explained"):
        explain(model, "Tom is ___ good")
