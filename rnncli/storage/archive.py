"""Arrays in an uncompressed `.npz`: written so that they can be mapped into memory, and mapped."""

import io
import mmap
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

LOCAL_HEADER, HEADER = 30, 2**16  # bytes: before the name of a zip member; of an array's description at most
ALIGNMENT, PADDING = 64, 0xD935  # bytes; the mark of what only fills space in a zip file


class ForeignError(Exception):
    """The file is something else."""


def write_arrays(file: IO[bytes], arrays: dict[str, np.ndarray]) -> None:
    """Write an uncompressed `.npz`, as `np.savez` does, whose arrays begin at multiples of 64 bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # so that equal models are equal files
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            # What stands before an array: 30 bytes, its name, and this much, of which four are a mark and a length.
            gap = -(file.tell() + LOCAL_HEADER + len(member.filename) + 4) % ALIGNMENT
            member.extra = PADDING.to_bytes(2, "little") + gap.to_bytes(2, "little") + bytes(gap)
            archive.writestr(member, content.getbuffer())


def read_arrays(path: Path, checked: bool) -> dict[str, np.ndarray]:
    """All arrays of an uncompressed `.npz`, mapped into memory. Nothing larger than the file is ever asked of it."""
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        raise ForeignError("is not a model of rnncli, or was cut short")
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
                raise ForeignError("is not a model of rnncli: it is compressed")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    arrays = {}
    for member in members:
        header = data[member.header_offset : member.header_offset + LOCAL_HEADER]
        name, extra = (int.from_bytes(header[place : place + 2], "little") for place in (26, 28))
        start = member.header_offset + LOCAL_HEADER + name + extra
        content = data[start : start + member.file_size]
        if checked and zlib.crc32(content) != member.CRC:
            raise ValueError(f"the checksum of {member.filename} is wrong")
        arrays[member.filename.removesuffix(".npy")] = _read_array(content)
    return arrays


def _read_array(data: memoryview) -> np.ndarray:
    head = io.BytesIO(data[:HEADER])
    version = np.lib.format.read_magic(head)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(head)
    if dtype.kind not in "fiuU":
        raise ValueError(f"an array of {dtype} has no place in a model")
    data = data[head.tell() :]
    if len(data) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError("an array is not as long as it says")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
    return array if array.flags.aligned else array.copy()  # in a file that another program wrote
