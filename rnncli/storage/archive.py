"""Arrays in an uncompressed `.npz`: written so that they can be mapped into memory, and mapped."""

from __future__ import annotations

import io
import mmap
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

LOCAL_HEADER_BYTES = 30  # before the name of a zip member
MAX_HEADER_BYTES = 2**16  # of an array's description
ALIGNMENT_BYTES = 64
PADDING_MARK = 0xD935  # of what only fills space in a zip file


class NotAModelError(Exception):
    """The file is not a model of rnncli."""


def write_arrays(file: IO[bytes], arrays: dict[str, np.ndarray]) -> None:
    """Write an uncompressed `.npz`, as `np.savez` does, whose arrays begin at multiples of 64 bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # so that equal models are equal files
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            # Before an array come the header, its name, and the padding, of which four bytes are a mark and a length.
            gap = -(file.tell() + LOCAL_HEADER_BYTES + len(member.filename) + 4) % ALIGNMENT_BYTES
            member.extra = PADDING_MARK.to_bytes(2, "little") + gap.to_bytes(2, "little") + bytes(gap)
            archive.writestr(member, content.getbuffer())


def read_arrays(path: Path, checked: bool) -> dict[str, np.ndarray]:
    """Map all arrays of an uncompressed `.npz` into memory; checksums are compared if `checked`.

    No more memory than the file's size is ever asked for. Raises `NotAModelError` for another kind of file,
    `ValueError` for a damaged one.
    """
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        raise NotAModelError("is not a model of rnncli, or was cut short")
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
                raise NotAModelError("is not a model of rnncli: it is compressed")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    arrays = {}
    for member in members:
        header = data[member.header_offset : member.header_offset + LOCAL_HEADER_BYTES]
        name_bytes = int.from_bytes(header[26:28], "little")
        extra_bytes = int.from_bytes(header[28:30], "little")
        start = member.header_offset + LOCAL_HEADER_BYTES + name_bytes + extra_bytes
        content = data[start : start + member.file_size]
        if checked and zlib.crc32(content) != member.CRC:
            raise ValueError(f"the checksum of {member.filename} is wrong")
        arrays[member.filename.removesuffix(".npy")] = _read_array(content)
    return arrays


def _read_array(data: memoryview) -> np.ndarray:
    head = io.BytesIO(data[:MAX_HEADER_BYTES])
    version = np.lib.format.read_magic(head)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(head)
    if dtype.kind not in "fiuU":
        raise ValueError(f"an array of {dtype} has no place in a model")
    data = data[head.tell() :]
    if len(data) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError("an array is not as long as it says")
    array: np.ndarray = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
    return array if array.flags.aligned else array.copy()  # in a file that another program wrote
