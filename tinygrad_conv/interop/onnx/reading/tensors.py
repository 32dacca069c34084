"""Tensors of a model as arrays. What a tensor says of its size is compared with its bytes before anything is
allocated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....archive import is_moderate
from ....dtypes import Array
from ....errors import SHORT, OnnxError, show_shape
from .external import ExternalData

DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.uint8),
    3: np.dtype(np.int8),
    4: np.dtype(np.uint16),
    5: np.dtype(np.int16),
    6: np.dtype(np.int32),
    7: np.dtype(np.int64),
    9: np.dtype(np.bool_),
    10: np.dtype(np.float16),
    11: np.dtype(np.float64),
    12: np.dtype(np.uint32),
    13: np.dtype(np.uint64),
}
"""By ONNX's numbers of dtypes, `TensorProto.DataType`: those that tensors can have here."""
NAMES = {
    8: "string",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
    24: "float8e8m0",
    25: "uint2",
    26: "int2",
}
"""Those that no tensor can have here."""

EXTERNAL = 1  # TensorProto.DataLocation
FIELDS = {
    "float32": "float_data",
    "float64": "double_data",
    "int64": "int64_data",
    "uint32": "uint64_data",
    "uint64": "uint64_data",
}
"""Where a tensor keeps its numbers, by dtype, if not as raw bytes; others are in int32_data."""


def array_of(tensor: Any, external: ExternalData) -> Array:
    """A tensor of a model as an array of its own. Raises OnnxError for one that is damaged or hostile."""
    owner = f"tensor {SHORT.repr(tensor.name)}"
    if tensor.data_type not in DTYPES:
        raise OnnxError(f"{owner} is {no_dtype(tensor.data_type)}")
    if tensor.HasField("segment"):
        raise OnnxError(f"{owner} is a segment of a tensor, which ONNX no longer has; it must be whole")
    dtype, shape = DTYPES[tensor.data_type], tuple(tensor.dims)
    size = checked_size(owner, dtype, shape)
    if tensor.data_location == EXTERNAL:
        return from_bytes(owner, external.read(owner, tensor, size * dtype.itemsize), dtype, shape)
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != size * dtype.itemsize:
            raise OnnxError(f"{owner} is {dtype}{show_shape(shape)}, but has {len(tensor.raw_data):,} bytes")
        return from_bytes(owner, tensor.raw_data, dtype, shape)
    return from_numbers(owner, tensor, dtype, shape)


def checked_size(owner: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """How many elements a shape has. Raises OnnxError for a negative size, and for one beyond all measure."""
    size = math.prod(shape)
    if min(shape, default=0) < 0 or not is_moderate(shape, size * dtype.itemsize):
        raise OnnxError(f"{owner} is of the shape {SHORT.repr(shape)}, which no tensor can have")
    return size


def from_bytes(owner: str, content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Numbers as ONNX writes them in bytes, the lowest first."""
    if dtype.kind == "b" and np.frombuffer(content, np.uint8).max(initial=0) > 1:
        raise OnnxError(f"{owner} is bool, and has a byte other than 0 and 1")
    return np.frombuffer(content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def from_numbers(owner: str, tensor: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Numbers as ONNX writes them one by one; a float16 as the integer that has its bits."""
    field = FIELDS.get(dtype.name, "int32_data")
    numbers = np.array(getattr(tensor, field), np.float64 if field == "double_data" else None)
    if numbers.size != math.prod(shape):
        raise OnnxError(f"{owner} is {dtype}{show_shape(shape)}, but has {numbers.size:,} numbers in {field}")
    if not numbers.size:
        return np.zeros(shape, dtype)
    held = np.dtype(np.uint16) if dtype == np.float16 else dtype
    if held.kind in "biu":
        least, most = (0, 1) if held.kind == "b" else (np.iinfo(held).min, np.iinfo(held).max)
        if numbers.min() < least or numbers.max() > most:
            raise OnnxError(f"{owner} is {dtype}, and a number in its {field} is not")
    cast = numbers.astype(held)
    return (cast.view(dtype) if held != dtype else cast).reshape(shape)


def no_dtype(number: int) -> str:
    """What is wrong with an element type that is not among DTYPES."""
    name = NAMES.get(number)
    return f"{name}, which no tensor here can be" if name else f"of an unknown element type, {number}"
