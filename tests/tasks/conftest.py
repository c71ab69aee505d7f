import numpy as np
import pytest

from rnncli.lm.mixture import Mixture


@pytest.fixture
def check_word_by_word():
    """A check that a model's probabilities sum to one, and that scores (T, 1) equal reading word by word."""

    def check(lm: Mixture, words: np.ndarray) -> None:
        nll, _ = lm.score(words, lm.initial_state(1))
        state = lm.initial_state(1)
        for place, word in enumerate(words):
            p = lm.distribution(lm.context(state))
            assert p.sum() == pytest.approx(1, abs=1e-5)
            assert nll[place, 0] == pytest.approx(-np.log(p[0, 0, word[0]]), rel=1e-4)
            state = lm.read(words[place : place + 1], state)

    return check
