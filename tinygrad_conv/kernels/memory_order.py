"""The memory order the fast kernels work in, and the types of number they compute with.

Arrays are [N, C, H, W] to everybody outside, but their memory order is H, C, W, N: one row of the picture
after another, the samples innermost. A shift by one column is then a shift by N contiguous numbers, and one
row of all samples is the operand of one matrix product. NumPy's elementwise functions keep the order of their
inputs' strides, so the layout travels through a network by itself: only the batch that comes in is ever
transposed.

That one transposition reads a number of every sample in turn. Where the samples are a multiple of a large
power of two of bytes apart, all these numbers fall into the same few sets of the cache and drive each other
out: it then takes two to ten times as long as it should. So such a batch is copied in blocks first, whose
samples lie otherwise (`in_spread_blocks`).
"""

from __future__ import annotations

import sys
from functools import lru_cache
from math import gcd, prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .window import Array

Rows: TypeAlias = np.ndarray[Any, Any]  # [H, C, W, N], contiguous

# Numbers: from here on, what two memory orders cost each other outweighs a call or two, on two cores.
LARGE_ENOUGH_TO_REORDER = 10_000
CACHE_PERIOD = 4096  # bytes after which addresses share a set of the first cache: 64 sets of lines of 64
CACHE_LINE = 64  # bytes
CACHE_WAYS = 8  # lines that one set holds
LARGE_ENOUGH_TO_ALIGN = 1 << 17  # bytes: with fewer, aligning takes longer than it saves
CACHE_BLOCK = 1 << 19  # bytes that are copied together: they stay in the second cache
LARGEST_THAT_MALLOC_LEARNS_FROM = (32 << 20) - 65536  # bytes
LARGE_ENOUGH_TO_LIE_BEHIND = 1 << 19  # bytes: there is no gap so large before them
ARRAYS_IN_HUGE_PAGES = 8  # addresses for 256 MB, which the larger ones of our steps take


def compute_type(*dtypes: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype to compute in, and that of the result: float16 is computed in float32 and rounded once."""
    result = dtypes[0] if dtypes[0] == dtypes[-1] else np.result_type(*dtypes)
    return (np.dtype(np.float32) if result == np.float16 else result), result


def to_rows(x: Array, dtype: np.dtype[Any]) -> Rows:
    """x [N, C, H, W] as contiguous [H, C, W, N]; a view wherever the memory already has that order."""
    if x.nbytes > CACHE_PERIOD and crowds_the_cache(x):
        return in_spread_blocks(x, dtype)
    rows = x.transpose(2, 1, 3, 0)
    if rows.dtype == dtype and rows.flags.c_contiguous:
        return rows
    copied = aligned_empty(rows.shape, dtype)
    copied[...] = rows
    return copied


def crowds_the_cache(x: Array) -> bool:
    """Whether one number of each sample of x [N, C, H, W] is more than the sets hold which they fall into."""
    step = abs(x.strides[0])
    sets = CACHE_PERIOD // gcd(step, CACHE_PERIOD)
    return step > 0 and len(x) > CACHE_WAYS * sets and x.strides[-1] == x.itemsize


def in_spread_blocks(x: Array, dtype: np.dtype[Any]) -> Rows:
    """`to_rows`, by copies of some channels at a time whose samples are an odd number of lines apart."""
    samples, channels, height, width = x.shape
    picture = height * width
    together = min(channels, max(1, CACHE_BLOCK // (samples * picture * x.itemsize)))
    lines = -(-together * picture * x.itemsize // CACHE_LINE) | 1
    step = lines * CACHE_LINE // x.itemsize
    memory = aligned_empty((samples * step,), x.dtype)
    spread = contiguous_view(memory, 0, (samples, together, height, width), (step, picture, width, 1))
    rows = aligned_empty((height, channels, width, samples), dtype)
    for first in range(0, channels, together):
        block = x[:, first : first + together]
        copied = spread[:, : block.shape[1]]
        copied[...] = block
        rows[:, first : first + together] = copied.transpose(2, 1, 3, 0)
    return rows


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
    if memory_order(model.strides).axes == (2, 1, 3, 0):
        return from_rows(to_rows(array, array.dtype), array.dtype)
    ordered = np.empty_like(model, array.dtype)
    ordered[...] = array
    return ordered


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """np.empty, whose first number begins a line of the cache if there are many.

    malloc gives any multiple of 16 bytes. A vector of AVX-512 is as long as a line, and one that does not
    begin with it lies in two, each of which must be read or written: products take a sixth longer then,
    additions up to twice as long.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE_ENOUGH_TO_ALIGN:
        return np.empty(shape, dtype)
    memory = np.empty(size + CACHE_LINE, np.uint8)
    address: int = memory.__array_interface__["data"][0]
    return np.ndarray(shape, dtype, memory, -address % CACHE_LINE)


def aligned_like(model: Array, dtype: Any = None) -> Array:
    """The same in the shape and memory order of `model`, and in its dtype if none is given."""
    if model.nbytes < LARGE_ENOUGH_TO_ALIGN:
        return np.empty_like(model, dtype)
    order = memory_order(model.strides)
    shape = tuple([model.shape[axis] for axis in order.axes])
    return aligned_empty(shape, model.dtype if dtype is None else dtype).transpose(order.back)


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


def ask_for_huge_pages() -> Array | None:
    """Let the memory that malloc keeps lie in pages of 2 MB; to be called after `keep_freed_memory`.

    In pages of 4 kB, looking up where they are takes a tenth of the time of a step that uses many megabytes.
    On Linux NumPy asks for huge pages wherever it makes an array of 4 MB or more, and what was asked for
    addresses holds when the array is freed. So large arrays are made and freed here, one beside the other;
    they are never touched, either. What is returned lies behind them: while it lives malloc keeps all of
    them, and whatever is made later comes to lie there. None elsewhere, or where addresses are scarce.
    """
    if sys.platform != "linux":
        return None
    try:
        made = [np.empty(LARGEST_THAT_MALLOC_LEARNS_FROM, np.uint8) for _ in range(ARRAYS_IN_HUGE_PAGES)]
        return np.empty_like(made[0], shape=LARGE_ENOUGH_TO_LIE_BEHIND)
    except MemoryError:
        return None
