"""What is decided where an option is left open."""

import math

import pytest

from rnncli.training import recipe
from rnncli.training.recipe import RULES, decided

LARGE_TEXT = 929_589
VERY_LARGE_TEXT = 2_088_628
FAST = 200.0  # GFLOP/s


def decide(train_words, gflops=FAST, ranks=1, **given):
    """Return all options that have a rule, some of them given, for a text of so many words."""
    facts = {
        "gflops": gflops,
        "text_words": train_words,
        "train_words": train_words,
        "marks_unknown": False,
        "repeats": True,
        "fine_tuning": False,
        "vocabulary_size": 10_000,
        "bptt": 35,
        "cell": "lstm",
        "optimizer": "adam",
        "ranks": ranks,
        "cores": 2,
    }
    return decided({**dict.fromkeys(RULES), **given}, facts)


@pytest.mark.parametrize(
    ("words", "seconds", "gflops", "units"),
    [
        (LARGE_TEXT, 120, FAST, 256),
        (LARGE_TEXT, 600, FAST, 384),
        (LARGE_TEXT, 600, FAST / 4, 256),
        (LARGE_TEXT, 1800, FAST / 3, 384),
        (LARGE_TEXT, 2879, FAST, 384),
        (LARGE_TEXT, 4800, FAST, 512),
        (LARGE_TEXT, 9600, FAST, 768),
        (LARGE_TEXT, 43_200, FAST, 1024),
        (500_000, 600, FAST, 384),
        (499_999, 600, FAST, 256),
        (499_999, 3600, FAST, 256),
        (20_000_000, 9600, FAST, 768),
        (LARGE_TEXT, math.inf, FAST, 256),
    ],
)
def test_much_time_for_a_large_text_on_a_fast_machine_asks_for_a_large_network(words, seconds, gflops, units):
    assert decide(words, time=seconds, gflops=gflops)["hidden_size"] == units


def test_a_large_network_has_smaller_vectors_more_sequences_and_larger_samples():
    def of(option, units):
        return decide(LARGE_TEXT, hidden_size=units)[option]

    assert [of("embedding_size", units) for units in (100, 256, 512)] == [100, 256, 256]
    assert of("batch_size", 512) == of("batch_size", 384) > of("batch_size", 256)
    assert of("samples", 512) > of("samples", 384) == of("samples", 256)


def test_every_rank_has_four_sequences():
    assert [decide(LARGE_TEXT, hidden_size=256, ranks=ranks)["batch_size"] for ranks in (1, 5, 6, 100)] == [
        20, 20, 24, 400,
    ]  # fmt: skip


@pytest.mark.parametrize(("words", "sequences"), [(0, 1), (349, 1), (700, 2), (7000, 20)])
def test_a_small_text_is_cut_into_few_sequences_of_at_least_ten_windows(words, sequences):
    assert recipe.max_batch_size(words, 35) == sequences


@pytest.mark.parametrize(("words", "epochs"), [(8, 20), (499_999, 20), (500_000, 40)])
def test_a_text_is_read_at_most_20_or_40_times(words, epochs):
    assert decide(words)["epochs"] == epochs
    assert recipe.expected_epochs(words, 256, 1e9, 2, epochs, FAST) == epochs
    assert recipe.expected_epochs(words, 256, 1e9, 2, 50, FAST) == 50


@pytest.mark.parametrize(
    ("words", "units", "seconds", "epochs", "rate"),
    [
        (30_000, 256, 600, None, 0.5),
        (LARGE_TEXT, 384, 600, None, 0.2),
        (VERY_LARGE_TEXT, 384, 3600, None, 0.35),
        (LARGE_TEXT, 768, 14_400, None, 0.5),
        (20_000_000, 768, 3600, None, 0.2),
        (VERY_LARGE_TEXT, 768, 14_400, None, 0.35),
        (LARGE_TEXT, 256, 120, None, 0.2),
        (100, 256, None, 15, 0.5),
        (100, 256, None, 14, 0.35),
        (100, 256, None, 6, 0.35),
        (100, 256, None, 5, 0.2),
        (100, 256, 600, 2, 0.2),
        (0, 256, 600, None, 0.5),
    ],
)
def test_dropout_grows_with_the_expected_epochs(words, units, seconds, epochs, rate):
    assert decide(words, hidden_size=units, time=seconds, epochs=epochs)["dropout"] == rate


@pytest.mark.parametrize(("networks", "epochs", "rate"), [(1, 15, 0.5), (2, 15, 0.35), (2, 19, 0.35), (2, 20, 0.5)])
def test_several_networks_have_less_dropout_than_one(networks, epochs, rate):
    assert decide(100, networks=networks, time=None, epochs=epochs)["dropout"] == rate


def test_a_large_network_that_reads_a_text_often_has_word_and_recurrent_dropout_too():
    large = decide(LARGE_TEXT, hidden_size=512, time=3600)
    assert 0 < large["word_dropout"] < large["recurrent_dropout"] < 1
    smaller = decide(LARGE_TEXT, hidden_size=384, time=3600)
    seldom = decide(20_000_000, hidden_size=512, time=3600)
    for less in (smaller, seldom):
        assert (less["word_dropout"], less["recurrent_dropout"]) == (0, 0)


@pytest.mark.parametrize(
    ("options", "gflops", "networks"),
    [
        ({"time": 600}, FAST, 2),
        ({"time": 600}, FAST / 3, 1),
        ({"time": 1800}, FAST / 3, 2),
        ({"time": 120}, FAST, 1),
        ({"time": 3600}, FAST, 4),
        ({"time": 3600}, FAST / 3, 2),
        ({}, FAST, 2),
        ({"epochs": 5}, FAST, 1),
    ],
)
def test_several_networks_are_trained_where_there_is_time_for_them(options, gflops, networks):
    assert decide(LARGE_TEXT, gflops=gflops, **options)["networks"] == networks


@pytest.mark.parametrize(
    ("words", "seconds", "networks"),
    [
        (VERY_LARGE_TEXT, 600, 1),
        (VERY_LARGE_TEXT, 1300, 2),
        (VERY_LARGE_TEXT, 6100, 4),
        (VERY_LARGE_TEXT, 3600, 4),
        (20_000_000, 3600, 1),
        (80_000, 90, 1),
        (80_000, 600, 4),
        (400_000, 600, 2),
        (0, 600, 4),
    ],
)
def test_each_network_must_read_the_text_some_times_and_some_million_words_of_it(words, seconds, networks):
    assert decide(words, time=seconds)["networks"] == networks


@pytest.mark.parametrize(("words", "prune"), [(5_000_000, False), (5_000_001, True)])
def test_ngrams_that_occurred_once_are_left_out_of_a_long_text(words, prune):
    assert decide(words)["prune"] is prune


def test_an_option_that_is_given_is_left_as_it_is_whatever_its_rule_says():
    given = {"time": 7.0, "epochs": 3, "hidden_size": 9, "lr": 0.5, "prune": False, "softmax": "full", "min_count": 4}
    options = decide(20_000_000, **given)
    assert {name: options[name] for name in given} == given
    assert None not in options.values()
