"""Many groups: one after another, each with all its rows in the cache.

Groups have nothing to do with one another. So they, and not rows, are what is shared out and what is done in
turn: all rows of some groups are lowered (see `lowering`) into memory that serves for the next groups again,
and multiplied, one product for each row of each group:

    Y[g, p]  = W[g] V[g, p]                  W[g] as [O/groups, K], K = kh * kw * C/groups
    dW[g]^T  = sum over p of V[g, p] dY[g, p]^T

No row is lowered twice, and the extreme, depthwise, with groups of one channel, is a shape like any other:
its products are those of a matrix and a vector, which BLAS computes as fast as it can read. With nine taps
that takes no longer than lowering does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ..blas import blas_multiplies_unpacked
from ..gemm import multiply_in_pieces, multiply_in_tiles
from ..memory_order import Rows, aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..pointwise import all_finite, all_finite_in_rows
from ..sums import sum_over
from ..threads import correlation_time, share
from ..window import Array, Window
from .bands import banded, multiply_banded
from .identities import Interleaved, flipped, interleaved, mirrored, phases
from .lowering import between_margins, lower

# By trial on two cores:
CACHE_BYTES_OF_GROUPS = 4 << 20  # the last cache: with more and shorter calls, threads wait for Python's lock
NARROW = 8  # a product with fewer outputs takes about as long as with so many


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C/groups, kh, kw]."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows, samples, (height, width) = to_rows(x, dtype), len(x), window.out
    channels, outputs = w.shape[1], len(w) // groups
    by_tap = np.ascontiguousarray(w.transpose(0, 2, 3, 1), dtype)
    weights = by_tap.reshape(groups, 1, outputs, -1)
    y = aligned_empty((height, groups, outputs, width, samples), dtype)
    products = y.reshape(height, groups, outputs, -1).swapaxes(0, 1)
    in_bands = outputs == 1 and blas_multiplies_unpacked()

    def work(part: Interleaved, begin: int, end: int) -> None:
        source, target = rows[part.inputs], products[:, part.outputs]
        wide = banded(weights, part.window.stride[0] * by_tap[0, 0].size) if in_bands else None
        for some, values in lowered_groups(source, part.window, groups, begin, end):
            seen = source[:, some.start * channels : some.stop * channels]
            if wide is not None and all_finite_in_rows(seen):
                multiply_banded(wide[some], values, out=target[some])
            else:
                multiply_in_pieces(weights[some], values, out=target[some])

    for part in interleaved(window):
        share(partial(work, part), groups, guessed_time(part.window, samples, outputs, w.size))
    return from_rows(y.reshape(height, -1, width, samples), result)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [O, C/groups, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q]."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    channels, outputs, samples = x.shape[1] // groups, dy.shape[1] // groups, len(x)
    by_group = errors.reshape(len(errors), groups, outputs, -1).swapaxes(0, 1)
    dw = np.zeros((groups, window.taps * channels, outputs), dtype)

    def work(part: Interleaved, begin: int, end: int) -> None:
        source = by_group[:, part.outputs]
        for some, values in lowered_groups(rows[part.inputs], part.window, groups, begin, end):
            products = np.empty((*values.shape[:3], outputs), dtype)
            dw[some] += sum_over(multiply_in_tiles(values, source[some], out=products), (1,))

    for part in interleaved(window):
        share(partial(work, part), groups, guessed_time(part.window, samples, outputs, dw.size))
    by_tap = dw.reshape(groups, *window.kernel, channels, outputs)
    by_output = by_tap.transpose(0, 4, 3, 1, 2).reshape(groups * outputs, channels, *window.kernel)
    return by_output.astype(result, copy=False)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W]: a correlation with stride 1, several with another. None if w is not finite."""
    if not all_finite(w):
        return None
    if window.stride == (1, 1):
        return correlate(dy, flipped(w, groups), mirrored(window), groups)
    dtype, result = compute_type(dy.dtype, w.dtype)
    errors = from_rows(to_rows(dy, dtype), dtype)
    dx = from_rows(np.zeros((window.size[0], groups * w.shape[1], window.size[1], len(dy)), result), result)
    for (rows, columns), taps, smaller in phases(window):
        kernel = flipped(w[:, :, taps[0], taps[1]], groups)
        dx[:, :, rows, columns] = correlate(errors, kernel, smaller, groups)
    return dx


class LoweredGroups(NamedTuple):
    """All patches of some groups, [groups, P, kh * kw * C/groups, Q * N], ready to be multiplied."""

    groups: slice
    values: Array


def lowered_groups(x: Rows, window: Window, groups: int, begin: int, end: int) -> Iterator[LoweredGroups]:
    """Groups [begin, end), as many at a time as stay in the cache.

    `values` holds until the next are asked for.
    """
    (kh, kw), stride, (count, width) = window.kernel, window.stride[0], window.out
    channels, columns, height = x.shape[1] // groups, width * x.shape[3], (count - 1) * stride + kh
    row = kw * channels * columns
    together = max(1, min(end - begin, CACHE_BYTES_OF_GROUPS // (height * row * x.itemsize)))
    lowered = between_margins((together, height, kw, channels, width, x.shape[3]), window, x.dtype)
    shape, steps = (count, kh * kw * channels, columns), (height * row, stride * row, columns, 1)
    for first in range(begin, end, together):
        last = min(first + together, end)
        lower(x[:, first * channels : last * channels], lowered[: last - first], 0, window)
        yield LoweredGroups(slice(first, last), contiguous_view(lowered, 0, (last - first, *shape), steps))


def guessed_time(window: Window, samples: int, outputs: int, weights: int) -> float:
    """A guess of the microseconds all groups take, with so many outputs each and so many weights in all."""
    return correlation_time(window, samples, weights) * max(1.0, NARROW / outputs)
