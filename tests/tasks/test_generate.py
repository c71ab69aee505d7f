import itertools
import random
from collections import Counter

import numpy as np
import pytest

from rnncli import train
from rnncli.errors import SettingError
from rnncli.lm.network import Network
from rnncli.tasks.generate import Limits, copied_fractions, generate
from rnncli.tasks.sampling import Sampling

WEIGHTS = np.array([0.1, 0.0, 0.4, 0.2, 0.3])
GREEDY = Sampling(temperature=0)


def frequencies(rng, **options) -> dict[int, float]:
    sampling = Sampling(**{"temperature": 1.0, **options})
    draws = Counter(sampling.draw(WEIGHTS, rng) for _ in range(4000))
    return {word: count / 4000 for word, count in draws.items()}


def test_draws_follow_the_probabilities(rng):
    assert frequencies(rng) == pytest.approx({0: 0.1, 2: 0.4, 3: 0.2, 4: 0.3}, abs=0.03)


def test_temperature_sharpens_and_zero_is_greedy(rng):
    squares = WEIGHTS**2 / (WEIGHTS**2).sum()
    assert frequencies(rng, temperature=0.5) == pytest.approx({i: squares[i] for i in (0, 2, 3, 4)}, abs=0.03)
    assert frequencies(rng, temperature=0) == {2: 1.0}


@pytest.mark.parametrize("temperature", [1e-6, 1e-310])
def test_a_tiny_temperature_is_nearly_greedy_and_does_not_overflow(rng, temperature):
    assert frequencies(rng, temperature=temperature) == {2: 1.0}


@pytest.mark.filterwarnings("error")
def test_a_huge_temperature_makes_all_words_alike_and_does_not_overflow(rng):
    drawn = frequencies(rng, temperature=1e300)
    assert drawn == pytest.approx(dict.fromkeys(drawn, 1 / len(drawn)), abs=0.03)


def test_only_the_likeliest_words_are_drawn(rng):
    assert frequencies(rng, top_k=2) == pytest.approx({2: 4 / 7, 4: 3 / 7}, abs=0.03)
    assert frequencies(rng, top_p=0.6) == pytest.approx({2: 4 / 7, 4: 3 / 7}, abs=0.03)
    assert set(frequencies(rng, top_p=0.75)) == {2, 3, 4}
    assert frequencies(rng, top_p=1e-9) == {2: 1.0}
    assert set(frequencies(rng, min_p=0.5)) == {2, 3, 4}
    assert set(frequencies(rng, min_p=0.51)) == {2, 4}
    assert frequencies(rng, min_p=1) == {2: 1.0}


def test_nothing_is_drawn_where_nothing_is_left(rng):
    assert Sampling().draw(np.zeros(3), rng) is None


def test_words_that_are_in_the_text_already_are_less_likely(rng):
    sampling = Sampling(temperature=1.0, repetition_penalty=2.0)
    drawn = Counter(sampling.draw(WEIGHTS, rng, [2, 2, 0]) for _ in range(4000))
    weights = {0: 0.1, 2: 0.16, 3: 0.2, 4: 0.3}  # squared for words of the text, but not for <eos>, which is 0
    assert drawn[1] == 0
    for word, weight in weights.items():
        assert drawn[word] / 4000 == pytest.approx(weight / sum(weights.values()), abs=0.03)


@pytest.mark.parametrize(
    ("n", "before", "allowed"),
    [
        (1, [2, 3], {0, 4}),
        (2, [4, 2, 3, 4], {0, 3, 4}),
        (3, [4, 2, 3, 4], {0, 2, 3, 4}),
        (3, [4, 2, 3, 4, 2], {0, 2, 4}),
        (2, [], {0, 2, 3, 4}),
        (9, [4], {0, 2, 3, 4}),
    ],
)
def test_no_sequence_of_a_given_length_is_drawn_twice(rng, n, before, allowed):
    sampling = Sampling(temperature=1.0, no_repeat=n)
    assert {sampling.draw(WEIGHTS, rng, before) for _ in range(300)} == allowed


def test_sequences_do_not_reach_over_the_end_of_a_unit(rng):
    sampling = Sampling(temperature=1.0, no_repeat=2)
    before = [2, 0, 3, 2, 0]  # <eos> is 0: it may end a unit again, and the word after it may begin one again
    assert {sampling.draw(WEIGHTS, rng, before) for _ in range(300)} == {0, 2, 3, 4}
    assert {sampling.draw(WEIGHTS, rng, before[:-1]) for _ in range(300)} == {0, 2, 3, 4}


def test_no_words_are_written_twice_in_the_same_order(model):
    words = model.generate("", 60, temperature=1.0, seed=1, no_repeat=2).replace("\n", " | ").split()
    pairs = [pair for pair in itertools.pairwise(words) if "|" not in pair]
    assert len(pairs) == len(set(pairs)) > 30


def test_a_text_ends_where_every_word_was_used(model):
    text = model.generate("", 1000, seed=1, no_repeat=1)
    words = model.tokenizer.tokenize(text)
    assert len(words) == len(set(words)) == len(model.vocabulary) - 2


def test_sentences_are_counted(model):
    assert model.generate("Tom is not good at science, so he", sentences=1, temperature=0) == " will study more."
    text = model.generate("", sentences=3, temperature=1.0, seed=2)
    assert text.count(".") == 3
    assert text.endswith(".")
    assert "." not in model.generate("Tom", 2, sentences=1, temperature=0)


