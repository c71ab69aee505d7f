import pytest

from rnncli.training import recipe


@pytest.mark.parametrize(
    ("words", "seconds", "units"),
    [
        (929_589, 120, 256),
        (929_589, 600, 384),
        (929_589, 1799, 384),
        (929_589, 1800, 512),
        (500_000, 600, 384),
        (499_999, 600, 256),
        (499_999, 3600, 256),
        (20_000_000, 3600, 512),
        (929_589, None, 256),
    ],
)
def test_much_time_for_much_text_asks_for_a_large_network(words, seconds, units):
    assert recipe.hidden_size(words, seconds) == units


def test_a_large_network_has_smaller_vectors_more_streams_and_larger_samples():
    assert [recipe.embedding_size(units) for units in (100, 256, 512)] == [100, 256, 256]
    assert recipe.batch_size(512) == recipe.batch_size(384) > recipe.batch_size(256)
    assert recipe.samples(512) > recipe.samples(384) == recipe.samples(256)


@pytest.mark.parametrize(("words", "streams"), [(0, 1), (349, 1), (700, 2), (7000, 20)])
def test_a_small_text_is_cut_into_few_streams_of_ten_windows_at_least(words, streams):
    assert recipe.most_streams(words, 35) == streams


@pytest.mark.parametrize(("words", "times"), [(8, 20), (499_999, 20), (500_000, 40)])
def test_a_text_is_read_so_many_times_at_most(words, times):
    assert recipe.most_epochs(words) == recipe.readings(words, 256, 1e9, None) == times
    assert recipe.readings(words, 256, 1e9, 50) == 50


@pytest.mark.parametrize(
    ("words", "units", "seconds", "epochs", "rate"),
    [
        (30_000, 256, 600, None, 0.5),
        (929_589, 384, 600, None, 0.35),
        (2_088_628, 384, 600, None, 0.2),
        (929_589, 512, 3600, None, 0.5),
        (2_088_628, 512, 3600, None, 0.35),
        (929_589, 256, 120, None, 0.2),
        (100, 256, None, 15, 0.5),
        (100, 256, None, 14, 0.35),
        (100, 256, None, 5, 0.35),
        (100, 256, None, 4, 0.2),
        (100, 256, 600, 2, 0.2),
        (0, 256, 600, None, 0.5),
    ],
)
def test_the_more_often_a_text_is_read_the_more_is_hidden(words, units, seconds, epochs, rate):
    assert recipe.dropouts(words, units, seconds, epochs)["dropout"] == rate


def test_of_a_large_network_that_reads_a_text_often_words_and_recurrent_weights_are_hidden_too():
    large = recipe.dropouts(929_589, 512, 3600, None)
    assert 0 < large["word_dropout"] < large["recurrent_dropout"] < 1
    smaller, seldom = recipe.dropouts(929_589, 384, 3600, None), recipe.dropouts(20_000_000, 512, 3600, None)
    for less in (smaller, seldom):
        assert (less["word_dropout"], less["recurrent_dropout"]) == (0, 0)
