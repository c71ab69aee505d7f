from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.lm.interface import pick, repeat


class Pair(NamedTuple):
    left: np.ndarray
    right: tuple


class Owner:
    """A context that picks its places itself."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def pick(self, places: np.ndarray) -> "Owner":
        return Owner(pick(self.array, places))


sizes = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3))


@st.composite
def picked_places(draw) -> tuple[np.ndarray, np.ndarray]:
    """An array (T, B, D), and a place in T for each of B."""
    shape = draw(sizes)
    places = draw(st.lists(st.integers(0, shape[0] - 1), min_size=shape[1], max_size=shape[1]))
    return np.arange(np.prod(shape)).reshape(shape), np.array(places)


@given(picked_places())
def test_a_picked_context_has_of_each_sequence_the_place_that_was_asked_for(drawn):
    array, places = drawn
    expected = [[array[place, sequence].tolist() for sequence, place in enumerate(places)]]
    assert pick(array, places).tolist() == expected
    flat = pick(array[..., :1].sum(axis=2), places)  # (T, B)
    assert flat.shape == (1, len(places))


@given(picked_places())
def test_a_context_is_picked_through_tuples_and_objects_to_its_arrays(drawn):
    array, places = drawn
    expected = pick(array, places)
    named = pick(Pair(array, (array + 1, None)), places)
    assert isinstance(named, Pair)
    assert isinstance(named.right, tuple)
    np.testing.assert_array_equal(named.left, expected)
    np.testing.assert_array_equal(named.right[0], expected + 1)
    assert named.right[1] is None
    np.testing.assert_array_equal(pick(Owner(array), places).array, expected)


@given(st.integers(1, 5), st.integers(0, 3))
def test_a_state_is_repeated_for_every_sequence(batch, size):
    array = np.arange(size)[None]  # of one sequence
    state = repeat(Pair(array, (array + 1, None)), batch)
    assert isinstance(state, Pair)
    assert state.left.tolist() == [array[0].tolist()] * batch
    assert state.right[0].tolist() == [(array[0] + 1).tolist()] * batch
    assert state.right[1] is None


def test_a_context_of_no_known_kind_cannot_be_picked_in_silence():
    with pytest.raises(AttributeError, match="pick"):
        pick("context", np.array([0]))