def test_closing_quotes_belong_to_a_sentence_and_a_heading_is_one(tmp_path):
    path = tmp_path / "text.txt"
    lines = ["Title", 'He said "no ."', "What ?!"]
    path.write_text("\n".join(random.Random(1).choices(lines, k=180)))
    model = train([path], tokenizer="whitespace", hidden_size=16, epochs=60, patience=60, dropout=0.0, lr=0.02)
    assert model.generate("He", sentences=1, temperature=0) == ' said "no ."'
    assert model.generate("What", sentences=1, temperature=0) == " ?!"
    written = model.generate("", sentences=20, temperature=1.0, seed=1).split("\n")
    assert len(written) == 20
    assert set(written) >= set(lines)


def test_a_full_stop_between_characters_ends_no_sentence(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("It is 3.5 or 4.5. He ran.\n" * 80)
    model = train([path], tokenizer="char", hidden_size=32, epochs=20, dropout=0.0, lr=0.02)
    assert model.generate("It is 3", sentences=1, temperature=0) == ".5 or 4.5."


@pytest.mark.parametrize("stop", [" st", "study more", ".", "more.\nTom"])
def test_a_text_ends_before_the_first_stop(model, stop):
    whole = model.generate("Tom is not good at science, so he", 30, temperature=0)
    text = model.generate("Tom is not good at science, so he", 30, temperature=0, stop=["never there", stop])
    assert text == whole.partition(stop)[0]


@pytest.mark.parametrize(
    ("stop", "written"), [("study more", ["will"]), ("y more", ["will"]), (".", ["will", "study", "more"]), ("ill", [])]
)
def test_words_that_a_stop_cuts_off_are_not_written(model, stop, written):
    writer = generate(model, "Tom is not good at science, so he", Limits(30, stop=(stop,)), GREEDY)
    list(writer)
    assert [model.vocabulary.word(number) for number in writer.written] == written


def test_text_that_may_be_the_beginning_of_a_stop_is_held_back_until_it_is_not(model):
    limits = Limits(4, stop=("will study less",))
    pieces = list(generate(model, "Tom is not good at science, so he", limits, GREEDY))
    assert pieces == [" ", "will study more", "."]


def test_the_fraction_of_a_text_that_occurs_in_the_training_text_is_measured(model):
    copy = generate(model, "Tom is not good at science, so he", Limits(4), GREEDY)
    assert "".join(copy) == " will study more."
    assert copied_fractions([model.ngram], copy) == {3: 1.0, 4: 1.0, 5: 1.0}
    wild = generate(model, "", Limits(100), Sampling(temperature=50.0), seed=1)
    assert len(list(wild)) >= 100
    fractions = copied_fractions([model.ngram], wild)
    assert 0 <= fractions[5] <= fractions[4] <= fractions[3] < 0.5
    nothing = generate(model, "", Limits(0))
    assert list(nothing) == []
    assert copied_fractions([model.ngram], nothing) == {3: None, 4: None, 5: None}


@pytest.mark.parametrize(
    ("prompt", "written", "fractions"),
    [
        ("Tom is", "good at chess", {3: 1.0, 4: 1.0, 5: 1.0}),  # those that end in a written word
        ("chess chess chess Tom is", "good", {3: 1.0, 4: 0.0, 5: 0.0}),  # none of the prompt's own
        ("", "Tom is <eos> Tom is", {3: None, 4: None, 5: None}),  # none over the end of a unit
        ("", "Tom is good <eos> Tom is good", {3: 1.0, 4: None, 5: None}),
        ("", "Tom is good <eos>", {3: 1.0, 4: None, 5: None}),  # none that end in such an end
    ],
)
def test_a_sequence_counts_if_its_last_word_was_written_and_no_unit_ends_in_it(model, prompt, written, fractions):
    writer = generate(model, prompt, Limits(0))
    writer.text += [model.vocabulary.find(word) for word in written.split()]
    assert copied_fractions([model.ngram], writer) == fractions


def test_a_word_that_repeats_is_made_unlikely_but_not_impossible():
    sampling = Sampling(temperature=1.0, repetition_penalty=1e4)
    rng = np.random.default_rng(1)
    assert sampling.draw(np.array([0.0, 0.5, 0.5]), rng, [1]) == 2
    assert sampling.draw(np.array([0.0, 0.5, 0.5]), rng, [1, 2]) in (1, 2)


def test_a_writer_writes_the_same_text_again(model):
    writer = generate(model, "Tom is", Limits(20), Sampling(temperature=1.0), seed=3)
    once = "".join(writer)
    written = list(writer.written)
    assert "".join(writer) == once
    assert writer.written == written


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
    pieces = list(itertools.islice(generate(model, "Tom", Limits(30), seed=1), 100))
    assert len([piece for piece in pieces if piece != "\n"]) == 30
    assert pieces[0].startswith(" ")


def test_unk_is_never_written(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("<unk> <unk> a\n" * 50)
    model = train([path], tokenizer="whitespace", hidden_size=4, epochs=3)
    assert "<unk>" not in model.generate("", 100, seed=1)
    model.lm.find(Network).parameters["softmax.bias"].value[:2] = 1e4  # as if nothing but <unk> and <eos> could follow
    assert model.generate("", 3, temperature=0) == "a\na\na"


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"temperature": float("inf")},
        {"top_k": -1},
        {"top_p": 0},
        {"top_p": 1.1},
        {"min_p": -0.1},
        {"min_p": 1.1},
        {"repetition_penalty": 0.9},
        {"no_repeat": -1},
        {"words": -1},
        {"sentences": -1},
        {"stop": [""]},
    ],
)
def test_settings_that_make_no_sense_are_refused(model, wrong):
    with pytest.raises(SettingError):
        model.generate("Tom", **wrong)
