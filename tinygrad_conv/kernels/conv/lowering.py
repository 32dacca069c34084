"""Lowering along the width only: the half of im2col that is worth its memory.

MEC (Cho & Brand, "MEC: Memory-efficient Convolution for Deep Neural Network", 2017). Each row of the picture
is written kw times side by side, shifted by one tap each time,

    lowered[h, j, c, q, n] = x[n, c, h - top, q * stride + j * dilation - left]

and with the memory order [rows, kw, C, Q, N] the patches of output row p are simply the kh rows from p *
stride on: a window of kh * kw * C numbers in a row, one single axis of one matrix product. The windows of
neighbouring rows overlap in memory, so nothing is copied kh times: a strided view does it.

The rows are lowered in groups of one or two megabytes, which are still in the cache when the matrix product
reads it.

The weight gradient needs even less. Its products have a tap's columns in their result, so each tap column may
have a product of its own, and with stride 1 the columns it reads are those of the next one shifted by N:
`shifted_patches` are views of rows that are not lowered at all, only padded where there is padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..memory_order import Rows, aligned_empty, contiguous_view
from ..window import Array, Window, overlap

CACHE_BYTES = 2 << 20  # of lowered rows that a product reads; one or two megabytes, by trial on two cores
EACH = slice(None)


class Patches(NamedTuple):
    """Patches of some output rows, ready to be multiplied: [groups, rows, kh * kw * C/groups, Q * N]."""

    rows: slice
    values: Array


def patches(x: Rows, window: Window, groups: int, begin: int, end: int) -> Iterator[Patches]:
    """The patches of output rows [begin, end), some rows at a time.

    `values` holds until the next are asked for.
    """
    (kh, kw), columns, stride = window.kernel, window.out[1], window.stride[0]
    _, channels, _, samples = x.shape
    row = kw * (channels // groups) * columns * samples
    together = rows_together(end - begin, kh, stride, groups * row * x.itemsize)
    height = (together - 1) * stride + kh
    if _is_lowered(x, window, groups):
        steps = (len(x) * row, stride * row, columns * samples, 1)
        shape = (groups, end - begin, kh * channels, columns * samples)
        yield Patches(slice(begin, end), contiguous_view(x, begin * stride * row, shape, steps))
        return
    lowered = aligned_empty((groups, height, kw, channels // groups, columns, samples), x.dtype)
    done = 0  # how many rows at the front of `lowered` are there already
    for first in range(begin, end, together):
        rows = min(together, end - first)
        needed = (rows - 1) * stride + kh
        lower(x, lowered[:, done:needed], first * stride + done, window)
        if first == begin:  # only now: another thread can begin while the first copies are made
            clear_margins(lowered, window)
        steps = (height * row, stride * row, columns * samples, 1)
        shape = (groups, rows, kh * kw * (channels // groups), columns * samples)
        yield Patches(slice(first, first + rows), contiguous_view(lowered, 0, shape, steps))
        done = max(0, kh - stride)
        if done and first + rows < end:
            lowered[:, :done] = lowered[:, needed - done : needed]


def shifted_patches(x: Rows, window: Window, groups: int, begin: int, end: int) -> Iterator[Patches]:
    """The same for a stride of 1 along the width, tap columns apart.

    Of each the values are [groups, rows, kw, kh * C/groups, Q * N].
    """
    (kh, kw), dilation, (count, columns), samples = window.kernel, window.dilation[1], window.out, x.shape[3]
    a_tap_wide = window._replace(kernel=(kh, 1), out=(count, columns + dilation * (kw - 1)))
    for rows, values in patches(x, a_tap_wide, groups, begin, end):
        *steps, item = values.strides
        shape = (*values.shape[:2], kw, values.shape[2], columns * samples)
        shift = dilation * samples * item
        yield Patches(rows, as_strided(values, shape, (*steps[:2], shift, steps[2], item), writeable=False))


def _is_lowered(x: Rows, window: Window, groups: int) -> bool:
    """Whether x is its own lowering: one tap wide, every column used, no padding. So 1x1 copies nothing."""
    same_columns = window.kernel[1] == window.stride[1] == 1 and window.padding[1][0] == 0
    same_columns = same_columns and window.out[1] == window.size[1]
    same_rows = window.padding[0][0] == 0 and window.reach(0) <= window.size[0]
    return groups == 1 and same_columns and same_rows and x.flags.c_contiguous


def rows_together(count: int, kh: int, stride: int, row_bytes: int) -> int:
    """How many output rows to do at once so that the rows they read stay in the cache."""
    fitting = (CACHE_BYTES // max(row_bytes, 1) - kh) // stride + 1
    return min(count, max(fitting, 1))


def between_margins(shape: tuple[int, ...], window: Window, dtype: np.dtype[Any]) -> Array:
    """Memory to lower to, [groups, rows, kw, C/groups, Q, N], its margins left and right zero.

    They alone are cleared: np.zeros keeps other threads waiting as long as it writes.
    """
    lowered = aligned_empty(shape, dtype)
    clear_margins(lowered, window)
    return lowered


def clear_margins(lowered: Array, window: Window) -> None:
    """Write zeros where `lowered` [groups, rows, kw, C/groups, Q, N] lies left or right of the input."""
    by_row = lowered.transpose(1, 2, 0, 3, 4, 5)
    for place in margins(window):
        by_row[place] = 0


def lower(x: Rows, lowered: Array, first: int, window: Window) -> None:
    """Fill `lowered` [groups, rows, kw, C/groups, Q, N] with the rows from `first` on of the padded input.

    Its margins left and right are zero from the beginning and stay so.
    """
    groups, rows, _, channels = lowered.shape[:4]
    by_group = x.reshape(len(x), groups, channels, *x.shape[2:])
    lowering_of(window, first, rows).fill(lowered.transpose(1, 2, 0, 3, 4, 5), by_group)


class Lowering(NamedTuple):
    """What is written to lowered rows [rows, kw, ..., Q, N], by indices that follow from the shapes alone."""

    zeros: tuple[Any, ...]
    copies: tuple[tuple[Any, Any], ...]  # to them, and from rows [H, ..., W, N]

    def fill(self, lowered: Array, x: Rows) -> None:
        """Write it: first what takes long, in the meantime another thread can begin."""
        for target, source in self.copies:
            lowered[target] = x[source]
        for place in self.zeros:
            lowered[place] = 0


@lru_cache(maxsize=512)
def lowering_of(window: Window, first: int, rows: int) -> Lowering:
    """That of the rows from `first` on of the padded input, but for its margins."""
    top, height = window.padding[0][0], window.size[0]
    start, stop = (min(max(row - top, 0), height) for row in (first, first + rows))
    above = min(max(top - first, 0), rows)
    below = above + stop - start
    zeros = [(place,) for place in (slice(0, above), slice(below, rows)) if place.start < place.stop]
    columns = [overlap(window, 1, j) for j in range(window.kernel[1])]
    copies = [
        ((slice(above, below), j, ..., each.windows, EACH), (slice(start, stop), ..., each.inputs, EACH))
        for j, each in enumerate(columns)
        if each.first < each.last and above < below
    ]
    return Lowering(tuple(zeros), tuple(copies))


@lru_cache(maxsize=512)
def margins(window: Window) -> tuple[Any, ...]:
    """Where lowered rows [rows, kw, ..., Q, N] lie left or right of the input."""
    places = []
    for j in range(window.kernel[1]):
        columns = overlap(window, 1, j)
        sides = slice(0, columns.first), slice(columns.last, window.out[1])
        places += [(EACH, j, ..., side, EACH) for side in sides if side.start < side.stop]
    return tuple(places)
