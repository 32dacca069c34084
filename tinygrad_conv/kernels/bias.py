"""One number for each channel: adding it to every place, and adding up every place.

Both are passes over memory that NumPy's own broadcasting and reducing take three times as long for as need
be, since the rows of one channel are short in the memory order H, C, W, N. So a bias is first written out
over a whole row of the picture, all channels, which is then added as it is; and sums along a row are products
with ones, which BLAS is fast at.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .layout import Array, memory_order
from .threads import blas_held, share

CHANNEL = 1
LARGE = 10_000  # numbers: below, the plain way is fastest
NANOSECONDS = 0.2  # for each number


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
        return np.asarray(np.add.reduce(x, (0, 2, 3)))
    order = memory_order(x.strides)
    rows, channel = x.transpose(order.axes), order.axes.index(CHANNEL)
    together = min(2, 3 - channel)  # how many of the innermost axes BLAS adds up
    if together == 0 or not rows.flags.c_contiguous:
        return np.asarray(np.add.reduce(x, (0, 2, 3)))
    shape = rows.shape[:-together]
    matrix = rows.reshape(prod(shape), -1)
    with blas_held():
        sums = matrix.dot(np.ones(matrix.shape[1], x.dtype)).reshape(shape)
    others = tuple(axis for axis in range(len(shape)) if axis != channel)
    return np.asarray(np.add.reduce(sums, others))
