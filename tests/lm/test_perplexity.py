import math

import numpy as np
import pytest

from rnncli.lm.mixture import Mixture
from rnncli.lm.network import Network
from rnncli.lm.ngram import NGram
from rnncli.lm.perplexity import SEQUENCES_PER_JOB, mean_loss, perplexity
from rnncli.nn.threads import Threads

V = 7


def test_the_mean_loss_is_that_of_reading_each_text_from_the_beginning_of_a_unit(network, text):
    lm = Mixture([network, NGram.count(text, V, 3)], V)
    ids = np.resize(np.array([2, 3, 4, 5, 6, 0]), 3001)
    texts = [ids[:30], *np.split(ids, range(131, 3001, 131)), ids[:1]]
    losses = [lm.score(words[:, None], lm.initial_state(1))[0] for words in texts]
    assert len(texts) > 2 * SEQUENCES_PER_JOB
    assert mean_loss(lm, texts) == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)
    assert mean_loss(lm, texts, Threads(2).map) == mean_loss(lm, texts)


@pytest.mark.parametrize("lengths", [[1], [7, 3], [127, 129, 128], [1] * 30 + [500, 20]])
def test_the_mean_loss_counts_every_word_once(lengths):
    class Counting:
        def initial_state(self, batch):
            return None

        def score(self, words, state):
            return words.astype(float), state

    rng = np.random.default_rng(1)
    texts = [rng.integers(0, 9, length) for length in lengths]
    assert mean_loss(Counting(), texts) == pytest.approx(np.concatenate(texts).mean())


def test_the_mean_loss_of_a_network_that_diverged_is_no_number(network, text):
    values = {**network.values(), "softmax.bias": np.full(V, np.inf, np.float32)}
    assert math.isnan(mean_loss(Mixture([Network(network.config, values)], V), [text]))


@pytest.mark.parametrize(("loss", "expected"), [(0, 1), (math.log(5), 5), (1e4, math.inf)])
def test_perplexity_is_the_exponential_of_the_loss(loss, expected):
    assert perplexity(loss) == pytest.approx(expected)


def test_the_perplexity_of_a_loss_that_is_no_number_is_none_either():
    assert math.isnan(perplexity(math.nan))
