"""Arrays in an uncompressed `.npz`: written one by one, and read as views of the file's bytes.

A file is read into memory, not mapped: another program that cuts a mapped file short ends all processes that use it.
Its directory is read here, as `zipfile` takes longer to import than a model to read.
"""

from __future__ import annotations

import math
import mmap
import os
import re
import stat
import struct
import zlib
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from ..errors import quoted

ALIGNMENT_BYTES = 64
PADDING_MARK = 0xD935  # of what only fills space in a zip file
MAX_MEMBERS = 10_000
# What an array is, as NumPy writes it.
ARRAY_MAGIC = b"\x93NUMPY"
ARRAY_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[^']{0,99})', 'fortran_order': (?P<is_fortran>False|True), "
    r"'shape': \((?P<shape>(?:\d{1,18}, ?){0,9}(?:\d{1,18})?)\), \} *\n"
)
MAX_HEADER_BYTES = 2**16
ARRAY_DTYPE = re.compile(r"[<>|](f[248]|[iu][1248]|U\d{1,9})")  # not <f16, which is no number of Python
# The parts of a zip file, from its end to its beginning: see APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16.
END = struct.Struct("<4s4H2LH")
LARGE_END_LOCATOR = struct.Struct("<4sLQL")
LARGE_END = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
EXTRA_HEADER = struct.Struct("<2H")
LARGE = 0xFFFFFFFF  # stands for a number that is elsewhere, as it needs more than four bytes
LARGE_COUNT = 0xFFFF
LARGE_EXTRA = 1  # the kind of extra field that holds such numbers
PIECE_BYTES = 2**21  # of an array that is written
LARGE_EXTRA_BYTES = 20  # of the one that `zipfile` writes before the padding
MAX_SMALL_BYTES = 2**31 - 1  # of a member, for `zipfile`, which adds a margin to what it is told


class NotAModelError(Exception):
    """The file is not a model of rnncli."""


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    crc: int
    size: int  # in bytes
    start: int  # of its local header


def write_arrays(file: IO[bytes], arrays: dict[str, np.ndarray]) -> None:
    """Write an uncompressed `.npz`, as `np.savez` does, whose arrays begin at multiples of 64 bytes.

    Of an array that is a `np.memmap`, only some megabytes are in memory at a time.
    """
    import zipfile

    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            array = np.asanyarray(values)
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # so that equal models are equal files
            member.file_size = array.nbytes + 1024  # at most: it is told exactly in the end
            large = LARGE_EXTRA_BYTES if member.file_size * 1.05 > MAX_SMALL_BYTES else 0
            # Before an array come the header, its name, and the padding, of which four bytes are a mark and a length.
            before = file.tell() + LOCAL_HEADER.size + len(member.filename) + large + EXTRA_HEADER.size
            gap = -before % ALIGNMENT_BYTES
            member.extra = EXTRA_HEADER.pack(PADDING_MARK, gap) + bytes(gap)
            with archive.open(member, "w") as content:
                _write_array(content, array)


def _write_array(file: IO[bytes], array: np.ndarray) -> None:
    """Write what `np.lib.format.write_array` writes, in small pieces."""
    if array.dtype.hasobject:
        raise ValueError("Object arrays cannot be saved")
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = (array.T if is_fortran else array).reshape(-1)
    step = max(PIECE_BYTES // max(array.itemsize, 1), 1)
    mapped = _mapped_file(array)
    for start in range(0, len(flat), step):
        file.write(flat[start : start + step].tobytes())
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)  # pages that were written need no memory any more


def _mapped_file(array: np.ndarray) -> mmap.mmap | None:
    """Return the file that an array is mapped from, where its pages can be dropped and come back as they were."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap) and owner.mode == "c":
            return None
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED") else None


def read_arrays(path: Path, checked: bool) -> dict[str, np.ndarray]:
    """Read all arrays of an uncompressed `.npz`; checksums are compared if `checked`.

    No more memory than the file's size is ever asked for. Raises `NotAModelError` for another kind of file,
    `ValueError` for a damaged one, or one that changes while it is read.
    """
    return arrays_from_bytes(_content(path), checked)


def arrays_from_bytes(data: bytes | memoryview, checked: bool) -> dict[str, np.ndarray]:
    """Return the arrays of a file with these bytes, which they share: see `read_arrays`."""
    data = memoryview(data).toreadonly()
    arrays = {}
    for member in _members(data):
        content = _member_content(data, member)
        if checked and zlib.crc32(content) != member.crc:
            raise ValueError(f"the checksum of {quoted(member.name)} is wrong")
        arrays[member.name.removesuffix(".npy")] = _read_array(content)
    return arrays


def _content(path: Path) -> memoryview:
    """Read a file that looks like an archive; its beginning is at a multiple of 64 bytes."""
    if not stat.S_ISREG(path.stat().st_mode):  # one would wait for a pipe
        raise NotAModelError("is not a file")
    with path.open("rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        size = before.st_size
        file.seek(max(size - END.size, 0))
        _check_end(memoryview(file.read(END.size)))
        _check_memory(size)
        # Not `read`: NumPy asks for large pages, which take half of the time.
        buffer: Any = np.empty(size + ALIGNMENT_BYTES, np.uint8)
        start = -buffer.ctypes.data % ALIGNMENT_BYTES
        data = memoryview(buffer)[start : start + size]
        file.seek(0)
        done = 0
        while done < size and (count := file.readinto(data[done:])):
            done += count
        after = os.fstat(file.fileno())
    if done < size or (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
        raise ValueError("it changed while it was read")
    return data


def _check_memory(size: int) -> None:
    """Raise `NotAModelError` for a file that the memory cannot hold: one may be mostly holes."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # the system does not tell
        return
    if size > memory:
        raise NotAModelError(f"has {size:,} bytes, and the memory {memory:,}")


