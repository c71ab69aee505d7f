"""Several ranks measure and score a text as one does."""

from dataclasses import asdict

import pytest

from rnncli.tasks.evaluate import evaluate
from rnncli.tasks.score import score_all


@pytest.mark.parametrize("count", [2, 3])
def test_ranks_measure_together_what_one_measures(model, corpus_file, as_ranks, monkeypatch, count):
    monkeypatch.setattr("rnncli.tasks.evaluate.WORDS_PER_CHUNK", 50)
    alone = asdict(evaluate(model, corpus_file))
    for found in as_ranks(count, lambda ranks: evaluate(model, corpus_file, ranks=ranks)):
        assert asdict(found) == alone


def test_ranks_that_let_the_model_learn_measure_everything(model, corpus_file, as_ranks):
    alone = evaluate(model, corpus_file, dynamic=True)
    assert as_ranks(2, lambda ranks: evaluate(model, corpus_file, dynamic=True, ranks=ranks)) == [alone, alone]


@pytest.mark.parametrize("count", [2, 3])
def test_ranks_score_the_lines_in_their_order(model, corpus_file, as_ranks, monkeypatch, count):
    monkeypatch.setattr("rnncli.tasks.score.WORDS_PER_GROUP", 100)
    lines = corpus_file.read_text("utf-8").splitlines()[:40]
    alone = score_all(model, lines)
    assert as_ranks(count, lambda ranks: score_all(model, lines, ranks)) == [alone] * count
