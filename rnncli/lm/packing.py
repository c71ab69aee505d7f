"""Packs the matrices of a network into fewer bits, for a smaller model file.

With 8 bits, each row of a matrix is whole numbers from -127 to 127 times a scale of its own, which is stored beside it.
With 16 bits, numbers are float16. Vectors stay as they are. What was packed once gives the same bytes when it is packed
again.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..nn.quantized import Quantized, quantized

SIZES = (8, 16, 32)  # in bits, of a number
SCALE = ".scale"  # after the name of a matrix: the name of its scales
MAX_FLOAT16 = float(np.finfo(np.float16).max)


def packed(values: Mapping[str, np.ndarray], bits: int) -> dict[str, np.ndarray]:
    """Return the arrays to store, by name: matrices (N, M) in so many bits, and their scales (N,)."""
    arrays = {}
    for name, value in values.items():
        if value.ndim < 2 or bits == 32:
            arrays[name] = value
        elif bits == 16:
            arrays[name] = np.clip(value, -MAX_FLOAT16, MAX_FLOAT16).astype(np.float16)
        else:
            arrays[name], arrays[name + SCALE] = quantized(value)
    return arrays


def packed_names(shapes: Mapping[str, tuple[int, ...]], bits: int) -> list[str]:
    """Return the names of the arrays to store of parameters with some shapes."""
    return [*shapes, *(name + SCALE for name, shape in shapes.items() if bits == 8 and len(shape) > 1)]


def stored_value(
    arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], bits: int
) -> np.ndarray | Quantized:
    """Return a parameter: in float32, or as it is stored in 8 bits.

    Raises `ValueError` or `KeyError` for arrays that make no sense.
    """
    value = arrays[name]
    is_packed = bits < 32 and len(shape) > 1
    dtype = np.dtype({8: np.int8, 16: np.float16}[bits] if is_packed else np.float32)
    if value.shape != shape or value.dtype != dtype:
        raise ValueError(f"{name} is {value.dtype} {value.shape}, and should be {dtype} {shape}")
    if not is_packed:
        return np.ascontiguousarray(value)
    if bits == 16:
        return value.astype(np.float32)
    scale = arrays[name + SCALE]
    if scale.shape != shape[:1] or scale.dtype != np.float32:
        raise ValueError(f"{name}{SCALE} is {scale.dtype} {scale.shape}, and should be float32 {shape[:1]}")
    return Quantized(value, scale)
