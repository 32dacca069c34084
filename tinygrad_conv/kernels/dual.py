"""The input gradient, MEC turned round: nothing is lowered, the product's rows are shifted and added instead.

Input row h of the padded picture, h = phase + stride * u, is read by the taps i = phase, phase + stride, ... of the
output rows u, u - 1, ...; these rows of dY lie one after another in memory, so they and their channels merge into one
axis K = (i, O) of one matrix product:

    Z[h] = W[phase]^T dY[u - taps + 1 .. u]        [kw * C, Q*N]

Row (j, c) of Z belongs to column q * stride + j * dilation - left of dX, so kw shifted additions finish the row.
Where fewer output rows exist than taps (at the upper and lower border) the product is shorter: dY is never padded, so
an infinite weight never meets a zero that is not in the formula, and places no window touched are exactly 0.

The same rows of dY, met by rows of X that are lowered, give the weight gradient with its taps shared out between the
two sides of the product; and by `mirror` the input gradient gives a correlation. Both suit large kernels.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from .dilation import interleaved
from .layout import (
    Array,
    Rows,
    all_finite,
    compute_type,
    contiguous_view,
    from_rows,
    giving_up_quietly,
    sum_of,
    to_rows,
)
from .lowering import CACHE_BYTES, lower_rows
from .mirror import flipped, mirrored
from .threads import product_time, share
from .window import Overlap, Window, overlap


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C/groups, kh, kw]."""
    dtype, result = compute_type(dy.dtype, w.dtype)
    errors, w = to_rows(dy, dtype), w.astype(dtype, copy=False)
    channels, samples = w.shape[1], len(dy)
    parts = interleaved(window)
    covered = sum(part.window.size[0] for part in parts) == window.size[0]
    dx = (np.empty if covered else np.zeros)((window.size[0], groups, channels, window.size[1], samples), dtype)
    for part in parts:
        source, target = _by_group(errors[part.outputs], groups), dx[part.inputs].swapaxes(0, 1)
        weights = [_phase_matrix(w, phase, part.window.stride[0], groups) for phase in range(part.window.stride[0])]
        work = partial(_input_grad, source, weights, part.window, target)
        share(work, part.window.size[0], product_time(part.window, samples, w.size))
    return from_rows(dx.reshape(window.size[0], groups * channels, window.size[1], samples), result)


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, O, P, Q] with stride 1, as the input gradient of the mirrored window; None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate_input_grad(x, flipped(w, groups), mirrored(window), groups)


@giving_up_quietly
def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array | None:
    """dw [O, C/groups, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q], or None if dw is not finite.

    For each row of X, the rows of dY that read it, [(i, O), Q*N], times the row lowered along the width, [(j, C), Q*N].
    """
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    outputs, channels = dy.shape[1] // groups, x.shape[1] // groups
    found: list[Array] = []
    for part in interleaved(window):
        source = _by_group(errors[part.outputs], groups)
        work = partial(_weight_grad, rows[part.inputs], source, part.window)
        time = product_time(part.window, len(x), window.taps * channels * dy.shape[1])
        found += share(work, part.window.size[0], time)
    dw = sum_of(found)
    if not all_finite(dw):
        return None
    by_tap = dw.reshape(groups, window.kernel[0], outputs, window.kernel[1], channels)
    return by_tap.transpose(0, 2, 4, 1, 3).reshape(dy.shape[1], channels, *window.kernel).astype(result, copy=False)


