"""IDX: the format of MNIST's files."""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array
from ...errors import show_shape
from ...options import checked
from ..options import PATH
from .source import Path, Source, opened

# Its description: LeCun, Cortes and Burges, "The MNIST database of handwritten digits". Two zeros, the dtype,
# how many dimensions; each size in four bytes; the numbers; all with the highest byte first.
DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMS = 32  # of an array of NumPy's


@checked(path=PATH)
def read_idx(path: Path) -> Array:
    """The array in an IDX file, plain or compressed by gzip, in the dtype that it says: uint8, int8, int16,
    int32, float32 or float64.

    Raises DataError, with the offset and what was expected there, for another or a damaged file.
    """
    with opened("read_idx", path) as source:
        dtype, shape = read_header(source)
        count = math.prod(shape) * dtype.itemsize
        content = source.take(count, f"the numbers of {dtype.name}{show_shape(shape)}")
        source.end()
    return content.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def read_header(source: Source) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """The dtype and the shape that a file begins with."""
    first, second, code, ndim = source.take(4, "IDX's magic number").tolist()
    if first or second or code not in DTYPES:
        codes = ", ".join(f"{code:02x}" for code in DTYPES)
        begins = f"{first:02x} {second:02x} {code:02x}"
        source.refuse(f"expected IDX's magic number, 00 00 and one of {codes}; found {begins}", 0)
    if ndim > MOST_DIMS:
        source.refuse(f"expected up to {MOST_DIMS} dimensions, found {ndim}", 3)
    shape = tuple(source.take(4 * ndim, f"the sizes of {ndim} dimensions").view(">u4").tolist())
    # an empty array may be of any size in its other dimensions, but not for NumPy
    if math.prod(filter(None, shape)) > max(source.limit, 2**31):
        source.refuse(f"expected sizes that the file can have, found {show_shape(shape)}", 4)
    return np.dtype(DTYPES[code]), shape
