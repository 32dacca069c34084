"""Max-pooling by windows of 2x2 side by side, for many calls on arrays of the same shapes.

What `pooling` does, with memory for every stage standing ready: small images are a matter of how many calls
there are around the arithmetic. What it does not serve, larger images, other windows or a NaN, is left to
`pooling`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import pooling
from .dispatch import pools
from .memory_order import memory_order
from .pointwise import zeros
from .pooling import FEW_WINDOWS, ONE, TAPS, as_bits, has_nan, in_windows, side_by_side
from .window import Array, Window

NONE = np.array(4, np.uint8)  # a tap beyond those of a window of 2x2


def settled_max_pool(
    out: Array | None, x: Array, window: Window, shared: dict[Any, Any]
) -> Callable[[Array], tuple[Array, Array]]:
    """`max_pool` of arrays such as x [N, C, H, W], y in `out` [N, C, P, Q] if that is of use."""
    if out is None or not serves(window, out.size):
        shared.setdefault("declined", set()).add(id(out))
        return partial(pools().max_pool, window=window)
    return max_pool_into(out, x, window, shared.get(("lasting", id(x))))


def settled_scatter_taps(
    out: Array | None, dy: Array, tap: Array, window: Window, shared: dict[Any, Any]
) -> Callable[[Array, Array], Array]:
    """`scatter_taps` of arrays such as dy and tap [N, C, P, Q], in `out` [N, C, H, W] if that is of use."""
    if out is None or not serves(window, tap.size) or dy.dtype != out.dtype:
        shared.setdefault("declined", set()).add(id(out))
        return partial(pools().scatter_taps, window=window)
    return scatter_taps_into(out, tap, window)


def serves(window: Window, windows: int) -> bool:
    """Whether so many windows lie side by side in a small image."""
    return may_name_none(window) and windows <= FEW_WINDOWS


def may_name_none(window: Window) -> bool:
    """Whether a tap that no window has is none to `scatter_taps`: it compares taps with each place's own."""
    return pools() is pooling and side_by_side(window)


def taps_of_positive(tap: Array, y: Array) -> Array:
    """The taps of windows whose maximum y [N, C, P, Q] is above 0; of the others one that no window has.

    A number takes a byte: it is a few short passes, where clearing dy takes longer than sending it back. The
    strides are those of the taps, along axes of size 1 too, for by them the gradient is laid out.
    """
    above = np.greater(y, zeros((), y.dtype)).view(np.uint8)
    above -= ONE  # all bits where it is not
    above &= NONE
    named = np.ndarray(tap.shape, np.uint8, np.empty(tap.size, np.uint8), 0, tap.strides)
    return np.bitwise_or(above, tap, out=named)


def max_pool_into(
    out: Array, x: Array, window: Window, known: Array | None
) -> Callable[[Array], tuple[Array, Array]]:
    """For windows side by side. known: the array that nearly always comes."""
    order, strides, pool = memory_order(x.strides), x.strides, pools().max_pool
    y = out.transpose(order.axes)
    numbers, tap = np.empty((4, *y.shape), y.dtype), np.empty(y.shape, np.uint8)
    by_place, before = numbers.reshape(2, 2, *y.shape), numbers[:3]
    differs = np.empty(before.shape, bool)
    first, second, third = differs.view(np.uint8)
    tap_of_window = tap.transpose(order.back)
    places = None if known is None else in_windows(known, window, order)
    largest, differ, add, multiply = np.maximum.reduce, np.not_equal, np.add, np.multiply

    def run(x: Array) -> tuple[Array, Array]:
        if x is known:
            by_place[...] = places
        elif x.strides == strides:
            by_place[...] = in_windows(x, window, order)
        else:
            return pool(x, window)
        largest(numbers, 0, None, y)
        if has_nan(y):
            return pool(x, window)
        differ(before, y, differs)
        add(third, ONE, third)
        multiply(third, second, third)
        add(third, ONE, third)
        multiply(third, first, tap)
        return out, tap_of_window

    return run


def scatter_taps_into(out: Array, tap: Array, window: Window) -> Callable[[Array, Array], Array]:
    """For windows side by side."""
    order, strides, scatter = memory_order(tap.strides), tap.strides, pools().scatter_taps
    places = as_bits(in_windows(out, window, order))
    named = np.empty(places.shape, bool)
    rest = [out[:, :, 2 * window.out[0] :], out[..., 2 * window.out[1] :]]
    rest = [edge for edge in rest if edge.size]

    def run(dy: Array, tap: Array) -> Array:
        if tap.strides != strides:
            return scatter(dy, tap, window)
        np.equal(tap.transpose(order.axes), TAPS, named)
        np.multiply(as_bits(dy).transpose(order.axes), named, places)
        for edge in rest:
            edge[...] = 0
        return out

    return run
