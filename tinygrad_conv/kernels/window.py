"""The geometry of a sliding window: everything the kernels need to know apart from the numbers themselves.

Output (i, j) of a window and its tap (a, b) meet the input at

    row    i * stride_h + a * dilation_h - top
    column j * stride_w + b * dilation_w - left

and a row or column outside the input lies in the padding. Nothing else is ever computed about positions, so
whoever understands these two lines understands every index in this folder. Rows and columns behave alike;
`axis` is 0 for rows and 1 for columns.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]  # [N, C, H, W] in any memory order
Pair: TypeAlias = tuple[int, int]


class Window(NamedTuple):
    """A geometry, made by `make_window`; hashable, so that what depends on shapes alone is computed once."""

    size: Pair  # (H, W) of the input
    kernel: Pair  # (kh, kw)
    stride: Pair
    padding: tuple[Pair, Pair]  # ((top, bottom), (left, right))
    dilation: Pair
    out: Pair  # (P, Q), the number of windows along each axis

    @property
    def taps(self) -> int:
        """How many taps a window has; tap (a, b) has the number a * kw + b."""
        return self.kernel[0] * self.kernel[1]

    @property
    def tap_dtype(self) -> np.dtype[Any]:
        """The smallest unsigned integer that can number the taps."""
        return np.min_scalar_type(max(self.taps - 1, 0))

    def reach(self, axis: int) -> int:
        """How much of the padded input the windows span; no window touches the remainder beyond it."""
        if self.out[axis] == 0:
            return 0
        return (self.out[axis] - 1) * self.stride[axis] + (self.kernel[axis] - 1) * self.dilation[axis] + 1


class Overlap(NamedTuple):
    """Where a tap falls inside the input: windows [first, last) read input [start, stop) in steps."""

    first: int
    last: int
    start: int
    stop: int
    step: int

    @property
    def windows(self) -> slice:
        """As an index into an output axis."""
        return slice(self.first, self.last)

    @property
    def inputs(self) -> slice:
        """As an index into an input axis; it selects as many elements as `windows` does."""
        return slice(self.start, self.stop, self.step)

    @property
    def slices(self) -> tuple[slice, slice]:
        """`windows` and `inputs` together."""
        return self.windows, self.inputs


@lru_cache(maxsize=512)
def make_window(
    size: Pair,
    kernel: Pair,
    stride: Pair = (1, 1),
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    out: Pair | None = None,
) -> Window:
    """The window of these integers, which the caller has checked.

    `out` defaults to P = (H + top + bottom - dilation * (kh - 1) - 1) // stride + 1, and never less than 0. A
    caller may give another number of windows (pooling with ceil_mode): what they read beyond the input counts
    as padding.
    """
    if out is None:
        spans = [size[axis] + sum(padding[axis]) - dilation[axis] * (kernel[axis] - 1) - 1 for axis in (0, 1)]
        out = (max(0, spans[0] // stride[0] + 1), max(0, spans[1] // stride[1] + 1))
    return Window(size, kernel, stride, padding, dilation, out)


@lru_cache(maxsize=2048)
def overlap(window: Window, axis: int, tap: int) -> Overlap:
    """Which windows meet the input with their `tap`-th row (axis 0) or column (axis 1), and where."""
    stride = window.stride[axis]
    offset = tap * window.dilation[axis] - window.padding[axis][0]
    first = max(0, -(offset // stride))  # the first window with first * stride + offset >= 0, rounded up
    last = min(window.out[axis], (window.size[axis] - 1 - offset) // stride + 1)
    if last <= first:
        return Overlap(0, 0, 0, 0, stride)
    start = first * stride + offset
    return Overlap(first, last, start, start + (last - first - 1) * stride + 1, stride)


@lru_cache(maxsize=128)
def overlaps(window: Window, axis: int) -> list[tuple[slice, slice]]:
    """For all rows (axis 0) or columns (1) of the kernel which windows meet the input with it, and where."""
    return [overlap(window, axis, tap).slices for tap in range(window.kernel[axis])]
