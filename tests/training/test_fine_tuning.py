"""Going on from a model, with another text."""

import math

import numpy as np
import pytest

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.network_config import extended_values
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_beside import BaseNGram
from rnncli.lm.perplexity import perplexity
from rnncli.text.annotation import annotated
from rnncli.text.spacer import Spacer
from rnncli.text.tokenizers import Tokenizer
from rnncli.training import interpolation

WORD = Tokenizer("word", fold=True)


@pytest.fixture
def other_file(tmp_path):
    """A text of known words and a new one, in other sentences."""
    path = tmp_path / "other.txt"
    path.write_text("The penguin will not study chess, so Tom is good.\nMary will read more penguin music.\n" * 40)
    return path


def alone(network: Network) -> Mixture:
    """Return a model of the network alone."""
    return Mixture([network], network.config.vocabulary_size)


def test_fine_tuning_does_better_on_a_new_text_than_the_model_it_began_with(model, other_file):
    tuned = rnncli.train([other_file], init=model, epochs=12, bptt=10)
    assert tuned.vocabulary.words == [*model.vocabulary.words, "penguin"]
    assert tuned.lm.find(Network).config.hidden_size == model.lm.find(Network).config.hidden_size
    before, after = (m.evaluate([other_file]) for m in (model, tuned))
    assert after.perplexity < before.perplexity / 2
    assert after.perplexity_of_parts["network"] < before.perplexity_of_parts["network"]
    assert tuned.predict("The", 1)[0].word in ("penguin", "doctor")


def test_new_words_are_at_first_to_the_network_what_unknown_words_are(model, other_file):
    trainer = rnncli.start_training([other_file], init=model, epochs=1)
    words = np.array([[4], [5]])
    states = []
    distributions = []
    for lm in (alone(trainer.state.network), alone(model.lm.find(Network))):
        state = lm.read(words, lm.initial_state(1))
        states.append(state.states[0][0].h)
        distributions.append(lm.distribution(lm.context(state))[0, 0])
    np.testing.assert_allclose(states[0], states[1], rtol=1e-5, atol=1e-6)
    p, q = distributions
    np.testing.assert_allclose(np.delete(p[:-1], 1), np.delete(q, 1), rtol=1e-4)
    assert p[1] + p[-1] == pytest.approx(q[1], rel=1e-4)
    assert p[-1] > p[1]


def test_a_fine_tuning_that_is_worse_at_first_goes_on_as_long_as_its_reports_get_better(model, other_file, finish):
    trainer = rnncli.start_training([other_file], init=model, epochs=8, patience=2, lr=1e-5, dropout=0.0)
    begun_with = trainer.state.best.perplexity = 1.0
    perplexities = [report.valid_perplexity for report in finish(trainer)]
    assert perplexities == sorted(perplexities, reverse=True)
    assert len(perplexities) == 8
    assert trainer.state.best.perplexity == begun_with
    assert trainer.state.cooldown is None


@pytest.mark.parametrize("weight", ["", ":3"])
def test_the_network_goes_as_much_of_the_way_as_the_text_has_words(model, other_file, finish, monkeypatch, weight):
    trainer = rnncli.start_training([f"{other_file}{weight}"], init=model, epochs=1)
    finish(trainer)
    monkeypatch.setattr(interpolation, "WORDS_FOR_WHOLE_WAY", 4 * len(trainer.corpus.train))
    begun_with = extended_values(model.lm.find(Network).values(), trainer.corpus.counts())
    for name, value in trainer.best().lm.find(Network).values().items():
        trained = trainer.state.best.values[name]
        assert not np.array_equal(trained, begun_with[name])
        np.testing.assert_allclose(value, 0.75 * begun_with[name] + 0.25 * trained, rtol=1e-5, atol=1e-6)


def test_for_a_long_text_the_network_goes_the_whole_way(model, other_file, finish, monkeypatch):
    monkeypatch.setattr(interpolation, "WORDS_FOR_WHOLE_WAY", 100)
    trainer = rnncli.start_training([other_file], init=model, epochs=1)
    finish(trainer)
    assert not trainer.state.begun_with
    for name, value in trainer.best().lm.find(Network).values().items():
        np.testing.assert_array_equal(value, trainer.state.best.values[name])


