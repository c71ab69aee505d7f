import numpy as np
import pytest

from rnncli.errors import SettingError
from rnncli.explanation import explain
from rnncli.prediction import rank

PROMPT = "Tom is not good at science, so he will"


@pytest.mark.parametrize("streams", [3, 64])
def test_an_influence_is_what_hiding_the_word_takes_from_the_log_probability(model, monkeypatch, streams):
    monkeypatch.setattr("rnncli.explanation.STREAMS", streams)
    explanation = explain(model, PROMPT)
    words = model.tokenizer.tokenize(PROMPT)
    assert [influence.word for influence in explanation.influences] == words
    best = rank(model, PROMPT, 1).predictions[0]
    assert explanation.word == best.word == "study"
    assert explanation.probability == pytest.approx(best.probability)
    for place, influence in enumerate(explanation.influences):
        hidden = " ".join([*words[:place], "<unk>", *words[place + 1 :]])
        without = dict(rank(model, hidden, 0).predictions)["study"]
        assert influence.change == pytest.approx(np.log(best.probability / without), abs=1e-3)


def test_the_whole_prompt_is_read(model):
    changes = {influence.word: influence.change for influence in explain(model, PROMPT).influences}
    assert changes["science"] > 1  # seven words before
    assert changes["science"] > changes["he"]


def test_the_parts_sum_to_the_probability(model):
    explanation = explain(model, PROMPT, "play")
    assert explanation.word == "play"
    assert list(explanation.parts) == list(model.lm.parts)
    assert sum(explanation.parts.values()) == pytest.approx(explanation.probability)
    (given,) = rank(model, PROMPT, among=["play"], parts=True).parts
    assert explanation.parts == pytest.approx(given, rel=1e-4)


def test_unknown_words_do_nothing_and_are_named(model):
    explanation = explain(model, "Bogus is not")
    assert explanation.influences[0].change == pytest.approx(0, abs=1e-5)
    assert explanation.unknown_words == ["Bogus"]


def test_an_empty_prompt_has_no_influences(model):
    assert explain(model, "").influences == []


def test_a_word_that_is_not_known_cannot_be_explained(model):
    with pytest.raises(SettingError, match="the model does not know the word 'Bogus'"):
        explain(model, PROMPT, "Bogus")


def test_a_long_prompt_is_explained_in_blocks_as_in_one(model, monkeypatch):
    whole, shares = explain(model, PROMPT), []
    monkeypatch.setattr("rnncli.explanation.STREAMS", 2)
    monkeypatch.setattr("rnncli.explanation.SIDE_BY_SIDE", 2)
    found = explain(model, PROMPT, progress=shares.append)
    assert [word.change for word in found.influences] == pytest.approx(
        [word.change for word in whole.influences], abs=1e-5
    )
    assert shares == sorted(set(shares))
    assert shares[-1] == 1
