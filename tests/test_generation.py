import itertools
from collections import Counter

import numpy as np
import pytest

from rnncli import train
from rnncli.errors import SettingError
from rnncli.generation import draw, generate

WEIGHTS = np.array([0.1, 0.0, 0.4, 0.2, 0.3])
with np.errstate(divide="ignore"):
    LOG_P = np.log(WEIGHTS)


def shares(rng, **options) -> dict[int, float]:
    draws = Counter(draw(LOG_P, rng, **options) for _ in range(4000))
    return {word: count / 4000 for word, count in draws.items()}


def test_draws_follow_the_probabilities(rng):
    assert shares(rng) == pytest.approx({0: 0.1, 2: 0.4, 3: 0.2, 4: 0.3}, abs=0.03)


def test_temperature_sharpens_and_zero_is_greedy(rng):
    squares = WEIGHTS**2 / (WEIGHTS**2).sum()
    assert shares(rng, temperature=0.5) == pytest.approx({i: squares[i] for i in (0, 2, 3, 4)}, abs=0.03)
    assert shares(rng, temperature=0) == {2: 1.0}


@pytest.mark.parametrize("temperature", [1e-6, 1e-310])
def test_a_tiny_temperature_is_nearly_greedy_and_does_not_overflow(rng, temperature):
    assert shares(rng, temperature=temperature) == {2: 1.0}


def test_only_the_likeliest_words_are_drawn(rng):
    assert shares(rng, top_k=2) == pytest.approx({2: 4 / 7, 4: 3 / 7}, abs=0.03)
    assert shares(rng, top_p=0.6) == pytest.approx({2: 4 / 7, 4: 3 / 7}, abs=0.03)
    assert set(shares(rng, top_p=0.75)) == {2, 3, 4}
    assert shares(rng, top_p=1e-9) == {2: 1.0}


def test_the_same_seed_gives_the_same_text_and_another_seed_another(model):
    texts = [model.generate("Tom", 40, temperature=1.5, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_text_goes_on_from_the_prompt_as_people_write_it(model):
    text = model.generate("Tom is not good at science, so he", 4, temperature=0)
    assert text == " will study more."


def test_a_new_line_begins_where_a_unit_ends_and_none_is_empty(model):
    text = model.generate("", 200, temperature=1.5, seed=1)
    assert text.count("\n") > 5
    assert "" not in text.split("\n")[:-1]


def test_the_number_of_words_is_kept_and_pieces_come_one_at_a_time(model):
    pieces = list(itertools.islice(generate(model, "Tom", 30, seed=1), 100))
    assert len([piece for piece in pieces if piece != "\n"]) == 30
    assert pieces[0].startswith(" ")


def test_unk_is_never_written(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("<unk> <unk> a\n" * 50)
    model = train([path], tokenizer="whitespace", hidden_size=4, epochs=3)
    assert "<unk>" not in model.generate("", 100, seed=1)
    model.lm.network.parameters["softmax.bias"].value[:2] = 1e4  # as if nothing but <unk> and <eos> could follow
    assert model.generate("", 3, temperature=0) == "a\na\na"


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"temperature": float("inf")}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}]
)
def test_settings_that_make_no_sense_are_refused(model, wrong):
    with pytest.raises(SettingError):
        model.generate("Tom", **wrong)
