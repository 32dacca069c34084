"""Sums over axes, in any memory order, that lose no more digits than adding in pairs does.

NumPy adds in pairs along the axis that is innermost in memory. Over any other it adds one row after another:
in float32 a sum of millions of rows then has few right digits, and one of ones stays at 2²⁴. So here the axes
are summed one by one, the innermost first, and those further out in blocks of a few rows, whose sums are
added up in float64. That is as fast as NumPy's own way, for nearly all of the work is the same; narrow rows,
which NumPy is slow at, are laid side by side. Loops over rows, which add up one after another just so, run
over halves of halves of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from .memory_order import memory_order
from .window import Array

FEW = 1024  # numbers: of so few in all, on SHORT axes, no order of additions costs a digit that matters
MANY = 1 << 15  # numbers: up to here adding in float64 is faster than cutting into blocks
BLOCK = 32  # rows that are added one after another
NARROW = 256  # numbers in a row: rows of fewer are laid side by side
SHORT = 64  # rows: so few may as well be added one after another
HALVED = 128  # rows, beyond which a loop over them runs over their halves
# Numbers that BLAS may add up in one matrix product, some of them one after another. In float32, two values
# again and again were 1e-4 away when all were added one after another.
LONGEST_DOT = 4096
PIECE_OF_DOT = 256  # numbers: of so many a dot product of BLAS, in its few lanes, is as exact as by pairs
add_up: Any = np.add.reduce  # np.sum, without its detours
HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def sum_over(x: Array, axes: Any = None, keepdims: bool = False) -> Any:
    """Σ x over the axes: an int, a tuple of them, or None for all.

    float16 is added up in float32 or float64 and rounded once, integers in int64.
    """
    if x.dtype.kind != "f":
        return add_up(x, axes, np.int64, keepdims=keepdims)
    few = x.size <= SHORT or (x.size <= FEW and max(x.shape) <= SHORT)
    if few and x.itemsize > 2:
        return add_up(x, axes, keepdims=keepdims)
    reduced: Any = tuple(range(x.ndim)) if axes is None else (axes,) if isinstance(axes, int) else axes
    if x.itemsize > 2 and in_pairs(x.shape, x.strides, x.itemsize, reduced):
        return add_up(x, reduced, keepdims=keepdims)
    if x.size <= MANY and x.dtype != np.float64:
        return np.asarray(add_up(x, reduced, np.float64, keepdims=keepdims), x.dtype)
    return sum_of_many(x, frozenset([axis % x.ndim for axis in reduced]), keepdims)


def sum_of_squares(x: Array) -> Any:
    """Σ x² of all of a float32 or float64 array."""
    if x.size > PIECE_OF_DOT:
        return sum_over(x * x)
    numbers = x.ravel("K")  # as they lie in memory: no copy
    return numbers.dot(numbers)


def settled_sum(x: Array, axes: tuple[int, ...]) -> Callable[[Array, Any], Any]:
    """What `sum_over` does, of x and these axes, for arrays of this shape, dtype and memory order."""
    plain = x.dtype.kind == "f" and x.itemsize > 2
    return (
        add_up if plain and (x.size <= SHORT or in_pairs(x.shape, x.strides, x.itemsize, axes)) else sum_over
    )


def settled_sum_of_squares(x: Array) -> Callable[[Array], Any]:
    """What `sum_of_squares` does for arrays of this shape, dtype and memory order."""
    if x.size <= PIECE_OF_DOT:
        return sum_of_squares
    squares, axes = np.empty_like(x), tuple(range(x.ndim))
    multiply, add_squares_up = np.multiply, settled_sum(squares, axes)

    def run(x: Array) -> Any:
        return add_squares_up(multiply(x, x, squares), axes)

    return run


@lru_cache(maxsize=512)
def in_pairs(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, reduced: tuple[int, ...]
) -> bool:
    """Whether NumPy's own sum adds in pairs, or so few numbers that it is all the same."""
    is_short = prod([shape[axis] for axis in reduced]) <= SHORT
    return is_short or lie_side_by_side(shape, strides, itemsize, reduced)


def lie_side_by_side(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, reduced: tuple[int, ...]
) -> bool:
    """Whether the numbers of each sum follow each other in memory: to NumPy that is one axis."""
    long = [axis for axis, size in enumerate(shape) if size > 1]  # the stride of another says nothing
    added = {axis % len(shape) for axis in reduced}
    span = itemsize
    for axis in sorted(added.intersection(long), key=strides.__getitem__):
        if strides[axis] != span:
            return False
        span *= shape[axis]
    return all([axis in added or strides[axis] >= span for axis in long])


