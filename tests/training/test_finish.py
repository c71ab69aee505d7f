"""The end of a training: what the model tells of the held-out text."""

import numpy as np
import pytest

import rnncli

EASY = "Tom is good at chess, so he will not lose.\n"


def test_the_perplexity_is_that_of_the_whole_text_though_the_mixture_is_tuned_on_a_part(tmp_path, rng):
    """The pieces begin with easy lines, and leave out the hard ones after them."""
    words = ["mountain", "river", "garden", "window", "winter", "kitchen", "letter", "doctor", "music", "station"]
    hard = ["".join(f"{' '.join(rng.choice(words, 9))}.\n" for _ in range(60)) for _ in range(2)]
    (tmp_path / "train.txt").write_text((EASY * 60 + hard[0]) * 4, encoding="utf-8")
    (tmp_path / "valid.txt").write_text((EASY * 60 + hard[1]) * 4, encoding="utf-8")
    training = rnncli.start_training(
        tmp_path / "train.txt", valid=tmp_path / "valid.txt", epochs=1, hidden_size=8, cache_size=0, seed=1
    )
    for _ in training.run():
        pass
    whole = training.best()
    told = whole.about["tuning"]
    expected = whole.evaluate(tmp_path / "valid.txt").perplexity
    assert told["perplexity"] == pytest.approx(expected, rel=0.02)
    training.state.tuning_words = told["words"] // 3
    part = training.best().about["tuning"]
    assert part["words"] < told["words"] / 2
    tuned = training.builder.tune(
        [training.state.network], training.builder.tuning_texts(training.corpus.valid, training.state.tuning_words)
    )
    assert np.exp(tuned.loss) < expected / 1.2
    assert part["perplexity"] == pytest.approx(expected, rel=0.05)