def _weight_grad(x: Rows, dy: Array, window: Window, begin: int, end: int) -> Array:
    """What rows [begin, end) of x contribute: [groups, kh, O/groups, kw * C/groups]."""
    groups, height, outputs, width, samples = dy.shape
    channels, (kh, kw), row = x.shape[1] // groups, window.kernel, outputs * width * samples
    total = np.zeros((groups, kh, outputs, kw * channels), x.dtype)
    together = max(1, CACHE_BYTES // max(1, groups * kw * channels * width * samples * x.itemsize))
    lowered = np.zeros((groups, min(together, end - begin), kw, channels, width, samples), x.dtype)
    for run in _row_runs(window, begin, end):
        for first in range(0, run.rows if run.taps else 0, together):
            count = min(together, run.rows - first)
            lower_rows(x[run.inputs][first : first + count], lowered[:, :count], window)
            shape = (groups, count, run.taps * outputs, width * samples)
            errors = contiguous_view(dy, (run.first + first) * row, shape, (height * row, row, width * samples, 1))
            values = lowered[:, :count].reshape(groups, count, kw * channels, width * samples)
            products = np.matmul(errors, values.swapaxes(2, 3)).sum(axis=1)
            total[:, run.kernel_rows] += products.reshape(groups, run.taps, outputs, kw * channels)
    return total


def _input_grad(dy: Array, weights: list[Array], window: Window, dx: Array, begin: int, end: int) -> None:
    """Fill rows [begin, end) of dx [groups, H, C/groups, W, N] from contiguous dy [groups, P, O/groups, Q, N]."""
    groups, height, outputs, width, samples = dy.shape
    channels, (_, kw), row = dx.shape[2], window.kernel, outputs * width * samples
    together = max(1, CACHE_BYTES // max(1, groups * kw * channels * width * samples * dy.itemsize))
    for run in _row_runs(window, begin, end):
        if run.taps == 0:
            dx[:, run.inputs] = 0
            continue
        weight = weights[run.phase][..., run.skipped * outputs : (run.skipped + run.taps) * outputs]
        for first in range(0, run.rows, together):
            count = min(together, run.rows - first)
            shape = (groups, count, run.taps * outputs, width * samples)
            errors = contiguous_view(dy, (run.first + first) * row, shape, (height * row, row, width * samples, 1))
            products = np.matmul(weight, errors).reshape(groups, count, kw, channels, width, samples)
            _add_columns(products, dx[:, run.inputs][:, first : first + count], window)


class RowRun(NamedTuple):
    """Neighbouring rows of dX, of one phase, that are made of equally many taps."""

    phase: int
    inputs: slice  # the rows of dX
    rows: int  # how many they are
    taps: int  # how many rows of dY each of them needs
    first: int  # the first row of dY that the first of them needs
    skipped: int  # how many rows of dY the phase's last taps would need that lie above its first row
    kernel_rows: slice  # the rows of W that meet these rows of dY, in their order: the last one first


@lru_cache(maxsize=1024)
def _row_runs(window: Window, begin: int, end: int) -> tuple[RowRun, ...]:
    """Rows [begin, end) of dX, in runs."""
    runs: list[RowRun] = []
    for phase in range(window.stride[0]):
        runs += _runs_of_phase(window, phase, begin, end)
    return tuple(runs)


def _runs_of_phase(window: Window, phase: int, begin: int, stop: int) -> list[RowRun]:
    """The rows h of dX with (h + top) mod stride = phase. Row u of the phase needs rows u - taps + 1 .. u of dY."""
    stride, top, count = window.stride[0], window.padding[0][0], window.out[0]
    all_taps = len(range(phase, window.kernel[0], stride))
    u, last_u = -((phase - top - begin) // stride), -((phase - top - stop) // stride)
    runs: list[RowRun] = []
    while u < last_u:
        first, last = max(u - all_taps + 1, 0), min(u, count - 1)
        taps = max(0, last - first + 1)
        alike = 1
        if taps == all_taps:
            alike = min(last_u, count) - u  # the interior, in one run
        elif taps == 0:
            alike = (min(last_u, 0) if u < 0 else last_u) - u
        row = phase - top + stride * u
        inputs = slice(row, row + stride * (alike - 1) + 1, stride)
        skipped = max(0, first - (u - all_taps + 1))
        lowest = phase + stride * (all_taps - skipped - taps)  # the first row of W among the taps
        end = lowest - stride if lowest >= stride else None
        kernel_rows = slice(lowest + stride * (taps - 1), end, -stride)
        runs.append(RowRun(phase, inputs, alike, taps, first, skipped, kernel_rows))
        u += alike
    return runs


class ColumnStep(NamedTuple):
    """What tap column j adds, and whether it is the first to write there."""

    tap: int
    place: Overlap
    fresh: bool


@lru_cache(maxsize=1024)
def _column_steps(window: Window) -> tuple[tuple[ColumnStep, ...], tuple[slice, ...]]:
    """The order in which tap columns are added, and the columns that must be cleared since no fresh one writes them.

    Columns of one residue modulo the stride meet the same taps; the first of these taps may write instead of adding.
    """
    width, stride = window.size[1], window.stride[1]
    places = [overlap(window, 1, j) for j in range(window.kernel[1])]
    steps: list[ColumnStep] = []
    cleared: list[slice] = []
    for residue in range(min(stride, width)):
        taps = [j for j, at in enumerate(places) if at.last > at.first and at.start % stride == residue]
        if not taps:
            cleared.append(slice(residue, width, stride))
            continue
        start, stop = places[taps[0]].start, places[taps[0]].stop
        cleared += [slice(residue, start, stride), slice(stop - 1 + stride, width, stride)]
        steps += [ColumnStep(j, places[j], fresh=j == taps[0]) for j in taps]
    return tuple(steps), tuple(part for part in cleared if part.start < min(part.stop, width))


def _add_columns(products: Array, dx: Array, window: Window) -> None:
    """Add Z [groups, rows, kw, C/groups, Q, N] to its columns of dx [groups, rows, C/groups, W, N]."""
    steps, cleared = _column_steps(window)
    for columns in cleared:
        dx[:, :, :, columns] = 0
    for j, place, fresh in steps:
        source, target = products[:, :, j, :, place.windows], dx[:, :, :, place.inputs]
        if fresh:
            target[...] = source
        else:
            np.add(target, source, out=target)


def _phase_matrix(w: Array, phase: int, stride: int, groups: int) -> Array:
    """The taps of one phase as [groups, 1, kw * C/groups, taps * O/groups], the last one first, as rows of dY come."""
    outputs, channels, _, kw = w.shape
    taps = w[:, :, phase::stride][:, :, ::-1].reshape(groups, outputs // groups, channels, -1, kw)
    return np.ascontiguousarray(taps.transpose(0, 4, 2, 3, 1)).reshape(groups, 1, kw * channels, -1)


def _by_group(rows: Array, groups: int) -> Array:
    """[P, O, Q, N] as contiguous [groups, P, O/groups, Q, N]; no copy is made if there is one group."""
    height, outputs, width, samples = rows.shape
    by_group = rows.reshape(height, groups, outputs // groups, width, samples).swapaxes(0, 1)
    return np.ascontiguousarray(by_group)
