"""What tests share: small texts, a model trained on one, and finite differences."""

import itertools
import os
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy comes: small products lose more by threads than they gain

import numpy as np
import pytest

from rnncli import training

SUBJECTS = {"Tom": "he", "Mary": "she", "The doctor": "he", "My sister": "she"}
SCHOOL = {"science": "study", "music": "play", "French": "read", "chess": "lose"}


def small_text() -> str:
    """A few hundred words in which the last one depends on the first ones."""
    lines = []
    for (subject, pronoun), (field, verb) in itertools.product(SUBJECTS.items(), SCHOOL.items()):
        lines.append(f"{subject} is good at {field}, so {pronoun} will not {verb} more.")
        lines.append(f"{subject} is not good at {field}, so {pronoun} will {verb} more.")
    return "\n".join(lines * 6) + "\n"


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "school.txt"
    path.write_text(small_text(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(corpus_file):
    """A model that has learned the small text. Shared: a test must not change it."""
    return training.train(
        [corpus_file], hidden_size=32, epochs=60, patience=60, bptt=13, batch_size=4, dropout=0.0, lr=0.02
    )


@pytest.fixture(scope="session")
def model_file(model, tmp_path_factory) -> Path:
    from rnncli import save

    path = tmp_path_factory.mktemp("models") / "school.npz"
    save(model, path)
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def check_gradient():
    """A check that `gradient` is the derivative of `loss()` with respect to `array`, by central differences."""

    def check(loss, array: np.ndarray, gradient: np.ndarray, step: float = 1e-6) -> None:
        assert array.dtype == np.float64
        assert gradient.shape == array.shape
        numeric = np.empty_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = loss()
            array[place] = kept - step
            below = loss()
            array[place] = kept
            numeric[place] = (above - below) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-8)

    return check
