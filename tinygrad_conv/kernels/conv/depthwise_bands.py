"""Depthwise correlation with several rows at once, where BLAS multiplies small matrices as they lie.

A channel by itself is a matrix of one row times its patches. As a band (see `bands`) it is one of four,

    Y[c, p .. p + 4] = band(w[c]) V[c, p]          V: the patches of four rows, lowered along the width

which takes BLAS no longer than one row does, and a third of what `np.einsum` takes for its sums. But where
the band has a zero, an Inf in the patches makes NaN of a row that never sees it. It would make that of the
first row of the band as well, for a weight or a zero stands there for every number of the patches: so if all
first rows are finite, all numbers were, and if not, the caller takes another way.

Only so many channels are lowered together as stay in the second cache with what is made of them; what they
are lowered to is the same memory every time. So what a call works on is worked out once, and the loop does
nothing but call NumPy: one thread is faster so than two are with `depthwise`. Two would wait for Python's
lock most of the time, which each needs between two of these short calls.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..memory_order import Rows, aligned_empty, compute_type, from_rows, to_rows
from ..pointwise import all_finite, all_finite_in_rows
from ..window import Array, Overlap, Window, overlap
from .bands import ROWS, banded
from .identities import flipped, interleaved, mirrored
from .lowering import between_margins

CACHE_BYTES = 1 << 19  # of lowered channels; by trial on two cores


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, C, P, Q] of x [N, C, H, W] and w [C, 1, kh, kw], stride 1 along the width; None if not finite."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows, (height, width), samples = to_rows(x, dtype), window.out, len(x)
    weights = w.astype(dtype, copy=False).reshape(groups, 1, 1, -1)
    y = aligned_empty((height, groups, width * samples), dtype)

    for part in interleaved(window):
        source, target = rows[part.inputs], y[part.outputs]
        with np.errstate(invalid="ignore"):  # an Inf meets zeros of the band; then this is not the result
            multiply_channels(source, weights, part.window, target)
        if not all_finite_in_rows(target[::ROWS]):
            return None
    return from_rows(y.reshape(height, groups, width, samples), result)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] of dy [N, C, P, Q], stride 1: a correlation, mirrored. None if not finite."""
    if not all_finite(w):
        return None
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def multiply_channels(x: Rows, weights: Array, window: Window, y: Array) -> None:
    """y [P, C, Q * N] of x [H, C, W, N] and weights [C, 1, 1, kh * kw], for one class of rows."""
    lowered = room_for_channels(window, x.shape[3], y.dtype, len(weights))
    copies = copies_by_channel(x, lowered, window)
    products = banded_products(weights, lowered, window.stride[0], y)
    for first in range(0, len(weights), len(lowered)):
        some = slice(first, first + len(lowered))
        there = slice(len(weights) - first)  # the last may be fewer
        for target, source in copies:
            np.copyto(target[there], source[some])
        for bands, patches, out in products:
            np.matmul(bands[some], patches[there], out=out[some])


def channel_bytes(window: Window, samples: int, dtype: np.dtype[Any]) -> int:
    """How much memory a channel takes, lowered."""
    return height_read(window) * window.kernel[1] * window.out[1] * samples * dtype.itemsize


def height_read(window: Window) -> int:
    """How many rows there are from the first that windows read, in the padding or not, to the last."""
    return (window.out[0] - 1) * window.stride[0] + window.kernel[0]


def room_for_channels(window: Window, samples: int, dtype: np.dtype[Any], most: int) -> Array:
    """Room for as many lowered channels as stay in the cache, but not more than asked for, between zeros.

    [channels, rows, kw, Q, N].
    """
    height, kw, width = height_read(window), window.kernel[1], window.out[1]
    together = max(1, min(most, CACHE_BYTES // channel_bytes(window, samples, dtype)))
    lowered = between_margins((together, height, kw, 1, width, samples), window, dtype)[:, :, :, 0]
    place = rows_inside(window, height)
    lowered[:, : place.first] = 0
    lowered[:, place.last :] = 0
    return lowered


def rows_inside(window: Window, height: int) -> Overlap:
    """Which of the rows that windows read, from the first one on, lie in the input, and where."""
    return overlap(window._replace(stride=(1, 1), out=(height, 1)), 0, 0)


class Copy(NamedTuple):
    """What lowering a tap column takes: where it goes, [channels, rows, columns, N], and from where."""

    target: Array
    source: Array  # of all channels


def copies_by_channel(x: Rows, lowered: Array, window: Window) -> list[Copy]:
    """How `lowered` is filled from x [H, C, W, N], one copy for each tap column."""
    rows = rows_inside(window, lowered.shape[1])
    copies = []
    for j in range(window.kernel[1]):
        columns = overlap(window, 1, j)
        source = x[rows.inputs, :, columns.inputs].swapaxes(0, 1)
        copies.append(Copy(lowered[:, rows.windows, j, columns.windows], source))
    return copies


class BandedProduct(NamedTuple):
    """Some bands of rows of y, all alike: out = bands @ patches, for each channel."""

    bands: Array  # [C, 1, rows, K], of all channels
    patches: Array  # [channels, bands, K, Q * N], of as many as are lowered together
    out: Array  # [C, bands, rows, Q * N]


def banded_products(weights: Array, lowered: Array, stride: int, y: Array) -> list[BandedProduct]:
    """All of y [P, C, Q * N] by products of weights [C, 1, 1, K] and `lowered`.

    Several bands of ROWS rows, and a lower one if rows are left over.
    """
    count, step = len(y), stride * lowered.shape[2]
    bands = banded(weights, step)
    whole, rest = divmod(count, ROWS)
    products = [banded_product(bands, lowered, step, y[: count - rest], ROWS)] if whole else []
    if rest:
        bands = bands[:, :, :rest, : bands.shape[3] - (ROWS - rest) * step]
        products.append(banded_product(bands, lowered[:, whole * ROWS * stride :], step, y[-rest:], rest))
    return products


def banded_product(bands: Array, lowered: Array, step: int, y: Array, together: int) -> BandedProduct:
    """y [P, C, Q * N] by bands of so many rows; each begins `step` rows of patches after the one before."""
    blocks, (channels, columns) = len(y) // together, y.shape[1:]
    channel, _, row, *_, item = lowered.strides
    shape = len(lowered), blocks, bands.shape[3], columns
    steps = channel, together * step * row, row, item
    patches = as_strided(lowered, shape, steps, writeable=False)
    out = y.reshape(blocks, together, channels, columns).transpose(2, 0, 1, 3)
    return BandedProduct(bands, patches, out)
