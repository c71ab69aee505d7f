import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.tasks.batching import chunks, even_rows, length_groups

lengths = st.lists(st.integers(0, 12), max_size=30)
rows = st.one_of(st.just(math.inf), st.integers(1, 6))
words = st.one_of(st.just(math.inf), st.integers(1, 40))
spreads = st.one_of(st.just(math.inf), st.integers(0, 6))


def fits(group: list[int], lengths: list[int], max_rows: float, max_words: float, max_spread: float) -> bool:
    own = [lengths[place] for place in group]
    return len(own) <= max_rows and max(own) * len(own) <= max_words and max(own) - min(own) <= max_spread


@given(lengths)
def test_every_text_is_in_one_group_longest_first(lengths):
    groups = length_groups(lengths, max_rows=4, max_words=20, max_spread=3)
    places = [place for group in groups for place in group]
    assert sorted(places) == list(range(len(lengths)))
    assert [lengths[place] for place in places] == sorted(lengths, reverse=True)
    assert all(groups)


@given(lengths, rows, words, spreads)
def test_a_group_keeps_its_bounds_unless_it_is_a_single_text_that_is_too_long(lengths, rows, words, spreads):
    bounds = (rows, words, spreads)
    groups = length_groups(lengths, max_rows=rows, max_words=words, max_spread=spreads)
    for group in groups:
        assert len(group) == 1 or fits(group, lengths, *bounds)
    for group, following in itertools.pairwise(groups):
        assert not fits([*group, following[0]], lengths, *bounds)  # a group is as large as it may be


@given(lengths)
def test_without_bounds_all_texts_are_one_group_and_equal_lengths_keep_their_order(lengths):
    groups = length_groups(lengths)
    assert groups == ([sorted(range(len(lengths)), key=lambda place: -lengths[place])] if lengths else [])


@given(st.integers(0, 50), st.integers(1, 12))
def test_chunks_cover_everything_once_and_only_the_last_is_smaller(count, size):
    found = list(chunks(count, size))
    assert [place for some in found for place in range(some.start, some.stop)] == list(range(count))
    assert {some.stop - some.start for some in found[:-1]} <= {size}


@given(st.integers(0, 3000), st.integers(1, 300), st.integers(1, 8))
def test_all_cores_have_about_equally_many_rows(count, most, cores):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnncli.tasks.batching.usable_cores", lambda: cores)
        rows = even_rows(count, most)
    assert rows <= most
    groups = math.ceil(count / max(1, rows))
    if count <= most:
        assert rows == count
    else:
        assert (count - (groups - 1) * rows) > 0
        assert rows <= math.ceil(count / cores)
