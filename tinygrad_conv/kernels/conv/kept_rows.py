"""Lowered rows that are kept: their memory for the next call, their numbers for the weight gradient.

What `lowering` says, in as few calls of NumPy as can be. x is put amid zeros, which are written once for all
calls, and then all its tap columns are one copy of one view. Where nothing is padded the view is that of x.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..memory_order import Rows, aligned_empty, contiguous_view, crowds_the_cache, to_rows
from ..window import Array, Window
from .lowering import CACHE_BYTES, EACH
from .plans import axis_of


class KeptRows:
    """The lowered rows of x [N, C, H, W], and their patches [1, P, kh * kw * C, Q * N], a view of them."""

    def __init__(self, x: Array, window: Window, known: bool) -> None:
        """x: such as all that come; known: mostly this very array."""
        samples, channels = x.shape[:2]
        (kh, kw), (count, width), stride = window.kernel, window.out, window.stride[0]
        rows, columns = (
            axis_of(window.size[axis], 1, window.padding[axis][0], window.reach(axis)) for axis in (0, 1)
        )
        self.window, self.source = window, (rows.source, EACH, columns.source)
        self.is_amid_zeros = not (rows.is_filled and columns.is_filled)
        padded = np.zeros((rows.length, channels, columns.length, samples), x.dtype)
        self.inside = padded[rows.target, :, columns.target]
        self.seen = tap_columns(padded, window)
        self.lowered = aligned_empty((rows.length, kw, channels, width, samples), x.dtype)
        row, run = kw * channels * width * samples, width * samples
        shape = 1, count, kh * kw * channels, run
        self.patches = contiguous_view(self.lowered, 0, shape, (0, stride * row, run, 1))
        self.known = x if known else None
        self.copies_of_known = self.copies(x) if known else ()

    def fill(self, x: Array) -> Array:
        """The patches of x."""
        for target, source in self.copies_of_known if x is self.known else self.copies(x):
            target[...] = source
        return self.patches

    def copies(self, x: Array) -> tuple[tuple[Array, Array], ...]:
        """What is copied, into and from: once, if x needs no zeros and lies as it should."""
        rows = to_rows(x, x.dtype) if crowds_the_cache(x) else x.transpose(2, 1, 3, 0)
        source = rows[self.source]
        if self.is_amid_zeros or source.strides[3] != source.itemsize:
            return (self.inside, source), (self.lowered, self.seen)
        return ((self.lowered, tap_columns(source, self.window)),)


def tap_columns(rows: Rows, window: Window) -> Array:
    """A view of padded rows [rows, C, width, N] as each tap column sees them: [rows, kw, C, Q, N]."""
    height, channels, _, samples = rows.shape
    row, channel, column, sample = rows.strides
    shape = height, window.kernel[1], channels, window.out[1], samples
    steps = row, window.dilation[1] * column, channel, window.stride[1] * column, sample
    return as_strided(rows, shape, steps, writeable=False)


def may_be_kept(x: Array, window: Window) -> bool:
    """Whether all lowered rows stay in the cache. Of a single tap x is its own lowering."""
    row = window.kernel[1] * x.shape[1] * window.out[1] * len(x) * x.itemsize
    return window.taps > 1 and window.dilation[0] == 1 and window.reach(0) * row <= CACHE_BYTES
