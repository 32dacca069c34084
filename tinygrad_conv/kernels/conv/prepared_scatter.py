"""`scatter_add` for many calls on arrays of the same shapes, with stride 1.

The rows of dX at the upper and at the lower border that need equally many rows of dY are products of one
shape, so one call of NumPy makes both; another makes all that lie between; and a third adds up the columns of
all rows at once. Two threads share the products alone (see `prepared_mec`). Memory for the products stands
ready, with zeros in the gaps between their rows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..gemm import multiply_in_pieces
from ..memory_order import Rows, aligned_empty, from_rows, to_rows
from ..threads import correlation_time, share
from ..window import Array, Window
from .lowering import CACHE_BYTES
from .prepared_mec import is_computed_in, rows_in
from .scatter_add import RowRun, row_runs, workspace_of


class Products(NamedTuple):
    """Rows of Z that one call makes: every `step`-th from `first` on, each of so many rows of dY."""

    rows: int
    taps: int
    first: int
    step: int
    above: int  # the first row of dY that the first of them needs; the next ones begin `down` rows later
    down: int
    skipped: int  # taps of the first of them, of the weights; the next ones skip `fewer` of them less
    fewer: int


def for_dx(
    dy: Array, w: Array, shared: dict[Any, Any], out: Array | None, window: Window, groups: int
) -> Callable[[Array, Array], Array] | None:
    """dx of dy and w; None: these are not served."""
    (samples, outputs), (channels, kh, kw) = dy.shape[:2], w.shape[1:]
    shape = window.size[0], channels, window.size[1], samples
    if groups > 1 or not may_be_prepared(window, channels, dy) or dy.dtype != w.dtype:
        return None
    workspace = workspace_of(1, shape[0], channels, window, samples, dy.dtype)
    if workspace.shifted is None:
        return None
    for gap in workspace.gaps:
        gap[...] = 0
    place, dtype = rows_in(out, shape), dy.dtype
    if place is None:
        shared["declined"].add(id(out))
    products, sums = workspace.products[0], workspace.shifted[0]
    matrix = np.empty((kw * channels, kh * outputs), dtype)
    taps, time = matrix.reshape(kw, channels, kh, outputs), correlation_time(window, samples, w.size)
    calls = products_of(window)
    weights = [weights_of(matrix, call, outputs) for call in calls]
    places = [products[call.first :: call.step][: call.rows] for call in calls]

    def run(dy: Array, w: Array) -> Array:
        errors, dx = to_rows(dy, dtype), aligned_empty(shape, dtype) if place is None else place
        taps[...] = w[:, :, ::-1].transpose(3, 1, 2, 0)

        def work(begin: int, end: int) -> None:
            done = 0
            for call, weight, target in zip(calls, weights, places):
                some = slice(max(begin - done, 0), max(min(end - done, call.rows), 0))
                if some.start < some.stop:
                    values = errors_of(errors, call)[some]
                    multiply_in_pieces(weight[some] if call.fewer else weight, values, out=target[some])
                done += call.rows

        with np.errstate(over="ignore", invalid="ignore"):  # some columns of Z lie outside of dX
            share(work, shape[0], time)
        np.add.reduce(sums, axis=1, out=dx)
        return from_rows(dx, dtype) if place is None else cast(Array, out)

    return run


def may_be_prepared(window: Window, channels: int, dy: Array) -> bool:
    """Whether all products stay in the cache, and every row of dX gets one."""
    row = window.kernel[1] * channels * window.size[1] * len(dy) * dy.itemsize
    small = window.size[0] * row <= CACHE_BYTES and is_computed_in(dy.dtype)
    plain = window.stride == (1, 1) and window.dilation[0] == 1
    return small and plain and all(run.taps for run in row_runs(window, 0, window.size[0]))


def products_of(window: Window) -> list[Products]:
    """The calls for all rows of dX, those with few taps first."""
    runs = sorted(row_runs(window, 0, window.size[0]), key=lambda run: (run.taps, run.rows))
    calls: list[Products] = []
    for _, alike in groupby(runs, key=lambda run: (run.taps, run.rows)):
        same = list(alike)
        pairs = len(same) == 2 and same[0].rows == 1
        calls += [pair(*same)] if pairs else [interior(run) for run in same]
    return calls


def interior(run: RowRun) -> Products:
    """Neighbouring rows."""
    return Products(run.rows, run.taps, run.inputs.start, 1, run.first, 1, run.skipped, 0)


def pair(upper: RowRun, lower: RowRun) -> Products:
    """Two rows, one at each border."""
    first, step = upper.inputs.start, lower.inputs.start - upper.inputs.start
    fewer = upper.skipped - lower.skipped
    return Products(2, upper.taps, first, step, upper.first, lower.first - upper.first, upper.skipped, fewer)


def weights_of(matrix: Array, call: Products, outputs: int) -> Array:
    """The weights of each row of a call, or of all: [2 or 1, kw * C, taps * O], of [kw * C, kh * O]."""
    count, item = (2 if call.fewer else 1), matrix.itemsize
    shape = count, len(matrix), call.taps * outputs
    steps = (-call.fewer * outputs * item, *matrix.strides)
    return as_strided(matrix[:, call.skipped * outputs :], shape, steps, writeable=False)


def errors_of(errors: Rows, call: Products) -> Array:
    """The rows of dY [P, O, Q, N] that each row of a call needs, of all outputs: [rows, taps * O, Q * N]."""
    _, outputs, width, samples = errors.shape
    row = outputs * width * samples
    shape = call.rows, call.taps * outputs, width * samples
    steps = (step * errors.itemsize for step in (call.down * row, width * samples, 1))
    return as_strided(errors[call.above :], shape, tuple(steps), writeable=False)
