"""Passes over memory: adding a bias and summing it up, max(x, 0), and looking for an Inf or a NaN.

NumPy's own broadcasting and reducing take three times as long for these as need be, since the rows of one
channel are short in the memory order H, C, W, N, and since the maximum of an array and a number takes longer
than that of two arrays. So a bias is first written out over a whole row of the picture, all channels, which
is then added as it is; rows of x meet a row of zeros; and sums are products with ones, or of an array with
itself, which BLAS is fast at. All go through the numbers in the order in which they lie in memory.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite, prod
from typing import Any

import numpy as np

from .memory_order import Rows, memory_order
from .sums import LONGEST_DOT, sum_over
from .threads import blas_held, share
from .window import Array

CHANNEL = 1  # the axis
# By trial on two cores:
LARGE = 10_000  # numbers: below, one call of NumPy is fastest
LARGE_ENOUGH_FOR_BLAS_THREADS = 10_000  # numbers in a dot product: below, BLAS does not wake its threads
NANOSECONDS = 0.2  # for each number, as much of it comes from memory
ROW_LENGTH = 1024  # numbers, at least, in a row of zeros
LONGEST_KEPT = 1 << 16  # numbers, at the most, in a row that is kept


def add_bias(y: Array, b: Array) -> Array:
    """y [N, O, P, Q] + b [O]; y is overwritten if its dtype can hold the result."""
    if y.size < LARGE or b.dtype != y.dtype:
        return np.add(y, b[:, None, None], out=y if b.dtype == y.dtype else None)
    order = memory_order(y.strides)
    rows = y.transpose(order.axes)
    bias = b.reshape([-1 if axis == CHANNEL else 1 for axis in order.axes])
    if order.axes[0] != CHANNEL:
        row = np.empty(rows.shape[1:], y.dtype)
        row[...] = bias[0]
        bias = row
    everywhere = np.broadcast_to(bias, rows.shape)

    def work(first: int, last: int) -> None:
        np.add(rows[first:last], everywhere[first:last], out=rows[first:last])

    share(work, len(rows), y.size * NANOSECONDS / 1000)
    return y


def sum_by_channel(x: Array) -> Array:
    """[C]: the sum of x [N, C, H, W] over samples, rows and columns, in the dtype of x."""
    if x.size < LARGE:
        return sum_over(x, (0, 2, 3))
    order = memory_order(x.strides)
    rows, channel = x.transpose(order.axes), order.axes.index(CHANNEL)
    together = min(2, 3 - channel)  # how many of the innermost axes BLAS adds up
    if together == 0 or not rows.flags.c_contiguous:
        return sum_over(x, (0, 2, 3))
    shape = rows.shape[:-together]
    matrix = rows.reshape(prod(shape), -1)
    if matrix.shape[1] > LONGEST_DOT:
        sums = np.add.reduce(matrix, 1).reshape(shape)
    else:
        with blas_held():
            sums = matrix.dot(np.ones(matrix.shape[1], x.dtype)).reshape(shape)
    return sum_over(sums, [axis for axis in range(len(shape)) if axis != channel])


def rectify(x: Array) -> Array:
    """max(x, 0), in the memory order of x."""
    order = memory_order(x.strides) if x.size >= LARGE else None
    if order is None or not (ordered := x.transpose(order.axes)).flags.c_contiguous:
        return np.asarray(np.maximum(x, zeros((), x.dtype)))
    matrix = ordered.reshape(-1, row_length(ordered.shape))
    kept = zeros if matrix.shape[1] <= LONGEST_KEPT else np.zeros
    row, y = kept(matrix.shape[1], x.dtype), np.empty_like(matrix)

    def work(first: int, last: int) -> None:
        np.maximum(matrix[first:last], row, out=y[first:last])

    share(work, len(matrix), x.size * NANOSECONDS / 1000)
    return y.reshape(ordered.shape).transpose(order.back)


def row_length(shape: tuple[int, ...]) -> int:
    """How many numbers the innermost axes have together, as few of these as have enough."""
    length, axis = 1, len(shape)
    while length < ROW_LENGTH and axis:
        axis -= 1
        length *= shape[axis]
    return length


@lru_cache(maxsize=16)
def zeros(shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros that are kept; a single one as an array, which NumPy reads three times as fast as a number."""
    row = np.zeros(shape, dtype)
    row.setflags(write=False)
    return row


def all_finite(array: Array) -> bool:
    """Whether there is no Inf or NaN; False, too, if the squares overflow: a caller is then careful in vain.

    The product of the array with itself is the one pass over it that is fastest.
    """
    flat = array.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):  # these squares are nobody's result
        if flat.size < LARGE_ENOUGH_FOR_BLAS_THREADS:
            return isfinite(abs(np.dot(flat, flat)))
        with blas_held():
            return isfinite(abs(np.dot(flat, flat)))


def all_finite_in_rows(x: Rows) -> bool:
    """The same of some channels of rows [H, C, W, N]: in each row they are contiguous, but not in all."""
    rows = x.reshape(len(x), 1, prod(x.shape[1:]))
    with np.errstate(over="ignore", invalid="ignore"):  # these squares are nobody's result
        return isfinite(abs(np.matmul(rows, rows.swapaxes(1, 2)).sum()))
