"""`mec` for many calls on arrays of the same shapes, one after another.

Memory for lowered rows and products stands ready, and is written to again in each call; where the forward has
lowered the rows of x, dw finds them there (see `kept_rows`).

Only the product is shared between threads, a single call of NumPy for each. Two of them get on well while
both are inside of NumPy, but between two calls each needs Python's lock, and waits for the other to be woken:
on two cores it took as long when each lowered its own rows, and those that both read were lowered twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from ..memory_order import aligned_empty, compute_type, from_rows
from ..threads import correlation_time, share
from ..window import Array, Window
from . import mec
from .kept_rows import KeptRows, may_be_kept

Kernel = Callable[[Array, Array], Array]


def for_y(
    x: Array, w: Array, shared: dict[Any, Any], out: Array | None, window: Window, groups: int
) -> Kernel | None:
    """y of x and w; None: these are not served."""
    if groups > 1 or not may_be_kept(x, window) or x.dtype != w.dtype or not is_computed_in(x.dtype):
        return None
    kept = shared.setdefault(key_of(x, window), KeptRows(x, window, ("lasting", id(x)) in shared))
    shape = window.out[0], len(w), window.out[1], len(x)
    place = rows_in(out, shape)
    if place is None:
        shared["declined"].add(id(out))
    dtype, time = x.dtype, correlation_time(window, len(x), w.size)

    def run(x: Array, w: Array) -> Array:
        multiply, patches = mec.multiplication(w, x, window, groups), kept.fill(x)
        y = aligned_empty(shape, dtype) if place is None else place
        products = y.reshape(1, *shape[:2], patches.shape[3])

        def work(begin: int, end: int) -> None:
            multiply(patches[:, begin:end], out=products[:, begin:end])

        share(work, shape[0], time)
        return from_rows(y, dtype) if place is None else cast(Array, out)

    return run


def for_dw(
    x: Array, dy: Array, shared: dict[Any, Any], out: Array | None, window: Window, groups: int
) -> Kernel | None:
    """dw by the rows that the forward has lowered; None if it has not."""
    kept = shared.get(key_of(x, window))
    if kept is None or groups > 1 or dy.dtype != x.dtype:
        return None
    shared["declined"].add(id(out))
    return partial(mec.correlate_weight_grad, window=window, groups=groups, lowered=kept.patches)


def key_of(x: Array, window: Window) -> Any:
    """By which the lowered rows of x are found again."""
    return "lowered rows", id(x), window


def rows_in(out: Array | None, shape: tuple[int, ...]) -> Array | None:
    """The memory of `out` [N, O, P, Q] as rows [P, O, Q, N], if they lie so."""
    rows = None if out is None else out.transpose(2, 1, 3, 0)
    return rows if rows is not None and rows.flags.c_contiguous and rows.shape == shape else None


def is_computed_in(dtype: Any) -> bool:
    """Whether there is nothing to be rounded."""
    return compute_type(dtype) == (dtype, dtype)
