import numpy as np
import pytest

from rnncli.errors import ModelError
from rnncli.scoring import score_all

LINES = ["Tom is good at chess, so he will not lose more.", "", "Bogus is", "Mary is good at music.", "Tom is"]


@pytest.mark.parametrize("words", [1, 20, 4096])
def test_lines_are_scored_in_their_order_each_by_itself(model, monkeypatch, words):
    monkeypatch.setattr("rnncli.scoring.WORDS", words)
    for line, score in zip(LINES, score_all(model, LINES), strict=True):
        ids, unknown = model.encode(line)
        ids = np.append(ids, [[0]], axis=0)
        nll, _ = model.lm.score(ids, model.lm.start(1))
        assert score.words == model.tokenizer.tokenize(line)
        np.testing.assert_allclose(score.word_log_probabilities, -nll[:, 0], rtol=1e-4, atol=1e-5)
        assert score.log_probability == pytest.approx(sum(score.word_log_probabilities))
        assert score.perplexity == pytest.approx(np.exp(nll.mean()), rel=1e-4)
        assert score.unknown_words == unknown


def test_a_sentence_that_agrees_is_likelier_than_one_that_does_not(model):
    pairs = [
        ("Mary is not good at music, so she will play more.", "Mary is not good at music, so he will play more."),
        ("Tom is good at science, so he will not study more.", "Tom is good at science, so he will not play more."),
        ("The doctor is good at French.", "The doctor are good at French."),
    ]
    for right, wrong in pairs:
        good, bad = score_all(model, [right, wrong])
        assert good.log_probability > bad.log_probability


def test_numbers_that_ran_over_are_told(model, monkeypatch):
    monkeypatch.setattr(
        type(model.lm), "score", lambda self, words, state, pasts: (np.full(words.shape, np.nan), state)
    )
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        score_all(model, ["Tom"])


def test_no_lines_have_no_scores(model):
    assert score_all(model, []) == []
