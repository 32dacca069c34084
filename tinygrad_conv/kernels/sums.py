"""Sums of many numbers, added up so that the rounding stays small.

One after another, n numbers are off by up to n / 2 roundings of the sum: a million in float32 by percents. In
pairs, and pairs of pairs, they are off by log2 n. NumPy adds up neighbours in memory like that, but what
lies on an outer axis one after another, as BLAS and every loop over rows do. So here outer axes are added up
in blocks, then the sums of blocks in blocks, and loops run over halves of halves of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from .window import Array

BLOCK = 128  # numbers that are added up one after another
# Numbers that BLAS may add up one after another in a few lanes; more are for NumPy. In float32, two values
# again and again were 1e-4 away when all were added one after another.
LONGEST_DOT = 4096


def sum_over(x: Array, axes: Sequence[int]) -> Array:
    """The sum of x over these axes, which are none or more."""
    if prod([x.shape[axis] for axis in axes]) <= 2 * BLOCK:
        return np.asarray(np.add.reduce(x, tuple(axes)))
    for axis in sorted(axes, key=lambda axis: (x.strides[axis], -axis)):
        x = np.expand_dims(_sum_along(x, axis), axis)
    kept = [size for axis, size in enumerate(x.shape) if axis not in axes]
    return x.reshape(kept)


def _sum_along(x: Array, axis: int) -> Array:
    """The sum along one axis, in blocks of blocks."""
    blocks, rest = divmod(x.shape[axis], BLOCK)
    if blocks <= 1:
        return np.asarray(np.add.reduce(x, axis))
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    every = (slice(None),) * axis
    index = *every, slice(0, blocks * BLOCK)
    whole = x[index].reshape(*before, blocks, BLOCK, *after)
    total = _sum_along(np.add.reduce(whole, axis + 1), axis)
    if rest:
        index = *every, slice(blocks * BLOCK, None)
        total += np.add.reduce(x[index], axis)
    return total


def sum_in_halves(work: Callable[[int, int], Array], first: int, last: int, most: int = BLOCK) -> Array:
    """work(first, last), where that is at most so many rows; else the sum of what their halves give."""
    if last - first <= most:
        return work(first, last)
    middle = (first + last) // 2
    total = sum_in_halves(work, first, middle, most)
    total += sum_in_halves(work, middle, last, most)
    return total
