"""Max-pooling with windows of 2x2 that lie side by side, as nearly every network has it: every place has one
window.

The four places of a window are copied to where they lie in four arrays of one shape, tap by tap, and
everything after that is a few passes over long rows. A window's maximum differs from what stands at the taps
before its own; so, with n0, n1 and n2 saying 1 where the taps 0, 1 and 2 differ from the maximum,

    tap = n0 * (1 + n1 * (1 + n2))

is the first tap in row-major order that has it. On the way back each place asks whether its window named it;
nothing is added, and nothing cleared but a remainder.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Any

import numpy as np

from .layout import Array, Order, all_finite, in_order_of, memory_order
from .threads import share
from .window import Window

NANOSECONDS_PER_WINDOW = 1.3
CACHE_WINDOWS = 1 << 17  # with fewer at a time, threads would wait for the interpreter's lock
TAPS = np.arange(4, dtype=np.uint8).reshape(2, 2, 1, 1, 1, 1)
ONE = np.array(1, np.uint8)  # NumPy reads an array faster than it converts a number


def serves(window: Window) -> bool:
    """2x2, stride 2, no padding, and no window reaches beyond the input."""
    return (
        window.kernel == window.stride == (2, 2)
        and window.dilation == (1, 1)
        and window.padding[0][0] == window.padding[1][0] == 0
        and window.reach(0) <= window.size[0]
        and window.reach(1) <= window.size[1]
    )


def max_pool(x: Array, window: Window) -> tuple[Array, Array] | None:
    """(y, tap), both [N, C, P, Q], of x [N, C, H, W]; None if there is a NaN, which wins in a way of its
    own.
    """
    order = memory_order(x.strides)
    places = _places(x, window, order)
    y, tap = np.empty(places.shape[2:], x.dtype), np.empty(places.shape[2:], np.uint8)

    def work(first: int, last: int) -> None:
        for part in _parts(first, last, y):
            _maximum(places[:, :, part], y[part], tap[part])

    share(work, len(y), y.size * NANOSECONDS_PER_WINDOW / 1000)
    if y.dtype.kind == "f" and y.size and isnan(np.maximum.reduce(y, axis=None)):
        return None
    return y.transpose(order.back), tap.transpose(order.back)


def _maximum(places: Array, y: Array, tap: Array) -> None:
    """Of places [2, 2, ...], and which was the first to have it."""
    taps = np.empty((4, *y.shape), y.dtype)
    taps.reshape(places.shape)[...] = places
    np.maximum.reduce(taps, 0, out=y)
    differs = np.not_equal(taps[:3], y).view(np.uint8)
    number = differs[2]
    number += ONE
    number *= differs[1]
    number += ONE
    np.multiply(number, differs[0], out=tap)


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] at its tap."""
    order = memory_order(tap.strides)
    values = in_order_of(tap, dy).transpose(order.axes)  # a flattened layer's gradient comes in another order
    shape = (*dy.shape[:2], *window.size)
    dx = np.empty([shape[axis] for axis in order.axes], dy.dtype).transpose(order.back)
    if window.size[0] > 2 * window.out[0]:
        dx[:, :, 2 * window.out[0] :] = 0
    if window.size[1] > 2 * window.out[1]:
        dx[..., 2 * window.out[1] :] = 0
    places, named = _places(dx, window, order), tap.transpose(order.axes)
    finite = dy.dtype.kind != "f" or all_finite(dy)

    def work(first: int, last: int) -> None:
        for part in _parts(first, last, values):
            mine = named[part] == TAPS
            if finite:  # several times faster than choosing by a mask; but 0 * inf would be NaN
                np.multiply(values[part], mine, out=places[:, :, part])
            else:
                places[:, :, part] = np.where(mine, values[part], 0)

    share(work, len(values), dy.size * NANOSECONDS_PER_WINDOW / 1000)
    return dx


def _parts(first: int, last: int, windows: Array) -> Iterator[slice]:
    """Rows [first, last) of `windows`, as many at a time as stay in the cache."""
    together = max(1, len(windows) * CACHE_WINDOWS // max(1, windows.size))
    for begin in range(first, last, together):
        yield slice(begin, min(begin + together, last))


def _places(x: Array, window: Window, order: Order) -> Any:
    """A view of x [N, C, H, W] as [2, 2, ...]: row and column in the window, and the windows in the order of
    memory.
    """
    height, width = window.out
    if window.size != (2 * height, 2 * width):
        x = x[:, :, : 2 * height, : 2 * width]
    return x.reshape(*x.shape[:2], height, 2, width, 2).transpose(
        3, 5, *[(0, 1, 2, 4)[axis] for axis in order.axes]
    )
