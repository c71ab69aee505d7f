"""The n-grams of large texts: they are counted piece by piece, and the same as those of a simple program."""

import os
import tempfile
import tracemalloc
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from rnncli.errors import SettingError
from rnncli.lm.ngram import NGram
from rnncli.lm.ngram_counts import PIECES, context_lengths, count_ngrams, counted_part, discounts
from rnncli.lm.ngram_level import UNSEEN, Level
from rnncli.text.columns import Store
from rnncli.text.vocabulary import EOS_ID, UNK_ID

OPEN_FILES = Path("/proc/self/fd")
needs_open_files = pytest.mark.skipif(not OPEN_FILES.exists(), reason="this system does not list open files")


def smallest(numbers):
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)))


def simply(ids, vocabulary_size: int, order: int, prune: bool):
    """The model by a program that sorts the whole text at once, for each length."""
    ids = ids.astype(np.int64)
    levels = []
    is_kept = np.ones(vocabulary_size, bool)
    counted = counts_of_all_lengths(ids, vocabulary_size, order)
    _, _, unigrams = next(counted)
    if not unigrams[UNK_ID]:
        unigrams[UNK_ID] = np.count_nonzero(unigrams == 1)
    for keys, occurrences, counts in counted:
        contexts, words = np.divmod(keys, vocabulary_size)
        has_context = is_kept[contexts]
        size = np.count_nonzero(is_kept)
        contexts = (np.cumsum(is_kept) - 1)[contexts]
        is_kept = occurrences >= (2 if prune and levels else 1)
        is_pruned = has_context & ~is_kept
        pruned_counts = np.bincount(contexts[is_pruned], counts[is_pruned], size + 1)
        starts = np.searchsorted(contexts[is_kept], np.arange(size + 1))
        arrays = (words[is_kept], counts[is_kept], starts, pruned_counts.astype(np.int64))
        levels.append(Level(*map(smallest, arrays), discounts(counts)))
    p = np.maximum(unigrams - discounts(unigrams)[np.minimum(unigrams, 3)], 0) / unigrams.sum()
    return p + (1 - p.sum()) / len(p), levels


