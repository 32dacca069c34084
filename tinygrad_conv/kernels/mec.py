"""Correlation and its weight gradient as matrix products over lowered rows: the way for every shape.

With the patches of output row p as the columns of a matrix V[p], [K, Q*N] where K = kh * kw * C,

    Y[p]  = W V[p]                 W as [O, K]
    dW^T  = sum over p of V[p] dY[p]^T

One product per output row, all rows of a group in one call. See `lowering` for the patches.
In the second line V stands first although dW would come out the right way round with dY first: V has more rows than dY,
and OpenBLAS is 1.3 to 1.7 times faster with the taller matrix in front.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .dilation import Interleaved, interleaved
from .layout import Array, all_finite, compute_type, from_rows, sum_of, to_rows
from .lowering import patches
from .mirror import flipped, mirrored
from .threads import product_time, share
from .window import Window


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C/groups, kh, kw]."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows = to_rows(x, dtype)
    samples, outputs, (height, width) = len(x), len(w), window.out
    weights = _as_matrices(w.astype(dtype, copy=False), groups)
    y = np.empty((height, outputs, width, samples), dtype)
    products = y.reshape(height, groups, outputs // groups, width * samples).swapaxes(0, 1)

    def multiply(part: Interleaved, begin: int, end: int) -> None:
        target = products[:, part.outputs]
        for done, values in patches(rows[part.inputs], part.window, groups, begin, end):
            np.matmul(weights, values, out=target[:, done])

    for part in interleaved(window):
        share(partial(multiply, part), part.window.out[0], product_time(part.window, samples, w.size))
    return from_rows(y, result)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [O, C/groups, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q]."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    height, outputs, width, samples = errors.shape
    channels = x.shape[1] // groups
    transposed = errors.reshape(height, groups, outputs // groups, width * samples).transpose(1, 0, 3, 2)

    def add_up(part: Interleaved, begin: int, end: int) -> Array:
        source = transposed[:, part.outputs]
        total = np.zeros((groups, window.taps * channels, outputs // groups), dtype)
        for done, values in patches(rows[part.inputs], part.window, groups, begin, end):
            total += np.matmul(values, source[:, done]).sum(axis=1)
        return total

    found: list[Array] = []
    for part in interleaved(window):
        time = product_time(part.window, samples, window.taps * channels * outputs)
        found += share(partial(add_up, part), part.window.out[0], time)
    dw = sum_of(found)
    by_tap = dw.reshape(groups, *window.kernel, channels, outputs // groups)
    return by_tap.transpose(0, 4, 3, 1, 2).reshape(outputs, channels, *window.kernel).astype(result, copy=False)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] with stride 1, as a correlation with the mirrored window; None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def _as_matrices(w: Array, groups: int) -> Array:
    """w [O, C/groups, kh, kw] as [groups, 1, O/groups, kh * kw * C/groups], its columns in the order of the patches."""
    outputs, channels, kh, kw = w.shape
    by_tap = np.ascontiguousarray(w.transpose(0, 2, 3, 1))
    return by_tap.reshape(groups, 1, outputs // groups, kh * kw * channels)