def test_fine_tuning_never_ends_with_a_worse_network_than_it_began_with(model, other_file, finish):
    untouched = {name: value.copy() for name, value in model.lm.find(Network).values().items()}
    trainer = rnncli.start_training([other_file], init=model, epochs=1, lr=1e3, clip=0.0)
    first = trainer.state.best.perplexity
    assert math.isfinite(first)
    finish(trainer)
    assert trainer.state.history[-1].valid_perplexity > first
    best = alone(trainer.best().lm.find(Network))
    assert perplexity(trainer.watch.loss(best)) == pytest.approx(first)
    for name, value in model.lm.find(Network).values().items():
        np.testing.assert_array_equal(value, untouched[name])


def test_fine_tuning_keeps_how_the_model_writes_what_the_new_text_says_nothing_of(noted_model, tmp_path):
    assert any(noted_model.detokenizer.rules)
    (tmp_path / "other.txt").write_text("The cat slept and purred.\n" * 30)
    tuned = rnncli.train([tmp_path / "other.txt"], init=noted_model, epochs=1)
    assert tuned.detokenizer == noted_model.detokenizer
    assert tuned.vocabulary.words == noted_model.vocabulary.words
    assert tuned.detokenize(["The", "cat's", "toy", "costs", "5", "€", "."]) == "The cat’s toy costs 5€."
    for line in ("The cat slept -- then left.", "The cat slept--then left."):
        np.testing.assert_array_equal(tuned.encode(line)[0], noted_model.encode(line)[0])


def test_a_mark_that_the_model_foresees_with_spaces_is_noted_where_a_new_text_joins_it(noted_model, tmp_path):
    (tmp_path / "joined.txt").write_text("The cat slept--then left.\nThe toy costs 5 €.\n" * 5)
    training = rnncli.start_training([tmp_path / "joined.txt"], init=noted_model, epochs=1)
    words = [training.corpus.vocabulary.word(number) for number in training.corpus.train[:14].tolist()]
    assert "".join(Spacer(training.corpus.detokenizer, WORD).write(words[:7])) == "The cat slept--then left."
    assert words[3] == annotated("--", "", None)
    assert words[8:] == ["The", "toy", "costs", "5", annotated("€", " ", None), "."]  # too few for a rule


def test_the_n_grams_of_the_model_stay_beside_those_of_the_text(model, other_file, tmp_path):
    rnncli.save(rnncli.train([other_file], init=model, epochs=1), tmp_path / "tuned.npz")
    tuned = rnncli.load(tmp_path / "tuned.npz")
    assert tuned.lm.names == ("network", "ngram", "base", "cache")
    ngram, base = (part for part in tuned.lm.parts if part.name in ("base", "ngram"))
    words = model.encode("Tom is not good")[0]
    (before,) = (part for part in model.lm.parts if part.name == "ngram")
    expected = before.probability(words, before.advance(words, before.initial_state(1), {})[0])
    found = base.probability(words, base.advance(words, base.initial_state(1), {})[0])
    np.testing.assert_allclose(found, expected, rtol=0.05)  # less the new word's part
    own = ngram.probability(words, ngram.advance(words, ngram.initial_state(1), {})[0])
    assert (own[1:] < expected[1:]).all()
    assert rnncli.train([other_file], init=model, epochs=1, ngram_order=0).lm.names == ("network", "cache")


def test_the_n_grams_of_a_fine_tuning_that_left_the_network_as_it_was_stay_too(model, tmp_path):
    texts = [tmp_path / "first.txt", tmp_path / "second.txt"]
    for text, line in zip(texts, ("Tom will not study.\n", "Mary is good at music.\n"), strict=True):
        text.write_text(line * 60)
    first = rnncli.train(texts[:1], init=model, epochs=1, lr=1e3, clip=0.0)
    assert first.vocabulary.words == model.vocabulary.words
    np.testing.assert_array_equal(
        first.lm.find(Network).values()["softmax.bias"], model.lm.find(Network).values()["softmax.bias"]
    )
    second = rnncli.train(texts[1:], init=first, epochs=1)
    found = second.lm.find(BaseNGram).ngram.unigrams
    np.testing.assert_array_equal(found, first.lm.find(NGram).unigrams)


def test_what_the_model_had_learned_is_learned_again(model, other_file, tmp_path):
    (tmp_path / "band.txt").write_text("Zelda plays the theremin.\n" * 5, encoding="utf-8")
    tuned = rnncli.train([other_file], init=model.learned(tmp_path / "band.txt"), epochs=1)
    assert tuned.predict("Zelda plays the", 1)[0].word == "theremin"
    without = rnncli.train([other_file], init=model, epochs=1)
    assert tuned.forgotten().predict("Tom is", 0) == without.predict("Tom is", 0)
