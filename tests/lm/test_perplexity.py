import math

import numpy as np
import pytest

from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram
from rnncli.lm.perplexity import SEQUENCES, SEQUENCES_PER_JOB, mean_loss, perplexity
from rnncli.nn.threads import Threads

V = 7


def test_the_mean_loss_is_that_of_reading_pieces_of_the_text_each_from_the_beginning_of_a_unit(network, text):
    lm = Mixture([network, NGram.count(text, V, 3)], V)
    ids = np.resize(np.array([2, 3, 4, 5, 6, 0]), 3001)
    pieces = np.split(ids, range(131, 3001, 131))  # of at least 128 words, the last one shorter
    losses = [lm.score(piece[:, None], lm.initial_state(1))[0] for piece in pieces]
    assert SEQUENCES_PER_JOB < len(pieces) < SEQUENCES
    assert mean_loss(lm, ids) == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)
    assert mean_loss(lm, ids, Threads(2).map) == mean_loss(lm, ids)


@pytest.mark.parametrize("words", [1, 7, 127, 129, 1234, 10_000])
def test_the_mean_loss_counts_every_word_once(words):
    class Counting:
        def initial_state(self, batch):
            return None

        def score(self, words, state):
            return words.astype(float), state

    ids = np.random.default_rng(1).integers(0, 9, words)
    assert mean_loss(Counting(), ids) == pytest.approx(ids.mean())


def test_the_mean_loss_of_a_network_that_diverged_is_no_number(network, text):
    values = {**network.values(), "softmax.bias": np.full(V, np.inf, np.float32)}
    assert math.isnan(mean_loss(Mixture([Network(network.config, values)], V), text))


@pytest.mark.parametrize(("loss", "expected"), [(0, 1), (math.log(5), 5), (1e4, math.inf)])
def test_perplexity_is_the_exponential_of_the_loss(loss, expected):
    assert perplexity(loss) == pytest.approx(expected)


def test_the_perplexity_of_a_loss_that_is_no_number_is_none_either():
    assert math.isnan(perplexity(math.nan))
