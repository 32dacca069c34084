"""The memory order the fast kernels work in, and the types of number they compute with.

Arrays are [N, C, H, W] to everybody outside, but their memory order is H, C, W, N: one row of the picture
after another, the samples innermost. A shift by one column is then a shift by N contiguous numbers, and one
row of all samples is the operand of one matrix product. NumPy's elementwise functions keep the order of their
inputs' strides, so the layout travels through a network by itself: only the batch that comes in is ever
transposed.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .window import Array

Rows: TypeAlias = np.ndarray[Any, Any]  # [H, C, W, N], contiguous

# Numbers: from here on, what two memory orders cost each other outweighs a call or two, on two cores.
LARGE_ENOUGH_TO_REORDER = 10_000
LARGEST_THAT_MALLOC_LEARNS_FROM = (32 << 20) - 65536  # bytes


def compute_type(*dtypes: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype to compute in, and that of the result: float16 is computed in float32 and rounded once."""
    result = dtypes[0] if dtypes[0] == dtypes[-1] else np.result_type(*dtypes)
    return (np.dtype(np.float32) if result == np.float16 else result), result


def to_rows(x: Array, dtype: np.dtype[Any]) -> Rows:
    """x [N, C, H, W] as contiguous [H, C, W, N]; a view wherever the memory already has that order."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0), dtype)


def from_rows(rows: Rows, dtype: np.dtype[Any]) -> Array:
    """[H, C, W, N] as an [N, C, H, W] view."""
    return rows.transpose(3, 1, 0, 2).astype(dtype, copy=False)


def flattened(x: Array) -> Array:
    """x [N, ...] as [N, the rest].

    If the samples are innermost in memory they stay so, for copying long runs is quick.
    """
    if x.size < LARGE_ENOUGH_TO_REORDER or x.strides[0] != x.itemsize:
        return x.reshape(len(x), prod(x.shape[1:]))
    return x.transpose(*range(1, x.ndim), 0).reshape(-1, len(x)).T


def unflattened(flat: Array, shape: tuple[int, ...]) -> Array:
    """`flat` in another shape.

    Images [N, C, H, W] get the memory order H, C, W, N, so that what comes next need not reorder.
    """
    images = flat.reshape(shape)
    if images.ndim != 4 or images.size < LARGE_ENOUGH_TO_REORDER:
        return images
    return from_rows(to_rows(images, images.dtype), images.dtype)


class Order(NamedTuple):
    """An order in memory: the axes from the outermost to the innermost, and how to transpose back."""

    axes: tuple[int, ...]
    back: tuple[int, ...]


@lru_cache(maxsize=512)
def memory_order(strides: tuple[int, ...]) -> Order:
    """The order of an array with these strides."""
    axes = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
    return Order(tuple(axes), tuple(map(axes.index, range(len(axes)))))


def in_order_of(model: Array, array: Array) -> Array:
    """`array` in the memory order of `model`, which has its shape; copied only if it has another."""
    if memory_order(array.strides) == memory_order(model.strides):
        return array
    ordered = np.empty_like(model, array.dtype)
    ordered[...] = array
    return ordered


def contiguous_view(base: Array, offset: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """A view of contiguous `base`: `steps` counts elements, not bytes, and windows may overlap.

    What `as_strided` does, in a seventh of the time; and NumPy checks here that no index leaves `base`.
    """
    item = base.itemsize
    return np.ndarray(shape, base.dtype, base, offset * item, tuple(step * item for step in steps))


def keep_freed_memory() -> None:
    """Teach malloc to keep what it gets back, so that a result is not paged in anew each time.

    glibc's malloc asks the kernel for fresh zeroed pages whenever a large array is made, and gives them back
    when it is freed. Paging in costs more than most operations on the array. But malloc learns: once it has
    seen a large allocation freed, it serves such sizes (up to 32 MB) from memory it keeps. So such an array
    is made and freed here, when the package is imported; it is never touched, and therefore never takes any
    memory itself. The effect is process-wide and harmless; other allocators ignore it.
    """
    np.empty(LARGEST_THAT_MALLOC_LEARNS_FROM, np.uint8)
