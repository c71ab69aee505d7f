import dataclasses

import numpy as np
import pytest

from rnncli.context import SEEN, reach
from rnncli.errors import ModelError, TextError
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.text.corpus import read_tokens


def test_words_are_foreseen_by_just_so_many_words(model, corpus_file, monkeypatch):
    monkeypatch.setattr("rnncli.context.PLACES", 40)
    monkeypatch.setattr("rnncli.context.STREAMS", 7)
    found = reach(model, [corpus_file])
    assert [row.seen for row in found] == [*SEEN, None]
    assert {row.words for row in found} == {40}
    _, tokens = read_tokens([corpus_file], model.tokenizer, model.unit)
    ids = model.vocabulary.encode(tokens)
    places = np.linspace(SEEN[-1], len(ids) - 1, 40).astype(int)
    for row in found:
        losses = []
        for place in places:
            text = ids[place - row.seen : place] if row.seen else ids[:place]
            state = model.lm.read(text[:, None], model.lm.start(1))
            losses.append(model.lm.score(ids[place : place + 1, None], state)[0].item())
        assert row.perplexity == pytest.approx(np.exp(np.mean(losses)), rel=1e-3)


def test_the_network_profits_from_words_that_the_n_grams_do_not_see(model, corpus_file):
    by_seen = {row.seen: row.perplexity_of_parts for row in reach(model, [corpus_file])}
    assert by_seen[16]["network"] < 0.8 * by_seen[4]["network"]
    assert by_seen[16]["ngram"] == pytest.approx(by_seen[8]["ngram"])


def test_progress_is_told_to_the_end(model, corpus_file):
    shares = []
    reach(model, [corpus_file], progress=shares.append)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1


def test_a_short_text_is_refused(model, tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("Tom is good.\n" * 10)
    with pytest.raises(TextError, match=r"short\.txt is too short: a text of more than 64 words is needed"):
        reach(model, [path])


def test_a_word_without_any_chance_is_no_reason_to_stop(model, corpus_file):
    values = {name: parameter.value for name, parameter in model.lm.network.named_parameters().items()}
    bias = values["softmax.bias"].copy()
    bias[2] = 5000
    network = Network(model.lm.network.config, values | {"softmax.bias": bias})
    found = reach(dataclasses.replace(model, lm=Mixture(network)), [corpus_file])
    assert all(np.isfinite(row.perplexity) for row in found)
    bias[2] = np.nan
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        reach(dataclasses.replace(model, lm=Mixture(network)), [corpus_file])
