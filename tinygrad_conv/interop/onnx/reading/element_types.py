"""ONNX's numbers of dtypes, `TensorProto.DataType`, and the dtypes they are here."""

from __future__ import annotations

from typing import Any

import numpy as np

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
"""Those that no tensor here can have."""


def no_dtype(number: int) -> str:
    """What is wrong with an element type that is not among DTYPES."""
    name = NAMES.get(number)
    return f"{name}, which no tensor here can be" if name else f"of an unknown element type, {number}"


def known_dtype(number: int) -> np.dtype[Any] | None:
    """The dtype for one of ONNX's numbers, if there is one."""
    return DTYPES.get(number)
