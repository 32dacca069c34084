"""Max-pooling with windows of 2x2 that lie side by side, as nearly every network has it: every place has one window.

Columns first: of each pair of neighbours in a row the greater goes on, the left one at a tie. Then rows: of each pair
of those the greater, the upper one at a tie. So the first tap in row-major order wins, in two maxima and two
comparisons. On the way back each place asks whether its window named it; nothing is added, and nothing cleared but a
remainder.
"""

from __future__ import annotations

import numpy as np

from .layout import Array, all_finite, in_order_of
from .threads import share
from .window import Window

NANOSECONDS_PER_WINDOW = 2.0


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
    """(y, tap), both [N, C, P, Q], of x [N, C, H, W]; None if there is a NaN, which wins in a way of its own."""
    (height, width), (samples, channels) = window.out, x.shape[:2]
    y = np.empty_like(x, shape=(samples, channels, height, width))
    tap = np.empty_like(y, np.uint8)

    def work(first: int, last: int) -> None:
        rows = x[:, :, 2 * first : 2 * last]
        left, right = rows[..., : 2 * width : 2], rows[..., 1 : 2 * width : 2]
        greater, right_won = np.maximum(left, right), np.greater(right, left).view(np.uint8)
        upper, lower = greater[:, :, ::2], greater[:, :, 1::2]
        np.maximum(upper, lower, out=y[:, :, first:last])
        lower_won = np.greater(lower, upper).view(np.uint8)
        # tap = 2 * lower_won + right_won[the row that won], in bits
        column = np.bitwise_xor(right_won[:, :, ::2], right_won[:, :, 1::2])
        column &= lower_won
        column ^= right_won[:, :, ::2]
        lower_won += lower_won
        np.add(column, lower_won, out=tap[:, :, first:last])

    share(work, height, y.size * NANOSECONDS_PER_WINDOW / 1000)
    if y.dtype.kind == "f" and y.size and np.isnan(y.max()):
        return None
    return y, tap


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] at its tap."""
    (height, width), (samples, channels) = window.out, dy.shape[:2]
    dy = in_order_of(tap, dy)  # a flattened layer's gradient comes in another order than the layer went out
    dx = np.empty_like(dy, shape=(samples, channels, *window.size))
    dx[:, :, 2 * height :] = 0
    dx[..., 2 * width :] = 0
    finite = dy.dtype.kind != "f" or all_finite(dy)

    def work(first: int, last: int) -> None:
        value, named = dy[:, :, first:last], tap[:, :, first:last]
        for number, (i, j) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            place = dx[:, :, 2 * first + i : 2 * last : 2, j : 2 * width : 2]
            if finite:  # several times faster than choosing by a mask; but 0 * inf would be NaN
                np.multiply(value, named == number, out=place)
            else:
                place[...] = np.where(named == number, value, 0)

    share(work, height, dy.size * NANOSECONDS_PER_WINDOW / 1000)
    return dx
