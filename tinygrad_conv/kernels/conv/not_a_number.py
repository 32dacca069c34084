"""Where every result is NaN, nothing is multiplied.

A net that diverges soon has nothing but NaN in it. Kernels that would spread a single Inf or NaN give up when
they meet one, and then the next have a turn, which are slower. But for NaN everywhere the answer is known:

    Y    is NaN wherever its window sees a NaN, whatever the weights; and in an output with a NaN weight
    dW   is NaN in an output with a NaN in dY
    dX   is NaN wherever a window reaches it, if dY has a NaN in every window, or W in every tap of a channel

What is not NaN throughout is `None`, for the next kernel of the table. Results have the memory order of all
others: a net of which one layer has another order takes three times as long in what follows.
"""

from __future__ import annotations

import numpy as np

from ..memory_order import compute_type, from_rows
from ..window import Array, Window, overlap


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C/groups, kh, kw]."""
    every_output = holds_nan(w, (1, 2, 3))
    if not (every_output or (meets_input(window) and holds_nan(split(x, 1, groups), 2))):
        return None
    (height, width), dtype = window.out, compute_type(x.dtype, w.dtype)[1]
    return from_rows(np.full((height, len(w), width, len(x)), np.nan, dtype), dtype)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array | None:
    """dw [O, C/groups, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q]."""
    if not holds_nan(dy, (0, 2, 3)):
        return None
    shape = dy.shape[1], x.shape[1] // groups, *window.kernel
    return np.full(shape, np.nan, compute_type(x.dtype, dy.dtype)[1])


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C/groups, kh, kw]."""
    if not (holds_nan(split(w, 0, groups), 1) or holds_nan(split(dy, 1, groups), 2)):
        return None
    down, along = (touched(window, axis) for axis in (0, 1))
    dtype = compute_type(dy.dtype, w.dtype)[1]
    image = np.where(down[:, None] & along, dtype.type(np.nan), dtype.type(0))
    height, width = window.size
    channels = groups * w.shape[1]
    rows = np.array(np.broadcast_to(image[:, None, :, None], (height, channels, width, len(dy))))
    return from_rows(rows, dtype)


def holds_nan(array: Array, axis: int | tuple[int, ...]) -> bool:
    """Whether there is a NaN along these axes, whatever the place on the others."""
    return bool(np.isnan(np.maximum.reduce(array, axis)).all())


def split(array: Array, axis: int, groups: int) -> Array:
    """An array with an axis of groups before this one."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])


def touched(window: Window, axis: int) -> Array:
    """Which rows (axis 0) or columns (axis 1) of the input some window reads."""
    places = np.zeros(window.size[axis], bool)
    for tap in range(window.kernel[axis]):
        places[overlap(window, axis, tap).inputs] = True
    return places


def meets_input(window: Window) -> bool:
    """Whether no window lies wholly in the padding."""
    return all(met(window, axis).all() for axis in (0, 1))


def met(window: Window, axis: int) -> Array:
    """Which windows, along an axis, read some row or column of the input."""
    windows = np.zeros(window.out[axis], bool)
    for tap in range(window.kernel[axis]):
        windows[overlap(window, axis, tap).windows] = True
    return windows