def sum_of_many(x: Array, reduced: frozenset[int], keepdims: bool) -> Array:
    """The same of many floats, axis by axis."""
    shown, times = without_repeats(x, reduced)
    order = memory_order(shown.strides)
    values = shown.transpose(order.axes).astype(SINGLE if x.dtype == HALF else x.dtype, copy=False)
    values, summed = merged(values, [axis in reduced for axis in order.axes])
    for axis in reversed(range(values.ndim)):
        if summed[axis]:
            values = sum_along(values, axis)
    if times > 1:
        values = values * values.dtype.type(times)
    sizes = [1 if axis in reduced else x.shape[axis] for axis in order.axes]
    sums = values.astype(x.dtype, copy=False).reshape(sizes).transpose(order.back)
    return sums if keepdims else sums.squeeze(tuple(reduced))


def without_repeats(x: Array, reduced: frozenset[int]) -> tuple[Array, int]:
    """x with one number for those that a summed axis of stride 0 repeats, and how often it does.

    Their sum is a product, exact to one rounding; adding a number to itself errs the same way each time.
    """
    repeats = [axis for axis in reduced if x.strides[axis] == 0 and x.shape[axis] > 1]
    if not repeats:
        return x, 1
    first = tuple([slice(1) if axis in repeats else slice(None) for axis in range(x.ndim)])
    return x[first], prod([x.shape[axis] for axis in repeats])


def merged(values: Array, summed: list[bool]) -> tuple[Array, list[bool]]:
    """Neighbouring axes that are all summed, or all kept, as one wherever memory has no gap between them."""
    shape, strides = values.shape, values.strides
    firsts = [
        axis
        for axis in range(values.ndim)
        if axis == 0 or summed[axis] != summed[axis - 1] or strides[axis - 1] != strides[axis] * shape[axis]
    ]
    sizes = [prod(shape[first:last]) for first, last in pairwise([*firsts, values.ndim])]
    return values.reshape(sizes), [summed[first] for first in firsts]


def sum_along(values: Array, axis: int) -> Array:
    """The sum along one axis, which keeps a size of 1: in pairs, or in blocks where it is not innermost."""
    rows, width = values.shape[axis], prod(values.shape[axis + 1 :])
    if width <= 1 or rows <= BLOCK:
        return np.asarray(add_up(values, axis, keepdims=True))
    if width <= NARROW // 2 and values.flags.c_contiguous:
        sums = sum_of_narrow(values.reshape(-1, rows, width), NARROW // width)
        return sums.reshape(*values.shape[:axis], 1, *values.shape[axis + 1 :])
    return sum_in_blocks(values, axis)


def sum_of_narrow(values: Array, together: int) -> Array:
    """The sum [count, width] of [count, rows, width], so many rows at a time as if they were one."""
    count, rows, width = values.shape
    whole = rows - rows % together
    side_by_side = values[:, :whole].reshape(count, whole // together, together * width)
    sums = sum_in_blocks(side_by_side, 1).reshape(count, together, width)
    rest = add_up(values[:, whole:], 1, np.float64)
    return np.asarray(add_up(sums, 1, np.float64) + rest)


def sum_in_blocks(values: Array, axis: int) -> Array:
    """The sum along one axis: each block in the dtype of the values, the blocks' sums in float64."""
    while values.shape[axis] > BLOCK:
        values = sums_of_blocks(values, axis).astype(np.float64, copy=False)
    return np.asarray(add_up(values, axis, keepdims=True))


def sums_of_blocks(values: Array, axis: int) -> Array:
    """Of every BLOCK rows along one axis their sum; what is left over is one block more."""
    before, rows, after = values.shape[:axis], values.shape[axis], values.shape[axis + 1 :]
    blocks, left = divmod(rows, BLOCK)
    everything: list[Any] = [slice(None)] * axis
    sums = np.empty((*before, blocks + (left > 0), *after), values.dtype)
    whole = values[tuple([*everything, slice(0, blocks * BLOCK)])].reshape(*before, blocks, BLOCK, *after)
    add_up(whole, axis + 1, out=sums[tuple([*everything, slice(0, blocks)])])
    if left:
        rest = values[tuple([*everything, slice(blocks * BLOCK, rows)])]
        add_up(rest, axis, out=sums[tuple([*everything, blocks])])
    return sums


def sum_in_halves(work: Callable[[int, int], Array], first: int, last: int, most: int = HALVED) -> Array:
    """work(first, last), where that is at most so many rows; else the sum of what their halves give."""
    if last - first <= most:
        return work(first, last)
    middle = (first + last) // 2
    total = sum_in_halves(work, first, middle, most)
    total += sum_in_halves(work, middle, last, most)
    return total
