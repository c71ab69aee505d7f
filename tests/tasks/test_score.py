from dataclasses import replace

import numpy as np
import pytest

from rnncli.errors import ModelError
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.tasks.score import WORDS_PER_GROUP, score_all
from rnncli.text.tokenizers import Tokenizer

LINES = ["Tom is good at chess, so he will not lose more.", "", "Bogus is", "Mary is good at music.", "Tom is"]


def assert_scored_by_itself(model, line: str, score) -> None:
    ids, unknown = model.encode(line)
    ids = np.append(ids, [[0]], axis=0)
    nll, _ = model.lm.score(ids, model.lm.initial_state(1))
    characters = len(set("".join(model.vocabulary.words[2:]))) + 1  # and the end of a word
    spelled = [(len(word) + 1) * np.log(characters) if word in unknown else 0.0 for word in score.words]
    expected = -nll[:, 0] - [*spelled, 0.0]
    assert score.words == model.tokenizer.tokenize(line)
    np.testing.assert_allclose(score.word_log_probabilities, expected, rtol=1e-4, atol=1e-5)
    assert score.log_probability == pytest.approx(sum(score.word_log_probabilities))
    assert score.perplexity == pytest.approx(np.exp(-expected.mean()), rel=1e-4)
    assert score.unknown_words == unknown


def test_lines_are_scored_in_their_order_each_by_itself(model):
    scores = score_all(model, LINES)
    assert len(scores) == len(LINES)
    for line, score in zip(LINES, scores, strict=True):
        assert_scored_by_itself(model, line, score)


def test_many_lines_are_scored_in_several_groups_as_each_by_itself(model, corpus_file):
    long = " ".join(["Mary is good at music, so she will play."] * 20)
    lines = [*corpus_file.read_text().splitlines(), long, *LINES] * 2
    assert sum(len(model.tokenizer.tokenize(line)) for line in lines) > WORDS_PER_GROUP
    scores = score_all(model, lines)
    assert len(scores) == len(lines)
    for place in [*range(0, len(lines), 29), *range(len(lines) - 6, len(lines))]:
        assert_scored_by_itself(model, lines[place], scores[place])
    half = len(lines) // 2
    for first, second in zip(scores[:half], scores[half:], strict=True):
        assert first.log_probability == pytest.approx(second.log_probability, rel=1e-4)


def test_a_sentence_that_agrees_is_likelier_than_one_that_does_not(model):
    pairs = [
        ("Mary is not good at music, so she will play more.", "Mary is not good at music, so he will play more."),
        ("Tom is good at science, so he will not study more.", "Tom is good at science, so he will not play more."),
        ("The doctor is good at French.", "The doctor are good at French."),
    ]
    for right, wrong in pairs:
        good, bad = score_all(model, [right, wrong])
        assert good.log_probability > bad.log_probability


def test_the_probabilities_of_all_spellings_of_an_unknown_word_sum_to_one(model):
    from rnncli.text.vocabulary import UNK_ID

    letters = sorted(set("".join(model.vocabulary.words[2:])))
    (first, last) = (score_all(model, ["Tom is " + "q" * n])[0].word_log_probabilities[2] for n in (1, 2))
    of_length = np.exp(first - last)  # how many times likelier one letter less makes it
    assert of_length == pytest.approx(len(letters) + 1)
    state, _ = model.state_after("Tom is")
    unk = model.lm.distribution(model.lm.context(state))[0, 0, UNK_ID]
    lengths = np.arange(2000)  # the sum over all spellings of each length, and over the lengths
    total = np.sum((len(letters) / (len(letters) + 1)) ** lengths) / (len(letters) + 1)
    assert total == pytest.approx(1)
    assert np.exp(first) * (len(letters) + 1) ** 2 == pytest.approx(unk, rel=1e-4)


def test_a_literal_mark_of_an_unknown_word_has_no_spelling(model):
    marked, spelled = score_all(model, ["Tom <unk> is", "Tom Bogus is"])
    ids, _ = model.encode("Tom <unk> is")
    nll, _ = model.lm.score(np.append(ids, [[0]], axis=0), model.lm.initial_state(1))
    np.testing.assert_allclose(marked.word_log_probabilities, -nll[:, 0], rtol=1e-4)
    assert marked.unknown_words == ["<unk>"]
    assert marked.word_log_probabilities[1] > spelled.word_log_probabilities[1] + 10
    assert marked.word_log_probabilities[2:] == pytest.approx(spelled.word_log_probabilities[2:])


def test_gibberish_is_less_likely_than_a_sentence_with_one_unknown_word(model):
    known, new, gibberish = score_all(model, ["Tom is good at chess.", "Tom is good at physics.", "Gzorp flumbix."])
    assert known.log_probability > new.log_probability > gibberish.log_probability
    assert known.perplexity < new.perplexity < gibberish.perplexity


def test_a_network_of_numbers_that_overflow_is_refused(model):
    network = model.lm.find(Network)
    values = network.values()
    values["softmax.bias"] = np.full_like(values["softmax.bias"], np.nan)
    broken = replace(model, lm=Mixture([Network(network.config, values)], len(model.vocabulary)))
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        score_all(broken, ["Tom"])


def test_no_lines_have_no_scores(model):
    assert score_all(model, []) == []


def test_a_single_line_may_be_scored_as_it_is(model):
    assert model.score("Tom is") == model.score(["Tom is"])


def test_a_line_of_a_prepared_corpus_is_scored_with_one_end_whatever_marks_it_has(model):
    prepared = replace(model, tokenizer=Tokenizer("whitespace"))
    plain, marked, sentence = score_all(prepared, ["Tom is good", "Tom is good <eos>", "<s> Tom is good </s>"])
    assert plain == marked == sentence
    assert plain.words == ["Tom", "is", "good"]
