import io
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from rnncli.storage.archive import (
    ALIGNMENT_BYTES,
    NotAModelError,
    arrays_from_bytes,
    read_arrays,
    write_arrays,
)

ARRAYS = {
    "format": np.array(2),
    "text": np.array("naïve"),
    "a": np.arange(12.0).reshape(3, 4),
    "none": np.zeros(0, "u1"),
}


def written(arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    write_arrays(file, arrays)
    return file.getvalue()


def zipped(members: list[tuple[str, bytes]], **options) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members:
            archive.NameToInfo.pop(name, None)  # so that a name that comes twice brings no warning
            archive.writestr(name, content)
    return file.getvalue()


def described(header: bytes, content: bytes = b"") -> bytes:
    """An archive of one array with this header."""
    return zipped([("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + content)])


names = st.text("abcdefghij.0123456789", min_size=1, max_size=30)
dtypes = st.sampled_from(["<f2", "<f4", "<f8", ">f4", "|u1", "<u2", "<u4", ">u8", "|i1", "<i8", "<U1", "<U40"])
arrays = dtypes.flatmap(lambda dtype: of_numpy.arrays(dtype, of_numpy.array_shapes(min_dims=0, min_side=0, max_side=5)))


@given(st.dictionaries(names, arrays, max_size=5), st.booleans())
def test_any_arrays_come_back_aligned_and_numpy_reads_them_too(given_arrays, checked):
    data = written(given_arrays)
    read = arrays_from_bytes(data, checked)
    assert list(read) == list(given_arrays)
    for name, array in given_arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read[name], array)
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        for name, array in given_arrays.items():
            np.testing.assert_array_equal(file[name], array)


@given(arrays)
def test_each_array_is_written_as_numpy_writes_it(array):
    for values in (array, np.asfortranarray(array), array[..., ::-1] if array.ndim else array):
        file = io.BytesIO()
        np.lib.format.write_array(file, values, allow_pickle=False)
        with zipfile.ZipFile(io.BytesIO(written({"a": values}))) as archive:
            assert archive.read("a.npy") == file.getvalue()


def test_arrays_that_numpy_wrote_are_read(tmp_path):
    np.savez(tmp_path / "arrays.npz", **ARRAYS)
    read = read_arrays(tmp_path / "arrays.npz", checked=True)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array)


def test_arrays_are_views_of_the_file_that_cannot_be_changed(tmp_path):
    (tmp_path / "arrays.npz").write_bytes(written(ARRAYS))
    for array in read_arrays(tmp_path / "arrays.npz", checked=False).values():
        assert not array.flags.owndata
        assert not array.flags.writeable
        assert array.size == 0 or array.ctypes.data % ALIGNMENT_BYTES == 0


def test_a_mapped_array_is_written_and_stays_as_it_was(tmp_path):
    for mode in ("w+", "r", "c"):
        mapped = np.memmap(tmp_path / "mapped", np.uint16, mode, shape=(500, 3000))
        if mode == "w+":
            mapped[:] = np.arange(3000)
        if mode == "c":
            mapped[7] = 7  # in memory only
        before = np.array(mapped)
        np.testing.assert_array_equal(
            arrays_from_bytes(written({"a": mapped.T, "b": mapped[3:]}), True)["b"], before[3:]
        )
        np.testing.assert_array_equal(mapped, before)


def test_files_of_more_than_two_gigabytes_have_their_numbers_elsewhere(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)  # instead of 2 GB
    arrays = ARRAYS | {"b": np.arange(100)}
    data = written(arrays)
    assert b"PK\6\6" in data
    assert data.count(struct.pack("<I", 0xFFFFFFFF)) > len(arrays)
    for end in (data, _with_large_end(data)):
        read = arrays_from_bytes(end, checked=True)
        for name, array in arrays.items():
            np.testing.assert_array_equal(read[name], array)


def _with_large_end(data: bytes) -> bytes:
    """The file as one of more than four gigabytes ends."""
    end = bytearray(data[-22:])
    end[8:20] = b"\xff" * 12
    return data[:-22] + bytes(end)


ARRAY = b"\x93NUMPY\1\0\x3e\0{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }    \nabc"
REFUSED = {
    "twice": (zipped([("a.npy", ARRAY), ("a.npy", ARRAY)]), "it holds 'a.npy' twice"),
    "many": (zipped([(f"{i}.npy", b"") for i in range(10_001)]), "it claims to hold 10,001 arrays"),
    "compressed": (zipped([("a.npy", ARRAY * 9)], compression=zipfile.ZIP_DEFLATED), "it is compressed"),
    "empty": (b"", "is not a model of rnncli, or was cut short"),
    "short": (b"PK\5\6", "is not a model of rnncli, or was cut short"),
    "longer": (zipped([("a.npy", ARRAY)]) + b"\n", "is not a model of rnncli, or was cut short"),
    "no array": (zipped([("a.npy", b"hello, world")]), "it holds something else than arrays"),
    "no member": (zipped([("a.npy", b"")]), "it holds something else than arrays"),
    "name": (zipped([("é.npy", ARRAY)]), "can't decode"),
    "object": (
        described(b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"),
        r"an array of '\|O' has no place",
    ),
    "fields": (described(b"{'descr': 'f4,f4', 'fortran_order': False, 'shape': (), }\n"), "'f4,f4' has no place"),
    "code": (described(b"__import__('os').getcwd()\n"), "an array is described as"),
    "negative": (
        described(b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -1), }\n", b"x"),
        "is described as",
    ),
    "huge": (
        described(b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9999), }\n"),
        "not as long as it says",
    ),
    "wide": (
        described(b"{'descr': '<U99999999', 'fortran_order': False, 'shape': (1,), }\n"),
        "not as long as it says",
    ),
    "odd": (
        described(b"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }\n"),
        "an array of '<f3' has no place",
    ),
    "long": (described(b"{'descr': '<f16', 'fortran_order': False, 'shape': (0,), }\n"), "an array of '<f16' has no"),
    "narrow": (described(b"{'descr': '<U0', 'fortran_order': False, 'shape': (9,), }\n"), "itemsize cannot be zero"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_archive_of_arrays_is_refused(data, message):
    with pytest.raises((ValueError, NotAModelError), match=message):
        arrays_from_bytes(data, checked=True)


@given(st.integers(0, 2000), st.integers(0, 2**32 - 1))
def test_any_number_in_the_directory_gives_arrays_or_an_error_of_ours(place, number):
    data = bytearray(written(ARRAYS))
    at = len(data) - 4 - place % (len(data) - 4)
    data[at : at + 4] = struct.pack("<I", number)
    message = ""
    try:
        arrays_from_bytes(data, checked=False)
    except (ValueError, NotAModelError) as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) < 200


def test_an_error_quotes_a_stranger_only_briefly():
    long = "x" * 60_000
    for data in (
        described(long.encode()),
        described(b"{'descr': '" + b"x" * 99 + b"', 'fortran_order': False, 'shape': (), }\n"),
        zipped([(long, ARRAY), (long, ARRAY)]),
        zipped([(long, b"")]).replace(b"PK\3\4", b"PK\3\5"),
    ):
        with pytest.raises(ValueError, match="xxx") as caught:
            arrays_from_bytes(data, checked=True)
        assert len(str(caught.value)) < 200


class Growing(io.FileIO):
    """A file to which somebody else writes while it is read."""

    change = staticmethod(lambda path: None)

    def readinto(self, buffer) -> int:
        Growing.change(self.name)
        return super().readinto(buffer)


@pytest.mark.parametrize(
    "change",
    [lambda path: os.truncate(path, 100), lambda path: os.truncate(path, 2000), lambda path: os.utime(path, ns=(0, 1))],
    ids=["shorter", "longer", "other"],
)
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, change):
    path = tmp_path / "arrays.npz"
    path.write_bytes(written({"a": np.arange(100)}))
    monkeypatch.setattr(Growing, "change", staticmethod(change))
    monkeypatch.setattr(type(path), "open", lambda self, mode, buffering: Growing(self))
    with pytest.raises(ValueError, match="it changed while it was read"):
        read_arrays(path, checked=False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_nobody_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAModelError, match="is not a file"):
        read_arrays(tmp_path / "pipe", checked=True)


def test_a_file_that_is_larger_than_the_memory_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "arrays.npz"
    path.write_bytes(written(ARRAYS))
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 2, "SC_PAGE_SIZE": 100}.__getitem__, raising=False)
    with pytest.raises(NotAModelError, match="bytes, and the memory 200"):
        read_arrays(path, checked=True)
