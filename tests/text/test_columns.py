import mmap
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.errors import TextError
from rnncli.text import columns, places, spacing
from rnncli.text.annotation import plain
from rnncli.text.columns import Column, Lines, Store, pieces
from rnncli.text.corpus import read_split
from rnncli.text.tokenizers import Tokenizer
from rnncli.text.vocabulary import EOS_ID, Tokens, Vocabulary


def filled(store: Store) -> np.ndarray:
    column = Column(store, np.int32)
    for begin in range(0, 100, 10):
        column.append(np.arange(begin, begin + 10))
    return column.array()


def is_mapped(array: np.ndarray) -> bool:
    owner = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(getattr(owner, "obj", None), mmap.mmap)


@pytest.mark.parametrize("most", [0, 150, 10_000])
def test_a_column_is_in_memory_while_it_is_small_and_in_a_file_from_then_on(tmp_path, most):
    found = filled(Store(tmp_path / "new folder", max_in_memory=most))
    assert found.tolist() == list(range(100))
    assert is_mapped(found) is (most < 400)
    assert [part.tolist() for part in pieces(found, 60)] == [list(range(60)), list(range(60, 100))]
    assert os.name == "nt" or not [path for path in tmp_path.rglob("*") if path.is_file()]  # the file has no name


def test_a_folder_that_cannot_be_written_is_told_of_and_another_one_taken(tmp_path):
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "folder", max_in_memory=0)
    assert filled(store).tolist() == list(range(100))
    (warning,) = store.warnings
    assert warning.startswith(f"cannot write to {tmp_path / 'file' / 'folder'} (")
    assert warning.endswith("): the words of the text are kept in the folder for temporary files")


class FullDisk:
    """A file of a disk that takes no more than some bytes, and gives a few at once."""

    def __init__(self, path: Path, size: int):
        self.file = path.open("w+b", buffering=0)
        self.left = size

    def write(self, data) -> int:
        if not self.left:
            raise OSError(28, "No space left on device")
        written = self.file.write(data[: self.left])
        self.left -= written
        return written

    def read(self, size: int) -> bytes:
        return self.file.read(min(size, 7))

    def readinto(self, data) -> int:
        return self.file.readinto(memoryview(data)[:7])

    def __getattr__(self, name: str):
        return getattr(self.file, name)


def test_what_a_full_disk_has_taken_is_not_lost(tmp_path, monkeypatch):
    store = Store(tmp_path / "a", tmp_path / "b", max_in_memory=0)
    files = iter([FullDisk(tmp_path / "1", 42), FullDisk(tmp_path / "2", 123), None])
    monkeypatch.setattr(store, "open", lambda: next(files, None))
    assert filled(store).tolist() == list(range(100))
    assert len(store.warnings) == 2
    assert "No space left on device" in store.warnings[0]


@pytest.mark.parametrize(("fault", "reason"), [(OSError(5, "Input/output error"), "Input/output error"), (None, "the")])
def test_words_that_a_failing_disk_does_not_give_back_are_an_error(tmp_path, monkeypatch, fault, reason):
    class DeadDisk(FullDisk):
        def read(self, size: int) -> bytes:
            return self.file.read(0) if fault is None else self.readinto(bytearray(size))

        def readinto(self, data) -> int:
            if fault:
                raise fault
            return 0

    store = Store(max_in_memory=0)
    monkeypatch.setattr(store, "open", lambda: DeadDisk(tmp_path / "1", 42))
    with pytest.raises(TextError, match=rf'cannot read the words of the text again \({reason}.*cache_dir="DIRECTORY"$'):
        filled(store)


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_lines_are_the_same_in_memory_and_in_a_file(lines):
    for most in (0, 10, 10_000):
        kept = Lines(lines, Store(max_in_memory=most))
        assert [*kept] == [*kept] == lines


class Watched(bytes):
    """Bytes that count how many of them are searched for ends of lines, also when they were joined to others."""

    searched = 0

    def tobytes(self) -> "Watched":
        return self

    def split(self, *arguments):
        Watched.searched += len(self)
        return super().split(*arguments)

    def __radd__(self, before: bytes) -> "Watched":
        return Watched(bytes(before) + bytes(self))


def test_each_byte_of_a_long_line_is_looked_at_once(monkeypatch):
    lines = ["x" * 100, "y", "z" * 10]
    written = "".join(f"{line}\n" for line in lines).encode()
    kept = Lines(lines, Store(max_in_memory=0))
    monkeypatch.setattr(columns, "pieces", lambda *_: (Watched(written[at : at + 7]) for at in range(0, 114, 7)))
    assert [*kept] == lines
    assert Watched.searched == len(written) == 114


def split_slowly(tokens: Tokens, fraction: float) -> int:
    ends = np.flatnonzero(tokens.ids == EOS_ID) + 1
    wanted = ends[max(0, len(ends) - 1 - max(1, round(len(ends) * fraction)))]
    words_before = np.cumsum(tokens.ids != EOS_ID)[:-1]
    cuts = 1 + np.flatnonzero((words_before > 0) & (words_before < tokens.words()))
    between_units = cuts[tokens.ids[cuts - 1] == EOS_ID]
    if len(between_units):
        cuts = between_units
    else:
        wanted = len(tokens) * (1 - fraction)
    return int(cuts[np.abs(cuts - wanted).argmin()])


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(lambda sizes: sum(sizes) > 1),
    st.floats(0.01, 0.99),
    st.integers(1, 20),
)
def test_a_text_is_split_between_the_units_that_are_nearest_to_the_fraction(sizes, fraction, size):
    tokens = Tokens.from_units([["word"] * count for count in sizes])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns.bounds, "__defaults__", (size,))
        first, last = tokens.split(fraction)
    assert len(first) == split_slowly(tokens, fraction)
    assert first.ids.tolist() + last.ids.tolist() == tokens.ids.tolist()
    assert min(first.words(), last.words()) > 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_of_a_text_are_worked_on_in_their_order_and_few_are_taken_ahead(threads):
    taken = []
    found = spacing.side_by_side(lambda part: 2 * part, (taken.append(part) or part for part in range(20)), threads)
    assert next(found) == 0
    assert len(taken) <= threads + 1
    assert [*found] == [*range(2, 40, 2)]


def test_a_large_text_is_prepared_as_a_small_one(noted_file, tmp_path, monkeypatch):
    def prepared(store: Store, threads: int = 1):
        split = read_split(noted_file, tokenizer=Tokenizer(fold=True), store=store).spaced(threads=threads)
        return split, split.numbered_by(Vocabulary.from_tokens(split.train))

    split, corpus = prepared(Store())
    monkeypatch.setattr(places, "TOKENS_PER_PASS", 50)
    monkeypatch.setattr(spacing, "TOKENS_PER_PASS", 50)
    monkeypatch.setattr(columns.bounds, "__defaults__", (30,))
    large_split, large = prepared(Store(tmp_path, max_in_memory=0), threads=3)
    assert large_split.train.types == split.train.types
    assert any(plain(word) != word for word in split.train.types)  # some marks have notes
    assert large.vocabulary.words == corpus.vocabulary.words
    assert large.detokenizer == corpus.detokenizer
    assert large.train.tolist() == corpus.train.tolist()
    assert large.valid.tolist() == corpus.valid.tolist()
    assert large.counts().tolist() == corpus.counts().tolist()
    assert is_mapped(large.train)
    assert corpus.train.dtype == large.train.dtype == np.uint16
    assert large.facts == corpus.facts
