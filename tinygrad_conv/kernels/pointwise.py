"""Passes over memory: adding a bias and summing it up, max(x, 0), and looking for an Inf or a NaN.

NumPy's own broadcasting and reducing take three times as long for these as need be, since the rows of one
channel are short in the memory order H, C, W, N, and since the maximum of an array and a number takes longer
than that of two arrays. So a bias is first written out over a whole row of the picture, all channels, which
is then added as it is; rows of x meet a row of zeros; and sums are products with ones, or of an array with
itself, which BLAS is fast at. All go through the numbers in the order in which they lie in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import isfinite, prod
from typing import Any

import numpy as np

from .blas import blas_held
from .memory_order import Rows, aligned_empty, aligned_like, memory_order
from .once import once
from .sums import PIECE_OF_DOT, sum_over
from .threads import share
from .window import Array

CHANNEL = 1  # the axis
# By trial on two cores:
LARGE = 10_000  # numbers: below, one call of NumPy is fastest
LARGE_ENOUGH_FOR_BLAS_THREADS = 10_000  # numbers in a dot product: below, BLAS does not wake its threads
NANOSECONDS = 0.2  # for each number: two lose up to half below two million of them
CACHE_BYTES = 1 << 20  # with less at a time threads would wait for each other
ROW_LENGTH = 4096  # numbers, at least, in a row of zeros: NumPy copies shorter ones to buffers first
LONGEST_KEPT = 1 << 16  # numbers, at the most, in a row that is kept
SMALL_ENOUGH_TO_COUNT = 8192  # numbers: up to here, counting takes less time than keeping warnings back
SMALL_ENOUGH_FOR_WHERE = 1024  # numbers: below, np.where is faster than a product of bits
SMALL_ENOUGH_TO_CHOOSE = 4096  # numbers: the same of joining the bits of two
BOOL = np.dtype(np.bool_)
BITS_OF = {  # integers as wide as the floats
    np.dtype(np.float16): np.int16,
    np.dtype(np.float32): np.int32,
    np.dtype(np.float64): np.int64,
}


def add_bias(y: Array, b: Array, rectified: bool = False) -> Array:
    """y [N, O, P, Q] + b [O]; y is overwritten if its dtype can hold the result. rectified: max(y + b, 0)."""
    if y.size < LARGE or b.dtype != y.dtype:
        total = np.add(y, b[:, None, None], out=y if b.dtype == y.dtype else None)
        return np.maximum(total, zeros((), total.dtype), out=total) if rectified else total
    order = memory_order(y.strides)
    rows = y.transpose(order.axes)
    bias = b.reshape([-1 if axis == CHANNEL else 1 for axis in order.axes])
    if order.axes[0] != CHANNEL:
        row = np.empty(rows.shape[1:], y.dtype)
        row[...] = bias[0]
        bias = row
    everywhere = np.broadcast_to(bias, rows.shape)

    nothing = zeros(rows.shape[1:], y.dtype) if rectified else None

    def work(first: int, last: int) -> None:
        for part in parts_in_cache(first, last, rows):
            np.add(rows[part], everywhere[part], out=rows[part])
            if nothing is not None:
                np.maximum(rows[part], nothing, out=rows[part])

    share(work, len(rows), y.size * NANOSECONDS / 1000)
    return y


def parts_in_cache(first: int, last: int, rows: Array) -> Iterator[slice]:
    """Rows [first, last), as many at a time as stay in the cache from one pass to the next."""
    together = max(1, CACHE_BYTES // max(1, rows[0].nbytes))
    for begin in range(first, last, together):
        yield slice(begin, min(last, begin + together))


@once(large=1)
def sum_by_channel(x: Array) -> Array:
    """[C]: the sum of x [N, C, H, W] over samples, rows and columns, in the dtype of x."""
    if x.size < LARGE:
        return np.asarray(sum_over(x, (0, 2, 3)))
    order = memory_order(x.strides)
    rows, channel = x.transpose(order.axes), order.axes.index(CHANNEL)
    together = min(2, 3 - channel)  # how many of the innermost axes BLAS adds up
    if together == 0 or not rows.flags.c_contiguous:
        return np.asarray(sum_over(x, (0, 2, 3)))
    shape = rows.shape[:-together]
    sums = sum_of_rows(rows.reshape(prod(shape), -1)).reshape(shape)
    others = tuple(axis for axis in range(len(shape)) if axis != channel)
    return np.asarray(sum_over(sums, others), x.dtype)


def sum_of_rows(rows: Array) -> Array:
    """The sum over the last axis, in float64: pieces of it by BLAS, whose sums are added up in float64.

    Each row by itself, so that a sum is the same to the bit whichever rows are summed with it.
    """
    whole = rows.shape[-1] - rows.shape[-1] % PIECE_OF_DOT
    with blas_held():
        pieces = rows[..., :whole].reshape(*rows.shape[:-1], whole // PIECE_OF_DOT, PIECE_OF_DOT)
        sums = np.add.reduce(np.matmul(pieces, ones(PIECE_OF_DOT, rows.dtype)), -1, np.float64)
        if whole < rows.shape[-1]:
            rest = rows[..., None, whole:]
            sums += np.matmul(rest, ones(rest.shape[-1], rows.dtype)[:, None])[..., 0, 0]
    return np.asarray(sums)


def rectify(x: Array) -> Array:
    """max(x, 0), in the memory order of x."""
    order = memory_order(x.strides) if x.size >= LARGE else None
    if order is None or not (ordered := x.transpose(order.axes)).flags.c_contiguous:
        return np.asarray(np.maximum(x, zeros((), x.dtype)))
    matrix = ordered.reshape(-1, row_length(ordered.shape))
    kept = zeros if matrix.shape[1] <= LONGEST_KEPT else np.zeros
    row, y = kept(matrix.shape[1], x.dtype), aligned_empty(matrix.shape, x.dtype)

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


@lru_cache(maxsize=64)
def ones(count: int, dtype: np.dtype[Any]) -> Array:
    """Ones that are kept."""
    row = np.ones(count, dtype)
    row.setflags(write=False)
    return row


def shared_elementwise(work: Callable[..., object], *arrays: Array) -> None:
    """work(...) of the same part of all arrays, which have one shape, by each thread.

    Of the arrays as they are where they do not lie alike in one piece of memory, or are small.
    """
    flat = flat_alike(arrays) if arrays[0].size >= LARGE else None
    if flat is None:
        work(*arrays)
        return

    def part(first: int, last: int) -> None:
        work(*[array[first:last] for array in flat])

    share(part, arrays[0].size, arrays[0].size * NANOSECONDS / 1000)


def flat_alike(arrays: Sequence[Array]) -> list[Array] | None:
    """Arrays of one shape as they lie in memory, if all do in the same order and without gaps."""
    order = memory_order(arrays[0].strides)
    ordered = [array.transpose(order.axes) for array in arrays]
    if not all([array.flags.c_contiguous for array in ordered]):
        return None
    return [array.reshape(-1) for array in ordered]


def masked(x: Array, mask: Array) -> Array:
    """x where the mask holds, 0 elsewhere; unlike in a product an infinite x makes no NaN there.

    The product is that of its bits, as an integer, which is faster than choosing and than joining bits.
    """
    bits = BITS_OF.get(x.dtype)
    if x.size < SMALL_ENOUGH_FOR_WHERE or bits is None:
        return np.where(mask, x, zeros((), x.dtype))
    chosen = mask if mask.dtype is BOOL else mask.astype(BOOL)
    if x.size < LARGE or chosen.shape != x.shape:
        return (x.view(bits) * chosen).view(x.dtype)
    y = aligned_like(x)
    shared_elementwise(multiply_into, x.view(bits), chosen, y.view(bits))
    return y


def multiply_into(a: Array, b: Array, out: Array) -> None:
    """out = a b."""
    np.multiply(a, b, out=out)


def choose(condition: Any, a: Array, b: Array) -> Array:
    """a where the condition holds, b elsewhere: np.where, ten times as fast where signs change at random."""
    if max(a.size, b.size) < SMALL_ENOUGH_TO_CHOOSE or a.dtype not in BITS_OF or a.dtype != b.dtype:
        return np.where(condition, a, b)
    bits = BITS_OF[a.dtype]
    of_b = b.view(bits)
    differing = np.bitwise_and(np.bitwise_xor(a.view(bits), of_b), all_bits(condition))
    return np.asarray(np.bitwise_xor(differing, of_b).view(a.dtype))


def all_bits(mask: Any) -> Array:
    """A mask as integers with all bits set, which is -1, or none."""
    return np.asarray(np.negative(np.asarray(mask, bool).view(np.int8)))


def all_finite(array: Array) -> bool:
    """Whether there is no Inf or NaN; False, too, if the squares overflow: a caller is then careful in vain.

    The product of a large array with itself is the one pass over it that is fastest.
    """
    if array.size <= SMALL_ENOUGH_TO_COUNT:
        return np.count_nonzero(np.isfinite(array)) == array.size
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