def _check_end(data: memoryview) -> None:
    if len(data) < END.size or not END.unpack(data[-END.size :])[0] == b"PK\5\6":
        raise NotAModelError("is not a model of rnncli, or was cut short")


def _members(data: memoryview) -> list[Member]:
    """Read the directory of an archive, in which no two members have one name."""
    _check_end(data)
    try:
        count, size, start = _directory(data)
        if count > MAX_MEMBERS or start + size > len(data):
            raise ValueError(f"it claims to hold {count:,} arrays")
        members = {}
        for _ in range(count):
            member, end = _entry(data, start)
            if member.name in members:
                raise ValueError(f"it holds {quoted(member.name)} twice")
            members[member.name] = member
            start = end
    except struct.error as error:
        raise ValueError("its directory is cut short") from error
    if sum(member.size for member in members.values()) > len(data):
        raise ValueError("it claims to hold more than its size")
    return list(members.values())


def _directory(data: memoryview) -> tuple[int, int, int]:
    """Return how many members the directory has, its size in bytes, and its start."""
    end = len(data) - END.size
    _, _, _, _, count, size, start, _ = END.unpack_from(data, end)
    if LARGE not in (size, start) and count != LARGE_COUNT:
        return count, size, start
    locator = end - LARGE_END_LOCATOR.size
    if locator < 0:
        raise ValueError("its directory is cut short")
    mark, _, large_end, _ = LARGE_END_LOCATOR.unpack_from(data, locator)
    if mark != b"PK\6\7" or large_end > locator:
        raise ValueError("its directory is nowhere")
    mark, *_, count, size, start = LARGE_END.unpack_from(data, large_end)
    if mark != b"PK\6\6":
        raise ValueError("its directory is nowhere")
    return count, size, start


def _entry(data: memoryview, at: int) -> tuple[Member, int]:
    """Return the member that the directory describes at a place, and where the next description begins."""
    entry = ENTRY.unpack_from(data, at)
    mark, _, _, _, method, _, _, crc, stored, size, name_bytes, extra_bytes, comment_bytes, _, _, _, start = entry
    if mark != b"PK\1\2":
        raise ValueError("its directory makes no sense")
    if method != 0 or stored != size:
        raise NotAModelError("is not a model of rnncli: it is compressed")
    at += ENTRY.size
    name = data[at : at + name_bytes]
    at += name_bytes
    if LARGE in (size, start):
        size, start = _large_numbers(data[at : at + extra_bytes], size, start)
    return Member(bytes(name).decode("ascii"), crc, size, start), at + extra_bytes + comment_bytes


def _large_numbers(extra: memoryview, size: int, start: int) -> tuple[int, int]:
    """Return the size and the start of a member, where an extra field holds those that are `LARGE`."""
    while extra:
        kind, length = EXTRA_HEADER.unpack_from(extra)
        if kind == LARGE_EXTRA:
            numbers = iter(struct.unpack(f"<{length // 8}Q", extra[EXTRA_HEADER.size :][: length // 8 * 8]))
            if size == LARGE:
                size = next(numbers, LARGE)
                next(numbers, LARGE)  # of the compressed member, which is the same
            start = next(numbers, LARGE) if start == LARGE else start
        extra = extra[EXTRA_HEADER.size + length :]
    return size, start


def _member_content(data: memoryview, member: Member) -> memoryview:
    try:
        mark, *_, name_bytes, extra_bytes = LOCAL_HEADER.unpack_from(data, member.start)
    except struct.error as error:
        raise ValueError(f"{quoted(member.name)} is nowhere") from error
    start = member.start + LOCAL_HEADER.size + name_bytes + extra_bytes
    if mark != b"PK\3\4" or start + member.size > len(data):
        raise ValueError(f"{quoted(member.name)} is nowhere")
    return data[start : start + member.size]


def _read_array(data: memoryview) -> np.ndarray:
    if data[:6] != ARRAY_MAGIC:
        raise ValueError("it holds something else than arrays")
    length = struct.Struct("<H" if data[6] == 1 else "<I")  # by the version of the layout
    start = 8 + length.size + length.unpack_from(data, 8)[0]
    header = bytes(data[8 + length.size : min(start, MAX_HEADER_BYTES)]).decode("latin-1")
    found = ARRAY_HEADER.fullmatch(header)
    if not found:
        raise ValueError(f"an array is described as {quoted(header)}")
    dtype = _dtype(found["dtype"])
    shape = tuple(map(int, re.findall(r"\d+", found["shape"])))
    data = data[start:]
    if len(data) != dtype.itemsize * math.prod(shape):
        raise ValueError("an array is not as long as it says")
    order: Literal["C", "F"] = "F" if found["is_fortran"] == "True" else "C"
    array: np.ndarray = np.frombuffer(data, dtype).reshape(shape, order=order)
    return array if array.flags.aligned else array.copy()  # in a file that another program wrote


def _dtype(name: str) -> np.dtype:
    try:
        if ARRAY_DTYPE.fullmatch(name):
            return np.dtype(name)
    except TypeError:  # there is no <f3
        pass
    raise ValueError(f"an array of {quoted(name)} has no place in a model")
