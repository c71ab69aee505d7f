"""What a model says about its license goes on to the models that are made of it."""

from dataclasses import replace

import pytest

import rnncli
from rnncli.model import LICENSE
from rnncli.tasks.mix import mix

TERMS = "CC BY-SA 4.0"


@pytest.fixture
def licensed(model):
    return replace(model, about=model.about | {LICENSE: TERMS})


@pytest.mark.parametrize(
    "make",
    [
        lambda model, text: model.learned(text),
        lambda model, text: model.adapted(text),
        lambda model, text: model.compressed(bits=8, ngrams=50),
        lambda model, text: rnncli.train(text, init=model, epochs=1),
        lambda model, text: mix(model, replace(model, about={})),
        lambda model, text: mix(model, model),
    ],
)
def test_a_model_that_is_made_of_another_keeps_its_license(licensed, corpus_file, make):
    assert make(licensed, corpus_file).about[LICENSE] == TERMS


def test_a_mix_has_the_licenses_of_both(licensed):
    other = replace(licensed, about={LICENSE: "MIT"})
    assert mix(licensed, other).about[LICENSE] == f"{TERMS}; MIT"


def test_a_model_of_ones_own_text_has_none(corpus_file):
    assert LICENSE not in rnncli.train(corpus_file, hidden_size=8, epochs=1).about
