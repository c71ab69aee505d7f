"""A new kind of part: written here, and added to the list of kinds, without an edit anywhere else."""

from dataclasses import replace

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelError
from rnncli.lm.cache import Cache
from rnncli.lm.interface import Part
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.parts import PART_KINDS
from rnncli.lm.tuning import tune
from rnncli.model import Model
from rnncli.options import TrainingOptions
from rnncli.storage.model_file import load, save
from rnncli.tasks.adapt import adapt
from rnncli.tasks.evaluate import evaluate
from rnncli.tasks.explain import explain
from rnncli.tasks.fill import fill
from rnncli.tasks.predict import predict_all
from rnncli.tasks.score import score_all
from rnncli.text.batches import parallel_sequences
from rnncli.text.corpus import read_tokens


class Unigram(Part):
    """Words are as likely as they are frequent, whatever comes before them."""

    name = "unigram"
    prior_weight = 0.1

    def __init__(self, frequencies: np.ndarray):
        self.frequencies = frequencies

    def initial_state(self, batch):
        return None

    def advance(self, words, state, before):
        return None, None

    def context(self, state, before):
        return None

    def probability(self, words, context, prefixes=None):
        return self.frequencies[words]

    def add_to(self, p, context, weight):
        p += weight[..., None] * self.frequencies

    @classmethod
    def fit(cls, ids, config, options, **_):
        counts = np.bincount(ids, minlength=config.vocabulary_size) + 1
        return cls((counts / counts.sum()).astype(np.float32))

    def stored_config(self):
        return {}

    def stored_arrays(self):
        return {"unigram.frequencies": self.frequencies}

    @classmethod
    def from_file(cls, stored):
        frequencies = stored.arrays.get("unigram.frequencies")
        return None if frequencies is None else cls(frequencies)


PROMPT = "Tom is not good at science, so he will"
NAMES = ("network", "ngram", "cache", "unigram")


@pytest.fixture
def known_kind():
    PART_KINDS.append(Unigram)
    yield
    PART_KINDS.remove(Unigram)


@pytest.fixture(scope="module")
def ids(model, corpus_file):
    _, tokens = read_tokens([corpus_file], model.tokenizer)
    return model.vocabulary.encode(tokens)


@pytest.fixture(scope="module")
def held_out(ids):
    """A text that is half of words in no order, which a unigram predicts best."""
    shuffled = np.random.default_rng(3).permutation(ids[:2000])
    return parallel_sequences(np.concatenate([shuffled, ids[:2000]]), 4)[1:]


@pytest.fixture(scope="module")
def mixed(model, ids, held_out) -> Model:
    """A model of four parts, tuned together."""
    unigram = Unigram.fit(ids, model.lm.find(Network).config, TrainingOptions())
    return replace(model, lm=tune([*model.lm.parts, unigram], len(model.vocabulary), list(held_out.T)).mixture)


@pytest.fixture
def loaded(mixed, known_kind, tmp_path) -> Model:
    save(mixed, tmp_path / "mixed.npz")
    return load(tmp_path / "mixed.npz")


def test_tuning_gives_the_new_part_a_weight_in_every_group_and_the_text_a_better_score(model, mixed, held_out):
    lm = mixed.lm
    assert lm.names == NAMES
    assert lm.weights.shape == (5, 4)
    np.testing.assert_allclose(lm.weights.sum(axis=1), 1)
    assert lm.weights[:, 3].max() > 0.2
    without = tune(model.lm.parts, len(model.vocabulary), list(held_out.T))
    nll, _ = lm.score(held_out, lm.initial_state(4))
    assert nll.mean() < without.loss - 0.01


def test_a_new_part_comes_back_from_a_file_and_predicts_what_it_did(mixed, loaded):
    assert loaded.lm.names == NAMES
    np.testing.assert_array_equal(loaded.lm.find(Unigram).frequencies, mixed.lm.find(Unigram).frequencies)
    np.testing.assert_array_equal(loaded.lm.weights, mixed.lm.weights)
    prompts = [PROMPT, "", "Mary", "Tom is ___ at chess", "My sister is not good"]
    assert predict_all(loaded, prompts, 0) == predict_all(mixed, prompts, 0)


