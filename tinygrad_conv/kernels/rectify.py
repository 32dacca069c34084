"""max(x, 0), in the order in which the numbers lie in memory.

NumPy takes the maximum of two arrays three times as fast as that of an array and a number; so rows of x meet
a row of zeros.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .layout import Array, memory_order
from .threads import share

LARGE = 10_000  # numbers: below, one call of NumPy is fastest
ROW = 1024  # numbers, at least, in a row
NANOSECONDS = 0.2  # for each number, as much of it comes from memory


def rectify(x: Array) -> Array:
    """max(x, 0), in the memory order of x."""
    order = memory_order(x.strides) if x.size >= LARGE else None
    if order is None or not (ordered := x.transpose(order.axes)).flags.c_contiguous:
        return np.asarray(np.maximum(x, zeros((), x.dtype)))
    matrix = ordered.reshape(-1, row_length(ordered.shape))
    row, y = zeros(matrix.shape[1], x.dtype), np.empty_like(matrix)

    def work(first: int, last: int) -> None:
        np.maximum(matrix[first:last], row, out=y[first:last])

    share(work, len(matrix), x.size * NANOSECONDS / 1000)
    return y.reshape(ordered.shape).transpose(order.back)


def row_length(shape: tuple[int, ...]) -> int:
    """How many numbers the innermost axes have together, as few of these as have enough."""
    length, axis = 1, len(shape)
    while length < ROW and axis:
        axis -= 1
        length *= shape[axis]
    return length


@lru_cache(maxsize=64)
def zeros(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros that are kept; a single one as an array, which NumPy reads in a third of the time it takes to
    convert a number.
    """
    row = np.zeros(shape, dtype)
    row.setflags(write=False)
    return row