def counts_of_all_lengths(ids, vocabulary_size: int, order: int):
    """For each length the n-grams, as context * V + word, their occurrences, and their counts."""
    before = np.concatenate([[EOS_ID], ids])[:-1]
    lengths = context_lengths(ids)
    keys = np.arange(vocabulary_size)
    occurrences = np.bincount(ids, minlength=vocabulary_size)
    ends = ids
    for n in range(2, order + 1):
        contexts = before if n == 2 else np.concatenate([[UNSEEN], ends[:-1]])
        inside = np.flatnonzero(lengths >= n - 1)
        longer, first, numbers, longer_occurrences = np.unique(
            contexts[inside] * vocabulary_size + ids[inside],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        different_before = np.bincount(ends[inside[first]], minlength=len(keys))
        yield keys, occurrences, np.where(different_before, different_before, occurrences)
        keys = longer
        occurrences = longer_occurrences
        ends = np.full(len(ids), UNSEEN)
        ends[inside] = numbers
    yield keys, occurrences, occurrences


def assert_same(found, expected) -> None:
    assert len(found[1]) == len(expected[1])
    arrays = [(found[0], expected[0])]
    for level, other in zip(found[1], expected[1], strict=True):
        arrays += [(getattr(level, entry.name), getattr(other, entry.name)) for entry in fields(Level)]
    for array, other in arrays:
        assert array.dtype == other.dtype
        np.testing.assert_array_equal(array, other)


@st.composite
def texts(draw):
    """A text of few words, which repeat, with units of all lengths, and the size of its vocabulary."""
    size = draw(st.integers(2, 7))
    pieces = st.lists(st.lists(st.integers(0, size - 1), max_size=8), min_size=1, max_size=6)
    known = draw(pieces)
    words = [word for piece in draw(st.lists(st.sampled_from(known), max_size=12)) for word in piece]
    return np.array([*words, *draw(st.sampled_from([[], [EOS_ID]]))] or [EOS_ID]), size


@given(
    texts(),
    st.integers(1, 6),
    st.booleans(),
    st.integers(1, 30),
    st.sampled_from([0, 1000]),
    st.sampled_from([np.uint8, np.uint16, np.int32, np.int64]),
)
def test_the_arrays_are_those_of_a_simple_program(text, order, prune, range_size, most_in_memory, dtype):
    ids, size = text
    found = count_ngrams(ids.astype(dtype), size, order, prune, range_size=range_size, most_in_memory=most_in_memory)
    assert_same(found, simply(ids, size, order, prune))


@pytest.fixture
def ids(rng):
    """A text of 30,000 words, some of which are much more frequent than others, and of which parts repeat."""
    words = np.minimum(rng.zipf(1.3, 20_000) - 1, 2999).astype(np.uint16)
    return np.concatenate([words, words[3000:9000], words[5000:9000], [EOS_ID]]).astype(np.uint16)


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("range_size", [500, 10_000, 0])
def test_a_text_that_lies_in_a_file_is_counted_alike(ids, prune, range_size, tmp_path):
    np.save(tmp_path / "ids.npy", ids)
    mapped = np.load(tmp_path / "ids.npy", mmap_mode="r")[:-100]
    found = count_ngrams(mapped, 3000, 5, prune, folder=tmp_path, most_in_memory=0, range_size=range_size)
    assert_same(found, simply(ids[:-100], 3000, 5, prune))


def open_files(folder: Path) -> list[str]:
    targets = [os.readlink(entry) for entry in OPEN_FILES.iterdir() if entry.is_symlink()]
    return [target for target in targets if target.startswith(str(folder))]


@needs_open_files
def test_a_large_text_uses_files_of_the_folder_that_have_no_name_and_gives_them_back(ids, tmp_path):
    seen = []
    listed = []

    def look(_: float) -> None:
        seen.append(len(open_files(tmp_path)))
        listed.extend(tmp_path.iterdir())

    count_ngrams(ids, 3000, 3, True, folder=tmp_path, most_in_memory=len(ids) - 1, progress=look)
    assert min(seen) > 0
    assert not listed
    assert not open_files(tmp_path)


@needs_open_files
def test_a_small_text_uses_no_files(ids, tmp_path):
    seen = []
    NGram.count(ids, 3000, 3, folder=tmp_path, progress=lambda _: seen.extend(open_files(tmp_path)))
    assert not seen


@needs_open_files
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_what_the_progress_raises_ends_the_counting_and_leaves_no_file(ids, tmp_path, share):
    def stop(done: float) -> None:
        if done >= share:
            raise OSError("enough")

    with pytest.raises(OSError, match="enough"):
        count_ngrams(ids, 3000, 4, True, folder=tmp_path, most_in_memory=0, range_size=1000, progress=stop)
    assert not open_files(tmp_path)


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_the_progress_rises_to_the_end(ids, order, prune):
    seen = [0.0]
    count_ngrams(ids, 3000, order, prune, range_size=1000, progress=seen.append)
    assert all(later >= earlier for earlier, later in pairwise(seen))
    assert seen[-1] == pytest.approx(1 if order > 1 else 0)
    assert order == 1 or len(seen) > 20


def test_a_folder_that_does_not_work_is_replaced_by_the_one_for_temporary_files(ids, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []
    found = count_ngrams(
        ids,
        3000,
        3,
        True,
        folder=tmp_path / "missing",
        most_in_memory=0,
        progress=lambda _: seen.extend(open_files(tmp_path) if OPEN_FILES.exists() else [""]),
    )
    assert seen
    assert_same(found, simply(ids, 3000, 3, True))


def test_without_room_for_files_the_text_is_counted_in_memory(ids, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # a write further on fails
    try:
        found = count_ngrams(ids, 3000, 3, True, folder=tmp_path, most_in_memory=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_same(found, simply(ids, 3000, 3, True))


def peak_memory(ids) -> int:
    tracemalloc.start()
    try:
        count_ngrams(ids, 3000, 5, True, most_in_memory=0, range_size=500)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_of_a_text_that_says_nothing_new_the_memory_does_not_grow(ids):
    peak_memory(ids[:6000])  # what is imported and started for the first time
    assert peak_memory(np.tile(ids[:6000], 5)) < 1.5 * peak_memory(np.tile(ids[:6000], 2))


def test_a_text_with_more_ngrams_than_there_are_numbers_is_refused():
    ids = np.broadcast_to(np.uint8(EOS_ID), 2**31)
    with pytest.raises(SettingError, match="n-grams can be counted of 2,147,483,646 words"):
        count_ngrams(ids, 2, 2, False)


# A part of a text.


def text_of(lengths) -> np.ndarray:
    """A text of units of some lengths, in which each word occurs once."""
    ids = np.arange(2, 2 + sum(lengths))
    ids[np.cumsum(lengths) - 1] = EOS_ID
    return ids


def units_of(ids) -> list[list[int]]:
    units = np.split(ids, np.flatnonzero(ids == EOS_ID) + 1)
    assert not len(units[-1])
    return [unit.tolist() for unit in units[:-1]]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_a_part_holds_about_so_many_words_in_whole_units_from_all_over_the_text(share, rng):
    ids = text_of(rng.integers(2, 12, 1000))
    words = int(share * len(ids))
    part = counted_part(ids, words, Store())
    units = units_of(part)
    known = {unit[0]: unit for unit in units_of(ids)}
    assert all(known.get(unit[0]) == unit for unit in units)
    assert [unit[0] for unit in units] == sorted(unit[0] for unit in units)
    assert 0.9 * words < len(part) <= words
    taken, _ = np.histogram(part[part != EOS_ID], PIECES, (0, len(ids)))
    assert taken.min() > 0.8 * taken.max()


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30), st.integers(1, 2000))
def test_of_a_unit_longer_than_a_piece_a_part_is_taken(lengths, words):
    ids = text_of(lengths)
    part = counted_part(ids, words, Store())
    assert len(part) <= max(words, PIECES)
    for unit in units_of(part):
        begin = unit[0] - 2 if unit[0] else 0
        assert unit[:-1] == ids[begin : begin + len(unit) - 1].tolist()


def test_of_a_text_in_copies_each_gives_other_pieces():
    copy = np.arange(1, 10_001)
    part = counted_part(np.tile(copy, 5), len(copy) // 2, Store())
    assert len(set(part[part != EOS_ID].tolist())) > 0.9 * len(part)


@pytest.mark.parametrize("words", [6, 7, 1000])
def test_a_text_that_is_no_longer_is_taken_as_it_is(words):
    ids = np.array([2, 3, 0, 2, 3, 0])
    assert counted_part(ids, words, Store()) is ids


def test_a_part_of_a_text_without_units_has_pieces_that_end_as_units_do():
    ids = np.full(1000, 2, np.uint16)
    part = counted_part(ids, 5 * PIECES, Store())
    assert part.tolist() == [2, 2, 2, 2, 0] * PIECES
    assert part.dtype == ids.dtype