def test_a_new_part_is_shown_with_the_others(loaded):
    assert [part.description() for part in loaded.lm.parts][2:] == [loaded.lm.find(Cache).description(), "unigram"]
    assert loaded.lm.find(Unigram).facts() == {}
    (ranking,) = predict_all(loaded, [PROMPT], 0, parts=True)
    for (_, probability), parts in zip(ranking.predictions, ranking.parts, strict=True):
        assert tuple(parts) == NAMES
        assert sum(parts.values()) == pytest.approx(probability)
    assert sum(probability for _, probability in ranking.predictions) == pytest.approx(1)
    frequencies = loaded.lm.find(Unigram).frequencies
    given = np.array([parts["unigram"] for parts in ranking.parts])
    numbers = [loaded.vocabulary.number(word) for word, _ in ranking.predictions]
    np.testing.assert_allclose(given / given.sum(), frequencies[numbers] / frequencies[numbers].sum(), rtol=1e-4)
    assert explain(loaded, PROMPT, "study").parts == pytest.approx(
        dict(zip(NAMES, ranking.parts[0].values(), strict=True))
    )


def test_a_new_part_is_scored_with_the_others_word_by_word_as_in_one_pass(loaded, ids):
    lm = loaded.lm
    words = parallel_sequences(ids[:60], 3)[1:]
    state = lm.initial_state(3)
    nll, _ = lm.score(words, state)
    examined, of_parts = lm.examine(words, lm.advance(words, state)[0])
    for t in range(len(words)):
        p = lm.distribution(lm.context(state))[0]
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(examined[t], p, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(nll[t], -np.log(p[np.arange(3), words[t]]), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(of_parts[3, t], lm.find(Unigram).frequencies[words[t]])
        state = lm.read(words[t : t + 1], state)
    lines = ["Tom is good at chess, so he will not lose more.", "Mary", ""]
    for line, score in zip(lines, score_all(loaded, lines), strict=True):
        line_ids = np.append(loaded.encode(line)[0], [[0]], axis=0)
        expected, _ = lm.score(line_ids, lm.initial_state(1))
        assert score.log_probability == pytest.approx(-expected.sum(), rel=1e-4)


def test_a_new_part_takes_part_in_every_task(loaded, corpus_file, ids):
    found = evaluate(loaded, [corpus_file])
    assert tuple(found.perplexity_of_parts) == NAMES
    alone, _ = Mixture([loaded.lm.find(Unigram)], len(loaded.vocabulary)).score(
        ids[:, None], Mixture([loaded.lm.find(Unigram)], len(loaded.vocabulary)).initial_state(1)
    )
    assert found.perplexity_of_parts["unigram"] == pytest.approx(np.exp(alone.mean()), rel=1e-4)
    words, p, _ = fill(loaded, "Tom is not good at", ", so he will study more.")
    assert loaded.vocabulary.word(words[p.argmax()]) == "science"
    assert p.sum() == pytest.approx(1)


def test_a_model_with_a_new_part_adapts_to_a_text(loaded, corpus_file):
    adapted = adapt(loaded, [corpus_file])
    assert adapted.lm.names == (*NAMES, "learned")
    assert adapted.lm.find(Unigram) is loaded.lm.find(Unigram)  # which does not learn
    assert adapted.lm.find(Network) is loaded.lm.find(Network)
    (ranking,) = predict_all(adapted, ["Tom is"], 0)
    assert sum(probability for _, probability in ranking.predictions) == pytest.approx(1)
    assert ranking != predict_all(loaded, ["Tom is"], 0)[0]


def test_a_training_makes_and_tunes_the_new_part_with_the_others(known_kind, corpus_file):
    trained = rnncli.train([corpus_file], hidden_size=8, epochs=1)
    assert trained.lm.names == NAMES
    assert trained.lm.find(Unigram).frequencies.sum() == pytest.approx(1)
    assert (trained.lm.weights[:, 3] > 0).all()


def test_a_model_without_the_new_part_loads_as_before(model, model_file, known_kind):
    loaded = load(model_file)
    assert loaded.lm.names == ("network", "ngram", "cache")
    assert predict_all(loaded, [PROMPT]) == predict_all(model, [PROMPT])


def test_a_file_with_an_unknown_kind_of_part_is_refused(mixed, tmp_path):
    save(mixed, tmp_path / "mixed.npz")
    with pytest.raises(
        ModelError, match=r"mixed\.npz is damaged: it holds a part that this rnncli does not know, besides network"
    ):
        load(tmp_path / "mixed.npz")
