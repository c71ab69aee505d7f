"""How the perplexity of a network on a held-out text is estimated."""

import math

import numpy as np
import pytest

import rnncli
from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram
from rnncli.nn.threads import Threads
from rnncli.training.watch import Watch


@pytest.fixture(scope="module")
def learned(model, corpus_file) -> tuple[Network, NGram, np.ndarray]:
    """A network and n-grams that have learned a small text, and a longer one of the same sentences and some others."""
    ids = rnncli.start_training([corpus_file], hidden_size=4, epochs=1).corpus.train
    rng = np.random.default_rng(5)
    shuffled = [rng.permutation(ids[:40]) for _ in range(30)]
    text = np.concatenate([piece for noise in shuffled for piece in (ids[:200], noise, [0])])
    return model.lm.find(Network), model.lm.find(NGram), text


def whole_loss(network: Network, text: np.ndarray) -> float:
    nll, _ = network.score(text[:, None], network.initial_state(1))
    return float(nll.mean())


def test_a_text_that_is_watched_whole_is_read_in_pieces_that_begin_where_units_do(learned):
    network, ngram, text = learned
    watch = Watch(text, len(text), ngram)
    assert watch.words == len(text)
    losses = [network.score(piece[:, None], network.initial_state(1))[0] for piece in watch.texts]
    np.testing.assert_array_equal(np.concatenate(watch.texts), text)
    assert watch.loss(network) == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)


def test_watched_in_many_places_the_loss_is_about_that_of_the_whole_text(learned):
    network, ngram, text = learned
    errors = {}
    for name, part in (("alone", None), ("beside n-grams", ngram)):
        watches = [Watch(text[start:], 1600, part) for start in range(0, 120, 12)]
        assert {watch.words for watch in watches} == {1600}
        wrong = [watch.loss(network) - whole_loss(network, text[12 * k :]) for k, watch in enumerate(watches)]
        errors[name] = float(np.sqrt(np.mean(np.square(wrong))))
    assert errors["beside n-grams"] < 0.75 * errors["alone"]
    assert errors["beside n-grams"] < 0.15


def test_threads_change_nothing(learned):
    network, ngram, text = learned
    for words in (len(text), 1600):
        assert Watch(text, words, ngram, Threads(2).map).loss(network) == Watch(text, words, ngram).loss(network)


@pytest.mark.parametrize("length", [1, 20, 63, 70, 1000])
def test_any_length_of_text_can_be_watched(learned, length):
    network, ngram, text = learned
    for words in (1, 10, length):
        assert math.isfinite(Watch(text[:length], words, ngram).loss(network))


def test_a_network_that_diverged_is_no_number(learned):
    network, ngram, text = learned
    values = {**network.values(), "softmax.bias": np.full(network.config.vocabulary_size, np.inf, np.float32)}
    for words in (len(text), 160):
        assert math.isnan(Watch(text, words, ngram).loss(Network(network.config, values)))


def test_n_grams_alone_are_told_exactly(learned):
    _, ngram, text = learned
    alone = Mixture([ngram], len(ngram.unigrams))
    nll, _ = alone.score(text[:, None], alone.initial_state(1))
    assert Watch(text, 160, ngram).loss(alone) == pytest.approx(nll.mean())
