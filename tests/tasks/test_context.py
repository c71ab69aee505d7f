import dataclasses

import numpy as np
import pytest

from rnncli.errors import ModelError, TextError
from rnncli.lm.mixture import WORDS_PER_PASS, Mixture
from rnncli.lm.network import Network
from rnncli.tasks.context import CONTEXT_LENGTHS, MAX_PLACES, PLACES_PER_GROUP, context_curve
from rnncli.text.corpus import read_tokens


def losses(model, ids: np.ndarray, places: np.ndarray, seen: int | None) -> np.ndarray:
    """The loss at each of some places of a text, of which the last `seen` words alone were read, or all."""
    if seen is None:
        return model.lm.score(ids[:, None], model.lm.initial_state(1))[0][places, 0]
    state = model.lm.initial_state(len(places))
    for back in range(seen, 0, -1):
        state = model.lm.read(ids[None, places - back], state)
    return model.lm.score(ids[None, places], state)[0][0]


@pytest.fixture
def ids_of(model):
    def read(path) -> np.ndarray:
        _, tokens = read_tokens([path], model.tokenizer)
        return model.vocabulary.encode(tokens)

    return read


def test_words_are_predicted_from_exactly_so_many_words(model, tmp_path, corpus_file, ids_of):
    path = tmp_path / "text.txt"
    path.write_text("".join(corpus_file.read_text().splitlines(keepends=True)[:24]))
    ids = ids_of(path)
    places = np.arange(CONTEXT_LENGTHS[-1], len(ids))
    assert max(WORDS_PER_PASS, PLACES_PER_GROUP) < len(places) < 2 * PLACES_PER_GROUP  # so read in several groups
    points = context_curve(model, [path])
    assert [point.seen for point in points] == [*CONTEXT_LENGTHS, None]
    for point in points:
        assert point.words == len(places)
        expected = losses(model, ids, places, point.seen)
        assert point.perplexity == pytest.approx(np.exp(expected.mean()), rel=1e-3)
    alone = [losses(model, ids, place[None], 4).item() for place in places[::20]]
    assert alone == pytest.approx(losses(model, ids, places, 4)[::20].tolist(), rel=1e-3, abs=1e-5)


def test_the_places_of_a_long_text_are_spread_over_it(model, tmp_path, corpus_file, ids_of):
    path = tmp_path / "long.txt"
    # The model has never seen the last part, which counts by its length.
    path.write_text(corpus_file.read_text() + "chess Tom more science . good\n" * 400)
    ids = ids_of(path)
    assert len(ids) > MAX_PLACES + CONTEXT_LENGTHS[-1]
    (one, *_) = context_curve(model, [path])
    assert one.words == MAX_PLACES
    places = np.linspace(CONTEXT_LENGTHS[-1], len(ids) - 1, MAX_PLACES).astype(int)
    assert one.perplexity == pytest.approx(np.exp(losses(model, ids, places, 1).mean()), rel=1e-3)


def test_the_network_profits_from_words_that_the_n_grams_do_not_see(model, corpus_file):
    by_seen = {point.seen: point.perplexity_of_parts for point in context_curve(model, [corpus_file])}
    assert by_seen[16]["network"] < 0.8 * by_seen[4]["network"]
    assert by_seen[16]["ngram"] == pytest.approx(by_seen[8]["ngram"])


def test_progress_is_reported_to_the_end(model, corpus_file):
    fractions = []
    context_curve(model, [corpus_file], progress=fractions.append)
    assert fractions == sorted(set(fractions))
    assert fractions[-1] == 1


def test_a_short_text_is_refused(model, tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("Tom is good.\n" * 10)
    with pytest.raises(TextError, match=r"short\.txt is too short: a text of more than 64 words is needed"):
        context_curve(model, [path])


def test_an_impossible_word_is_no_reason_to_stop(model, corpus_file):
    network = model.lm.find(Network)
    values = network.values()
    bias = values["softmax.bias"].copy()
    bias[2] = 5000
    lm = Mixture([Network(network.config, values | {"softmax.bias": bias})], len(model.vocabulary))
    points = context_curve(dataclasses.replace(model, lm=lm), [corpus_file])
    assert all(np.isfinite(point.perplexity) for point in points)
    assert [point.perplexity_of_parts for point in points] == [{"network": None}] * len(points)
    bias[2] = np.nan
    with pytest.raises(ModelError, match="the model's numbers overflow"):
        context_curve(dataclasses.replace(model, lm=lm), [corpus_file])
