"""The memory order the fast kernels work in, and the number types they compute with.

Arrays are [N, C, H, W] to everybody outside, but their memory order is H, C, W, N: one row of the picture
after another, the samples innermost. A shift by one column is then a shift by N contiguous numbers, and one
row of all samples is the operand of one matrix product. NumPy's elementwise functions keep the order of their
inputs' strides, so the layout travels through a network by itself: only the batch that comes in is ever
transposed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from math import isfinite, prod
from typing import Any, NamedTuple, ParamSpec, TypeAlias, TypeVar

import numpy as np

from .threads import blas_held
from .window import Window

Array: TypeAlias = np.ndarray[Any, Any]  # [N, C, H, W] in any memory order
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Rows: TypeAlias = np.ndarray[Any, Any]  # [H, C, W, N], contiguous

LARGE_ENOUGH_FOR_BLAS_THREADS = 10_000  # numbers in a dot product
LARGE_ENOUGH_TO_REORDER = (
    10_000  # numbers: from here on, what two memory orders cost each other outweighs a call or two
)


def compute_type(*dtypes: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype to compute in, and that of the result: float16 is computed in float32 and rounded once, at
    the end.
    """
    result = dtypes[0] if dtypes[0] == dtypes[-1] else np.result_type(*dtypes)
    return (np.dtype(np.float32) if result == np.float16 else result), result


def tap_type(window: Window) -> np.dtype[Any]:
    """The smallest unsigned integer that can number the taps of a window."""
    return np.min_scalar_type(max(window.taps - 1, 0))


def to_rows(x: Array, dtype: np.dtype[Any]) -> Rows:
    """x [N, C, H, W] as contiguous [H, C, W, N]; a view wherever the memory already has that order."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0), dtype)


def sum_of(parts: list[Array]) -> Array:
    """The arrays added up, in their order."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def from_rows(rows: Rows, dtype: np.dtype[Any]) -> Array:
    """[H, C, W, N] as an [N, C, H, W] view."""
    return rows.transpose(3, 1, 0, 2).astype(dtype, copy=False)


def flattened(x: Array) -> Array:
    """x [N, ...] as [N, the rest]; if the samples are innermost in memory they stay so, for copying long runs
    is quick.
    """
    if x.size < LARGE_ENOUGH_TO_REORDER or x.strides[0] != x.itemsize:
        return x.reshape(len(x), prod(x.shape[1:]))
    return x.transpose(*range(1, x.ndim), 0).reshape(-1, len(x)).T


def unflattened(flat: Array, shape: tuple[int, ...]) -> Array:
    """`flat` in another shape; images [N, C, H, W] in the memory order H, C, W, N, so that what comes next
    need not reorder.
    """
    images = flat.reshape(shape)
    if images.ndim != 4 or images.size < LARGE_ENOUGH_TO_REORDER:
        return images
    return from_rows(to_rows(images, images.dtype), images.dtype)


class Order(NamedTuple):
    """An order in memory: the axes from the outermost to the innermost, and how to transpose back."""

    axes: tuple[int, ...]
    back: tuple[int, ...]


@lru_cache(maxsize=1024)
def memory_order(strides: tuple[int, ...]) -> Order:
    """The order of an array with these strides."""
    axes = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
    return Order(tuple(axes), tuple(map(axes.index, range(len(axes)))))


def in_order_of(model: Array, array: Array) -> Array:
    """`array` with its axes in the memory order of `model`, which has its shape; copied only if they have
    another.
    """
    if memory_order(array.strides) == memory_order(model.strides):
        return array
    ordered = np.empty_like(model, array.dtype)
    ordered[...] = array
    return ordered


def giving_up_quietly(kernel: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """For a kernel that checks its result and gives up: it need not warn of what the next kernel may not even
    meet.
    """

    @wraps(kernel)
    def quiet(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with np.errstate(over="ignore", invalid="ignore"):
            return kernel(*args, **kwargs)

    return quiet


def all_finite(array: Array) -> bool:
    """Whether there is no Inf or NaN; False, too, if the squares overflow, which only makes a caller careful
    in vain.

    The product of the array with itself is the one pass over it that is fastest, and never warns.
    """
    flat = array.ravel(order="K")
    if flat.size < LARGE_ENOUGH_FOR_BLAS_THREADS:
        return isfinite(abs(np.dot(flat, flat)))
    with blas_held():
        return isfinite(abs(np.dot(flat, flat)))


def contiguous_view(base: Array, offset: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """A view of contiguous `base`: `steps` counts elements, not bytes, and windows may overlap.

    What `as_strided` does, in a seventh of the time; and NumPy checks here that no index leaves `base`.
    """
    item = base.itemsize
    return np.ndarray(shape, base.dtype, base, offset * item, tuple(step * item for step in steps))
