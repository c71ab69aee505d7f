import numpy as np
import pytest

from rnncli.text.batches import excerpts, padded, parallel_sequences, prefix_numbers, window


@pytest.mark.parametrize("batch", [1, 3, 4, 10])
def test_every_word_is_a_target_once_in_its_order(batch):
    ids = np.arange(5, 25)
    words = parallel_sequences(ids, batch)
    length = 20 // batch
    assert words.shape == (length + 1, batch)
    assert words[1:].T.ravel().tolist() == ids[: length * batch].tolist()


def test_each_stream_is_preceded_by_the_word_before_it_and_the_text_by_eos():
    assert parallel_sequences(np.arange(5, 11), 2)[:1].tolist() == [[0, 7]]


def test_windows_follow_each_other_and_targets_are_the_next_inputs():
    words = parallel_sequences(np.arange(1, 12), 1)
    pieces = [window(words, start, 4) for start in (0, 4, 8)]
    assert [len(inputs) for inputs, _ in pieces] == [4, 4, 3]
    assert np.concatenate([inputs for inputs, _ in pieces]).ravel().tolist() == list(range(11))
    assert np.concatenate([targets for _, targets in pieces]).ravel().tolist() == list(range(1, 12))


def sentences(lengths) -> np.ndarray:
    """A text whose words are numbered in their order, with units of these lengths, `<eos>` included."""
    ids = np.arange(1, sum(lengths) + 1)
    ids[np.cumsum(lengths) - 1] = 0
    return ids


def test_excerpts_are_spread_over_a_text_and_each_begins_where_a_unit_does():
    found = excerpts(sentences([7] * 100), 40, 4)
    assert [piece.tolist() for piece in found] == [
        [*range(first, first + 6), 0, *range(first + 7, first + 10)] for first in (1, 176, 351, 526)
    ]


def test_excerpts_as_long_as_a_text_are_the_text():
    ids = sentences([7, 30, 5, 1, 60, 2])
    found = excerpts(ids, 1000, 4)
    np.testing.assert_array_equal(np.concatenate(found), ids)
    assert [piece[0] for piece in found] == [1, 8, 44]
    assert [piece.tolist() for piece in excerpts(ids[:3], 5, 4)] == [[1, 2, 3]]


def test_a_text_of_one_unit_is_not_cut_in_its_middle():
    assert [piece.tolist() for piece in excerpts(np.arange(1, 100), 10, 4)] == [list(range(1, 11))]


def test_texts_of_different_lengths_stand_side_by_side():
    words, lengths = padded([np.array([5, 6]), np.array([], np.int32), np.array([7, 8, 9])])
    assert words.T.tolist() == [[5, 6, 0], [0, 0, 0], [7, 8, 9]]
    assert lengths.tolist() == [2, 0, 3]


def test_positions_with_the_same_words_before_them_have_the_same_number():
    texts = [[5, 6, 7], [5, 6], [5, 8, 7, 7], [], [5, 6, 7]]
    words, lengths = padded([np.array(text, np.int32) for text in texts])
    numbers, known = prefix_numbers(words, lengths), {}
    for sequence, text in enumerate(texts):
        for place in range(len(text)):
            assert known.setdefault(numbers[place, sequence], text[:place]) == text[:place]
    assert len(known) == 5  # nothing, 5, 5 6, 5 8, 5 8 7


@pytest.mark.parametrize("second", [[3, 0, 4], [3, 1, 4], [3, 2, 4]])
def test_different_prefixes_have_different_numbers_whatever_their_words(second):
    numbers = prefix_numbers(*padded([np.array([2, 7, 4]), np.array(second)]))
    assert (numbers[1:, 0] != numbers[1:, 1]).all()
