from dataclasses import replace

import numpy as np
import pytest

from rnncli.errors import ModelError, TextError
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_config import NetworkConfig, initial_values
from rnncli.model import Model
from rnncli.tasks.fill import CANDIDATES_PER_GROUP, MIN_CANDIDATES, fill
from rnncli.tasks.predict import predict_all
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS, UNK, Vocabulary


def by_reading(model, before: str, after: str) -> dict[str, float]:
    """The probability of each word between two texts, by reading every such text from its beginning."""
    words = model.vocabulary.words[2:]
    nll = []
    for word in words:
        ids, _ = model.encode(f"{before} {word} {after}")
        nll.append(model.lm.score(ids, model.lm.initial_state(1))[0].sum())
    p = np.exp(min(nll) - np.array(nll))
    return dict(zip(words, (p / p.sum()).tolist(), strict=True))


def answer(model, prompt: str, n: int = 10, **options):
    (ranking,) = predict_all(model, [prompt], n, **options)
    return ranking


@pytest.fixture(scope="module")
def many_words():
    """A model of 600 words that has learned nothing."""
    vocabulary = Vocabulary([EOS, UNK, *(f"w{number}" for number in range(600))])
    dropouts = {"dropout": 0.0, "word_dropout": 0.0, "recurrent_dropout": 0.0}
    config = NetworkConfig(vocabulary_size=602, embedding_size=8, hidden_size=8, **dropouts)
    values = {name: 10 * value for name, value in initial_values(config, np.random.default_rng(1)).items()}
    return Model(Mixture([Network(config, values)], 602), vocabulary, Tokenizer("whitespace"))


def test_a_blank_is_filled_from_both_sides(model):
    before, after = "Tom is not good at", ", so he will study more."
    found = answer(model, f"{before} ___{after}", 0).predictions
    assert found[0].word == "science"
    assert dict(found) == pytest.approx(by_reading(model, before, after), rel=1e-3, abs=1e-9)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)


def test_the_candidates_are_read_in_groups_and_only_the_likeliest_words_after_the_context_are_tried(many_words):
    assert CANDIDATES_PER_GROUP < MIN_CANDIDATES < 600
    before, after = "w1 w2", "w3 w4 w5"
    found = answer(many_words, f"{before} ___ {after}", MIN_CANDIDATES).predictions
    assert len(found) == MIN_CANDIDATES
    after_context = predict_all(many_words, [before], 0)[0].predictions
    likeliest = [word for word, _ in after_context if word != EOS][:MIN_CANDIDATES]
    assert {word for word, _ in found} == set(likeliest)
    every = by_reading(many_words, before, after)
    total = sum(every[word] for word in likeliest)
    assert dict(found) == pytest.approx({word: every[word] / total for word in likeliest}, rel=1e-3, abs=1e-9)
    assert sum(p for _, p in found) == pytest.approx(1)


@pytest.mark.parametrize(("n", "found"), [(501, 501), (550, 550), (600, 600), (1000, 600), (0, 600)])
def test_a_blank_is_filled_by_as_many_words_as_are_asked_for(many_words, n, found):
    predictions = answer(many_words, "w1 w2 ___ w3", n).predictions
    assert len(predictions) == found
    assert sum(p for _, p in predictions) == pytest.approx(1)
    if found == 600:
        assert dict(predictions) == pytest.approx(by_reading(many_words, "w1 w2", "w3"), rel=1e-3, abs=1e-9)


def test_a_blank_at_the_end_asks_for_the_next_word_but_the_end_of_the_unit(model):
    found = answer(model, "Tom is ___", 0).predictions
    after = {word: p for word, p in answer(model, "Tom is", 0).predictions if word != "<eos>"}
    assert dict(found) == pytest.approx({word: p / sum(after.values()) for word, p in after.items()}, rel=1e-4)


def test_a_blank_is_filled_among_some_words(model):
    every = dict(answer(model, "Tom is ___ at chess", 0).predictions)
    few = dict(answer(model, "Tom is ___ at chess", among=["good", "Mary"]).predictions)
    total = every["good"] + every["Mary"]
    assert few == pytest.approx({word: every[word] / total for word in ("good", "Mary")}, rel=1e-4)


def test_a_blank_is_not_filled_with_the_end_of_a_unit(model):
    assert [word for word, _ in answer(model, "Tom is ___ at", among=["<eos>", "good"]).predictions] == ["good"]
    assert answer(model, "Tom is ___ at", among=["<eos>"]).predictions == []


def test_unknown_words_on_both_sides_are_named(model):
    assert answer(model, "Bogus is ___ at knitting").unknown_words == ["Bogus", "knitting"]


def test_blanks_and_other_prompts_are_answered_in_their_order(model):
    prompts = ["Tom is", "Tom is ___ at chess", "Mary"]
    assert [ranking.prompt for ranking in predict_all(model, prompts)] == prompts


def test_two_blanks_are_refused(model):
    with pytest.raises(TextError, match="has several blanks: fill one at a time"):
        answer(model, "Tom ___ ___ good")


def test_the_parts_of_a_blank_are_refused(model):
    with pytest.raises(TextError, match="has a blank: what the parts give is told of the next word only"):
        answer(model, "Tom is ___ good", parts=True)


def test_a_blank_may_have_any_length_from_three_on(model):
    three, more = (answer(model, f"Tom is {blank} at chess").predictions for blank in ("___", "_______"))
    assert three == more
    assert answer(model, "Tom is __ at chess").unknown_words  # two are none


def test_filling_needs_a_blank(model):
    with pytest.raises(TextError, match="'Tom is' has no blank: write ___ where a word is missing"):
        model.fill("Tom is")
    assert model.fill("Tom is ___ at chess", 3) == answer(model, "Tom is ___ at chess", 3).predictions


def test_a_network_of_numbers_that_overflow_is_refused(many_words):
    network = many_words.lm.find(Network)
    values = {**network.values(), "softmax.bias": np.full(602, np.nan, np.float32)}
    broken = replace(many_words, lm=Mixture([Network(network.config, values)], 602))
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        fill(broken, "w1", "w2")
