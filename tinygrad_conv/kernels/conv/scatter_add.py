"""The input gradient as scatter-add: each row of a product is added to where its windows read.

This is col2im, the adjoint of im2col, along the width only: MEC (see `lowering`) turned round. Nothing is
lowered; the product's rows are shifted and added instead.

Input row h of the padded picture, h = phase + stride * u, is read by the taps i = phase, phase + stride, ...
of the output rows u, u - 1, ...; these rows of dY lie one after another in memory, so they and their channels
merge into one axis K = (i, O) of one matrix product:

    Z[h] = W[phase]^T dY[u - taps + 1 .. u]        [kw * C, Q*N]

Row (j, c) of Z belongs to column q * stride + j * dilation - left of dX, so kw shifted additions finish the
row. With stride 1 they are one sum over j of a view in which each j begins one column later; zeros between
the rows of Z fill the gaps. Where fewer output rows exist than taps (at the upper and lower border) the
product is shorter: dY is never padded, so an infinite weight never meets a zero that is not in the formula,
and places no window touched are exactly 0.

Mirrored (see `identities`) the input gradient gives a correlation, too, which suits large kernels.
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..gemm import multiply_in_pieces
from ..memory_order import aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..pointwise import all_finite
from ..threads import Work, correlation_time, share_in_turn
from ..window import Array, Overlap, Window, overlap
from .identities import Interleaved, flipped, interleaved, mirrored
from .lowering import CACHE_BYTES


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C/groups, kh, kw]."""
    dtype, result = compute_type(dy.dtype, w.dtype)
    errors, w = to_rows(dy, dtype), w.astype(dtype, copy=False)
    channels, samples = w.shape[1], len(dy)
    parts = interleaved(window)
    covered = sum(part.window.size[0] for part in parts) == window.size[0]
    shape = (window.size[0], groups, channels, window.size[1], samples)
    dx = aligned_empty(shape, dtype) if covered else np.zeros(shape, dtype)
    stride = parts[0].window.stride[0]
    weights = [_phase_matrix(w, phase, stride, groups) for phase in range(stride)]

    def work(part: Interleaved, begin: int, end: int) -> None:
        needed = _rows_needed(part.window, begin, end)
        source = _rows_by_group(errors[part.outputs][needed], groups)
        _input_grad(source, needed.start, weights, part.window, dx[part.inputs].swapaxes(0, 1), begin, end)

    share_in_turn(
        [
            Work(partial(work, part), part.window.size[0], correlation_time(part.window, samples, w.size))
            for part in parts
        ]
    )
    return from_rows(dx.reshape(window.size[0], groups * channels, window.size[1], samples), result)


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, O, P, Q] with stride 1, as the input gradient of the mirrored window; None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate_input_grad(x, flipped(w, groups), mirrored(window), groups)


def _input_grad(
    dy: Array, above: int, weights: list[Array], window: Window, dx: Array, begin: int, end: int
) -> None:
    """Fill rows [begin, end) of dx [groups, H, C/groups, W, N] from dy [groups, rows, O/groups, Q, N].

    These are the rows that are needed; so many lie above them.
    """
    groups, height, outputs, width, samples = dy.shape
    channels, (_, kw), row = dx.shape[2], window.kernel, outputs * width * samples
    together = max(1, CACHE_BYTES // max(1, groups * kw * channels * width * samples * dy.itemsize))
    workspace = workspace_of(groups, max(1, min(together, end - begin)), channels, window, samples, dy.dtype)
    gaps = workspace.gaps
    for run in row_runs(window, begin, end):
        if run.taps == 0:
            dx[:, run.inputs] = 0
            continue
        weight = weights[run.phase][..., run.skipped * outputs : (run.skipped + run.taps) * outputs]
        for first in range(0, run.rows, together):
            count = min(together, run.rows - first)
            shape = (groups, count, run.taps * outputs, width * samples)
            steps = (height * row, row, width * samples, 1)
            errors = contiguous_view(dy, (run.first - above + first) * row, shape, steps)
            with np.errstate(over="ignore", invalid="ignore"):  # some columns of Z lie outside of dX
                multiply_in_pieces(weight, errors, out=workspace.products[:, :count])
            for gap in gaps:
                gap[...] = 0
            gaps = ()
            _add_columns(workspace, count, dx[:, run.inputs][:, first : first + count], window)


class Workspace(NamedTuple):
    """Memory for Z, and two ways to see it.

    The gaps between its rows are to be cleared, after the first product: another thread can begin meanwhile.
    """

    products: Array  # [groups, rows, kw * C/groups, Q * N], to be written to
    shifted: Array | None  # [groups, rows, kw, C/groups, W, N], each tap column moved to where it belongs
    gaps: tuple[Array, ...] = ()


def workspace_of(
    groups: int, rows: int, channels: int, window: Window, samples: int, dtype: np.dtype[Any]
) -> Workspace:
    """Room for Z, with gaps between its rows if these can be added up as they are shifted.

    That is with stride 1, and if they fill dX.
    """
    kw, columns, step = window.kernel[1], window.out[1] * samples, window.dilation[1] * samples
    left, margin = window.padding[1][0] * samples, (kw - 1) * step
    length, width = columns + margin, window.size[1]
    if window.stride[1] > 1 or left < 0 or left + width * samples > length:
        return Workspace(aligned_empty((groups, rows, kw * channels, columns), dtype), None)
    memory = aligned_empty((margin + groups * rows * kw * channels * length,), dtype)
    lines = memory[margin:].reshape(groups, rows, kw * channels, length)
    tap, row = channels * length, kw * channels * length
    shape = (groups, rows, kw, channels, width, samples)
    steps = (rows * row, row, tap - step, length, samples, 1)
    shifted = contiguous_view(memory, margin + left, shape, steps)
    return Workspace(lines[..., :columns], shifted, gaps=(memory[:margin], lines[..., columns:]))


class RowRun(NamedTuple):
    """Neighbouring rows of dX, of one phase, that are made of equally many taps."""

    phase: int
    inputs: slice  # the rows of dX
    rows: int  # how many they are
    taps: int  # how many rows of dY each of them needs
    first: int  # the first row of dY that the first of them needs
    skipped: int  # how many rows of dY the phase's last taps would need that lie above its first row


def _rows_needed(window: Window, begin: int, end: int) -> slice:
    """The rows of dY that rows [begin, end) of dX need; none if there are no taps."""
    runs = [run for run in row_runs(window, begin, end) if run.taps]
    if not runs:
        return slice(0, 0)
    return slice(min(run.first for run in runs), max(run.first + run.rows + run.taps - 1 for run in runs))


@lru_cache(maxsize=256)
def row_runs(window: Window, begin: int, end: int) -> tuple[RowRun, ...]:
    """Rows [begin, end) of dX, in runs."""
    runs: list[RowRun] = []
    for phase in range(window.stride[0]):
        runs += _runs_of_phase(window, phase, begin, end)
    return tuple(runs)


def _runs_of_phase(window: Window, phase: int, begin: int, stop: int) -> list[RowRun]:
    """The rows h of dX with (h + top) mod stride = phase. Row u of it needs rows u - taps + 1 .. u of dY."""
    stride, top, count = window.stride[0], window.padding[0][0], window.out[0]
    all_taps = len(range(phase, window.kernel[0], stride))  # none, where the kernel is lower than the stride
    begin_u, stop_u = -((phase - top - begin) // stride), -((phase - top - stop) // stride)
    # From each of these rows on one row of dY more is needed, or one fewer. So what lies between two of them
    # is alike: above all rows of dY, in the interior, and below.
    changes = {*range(all_taps), *range(count, count + all_taps)}
    bounds = sorted({begin_u, stop_u, *(u for u in changes if begin_u < u < stop_u)})
    runs: list[RowRun] = []
    for u, next_u in pairwise(bounds):
        first, last = max(u - all_taps + 1, 0), min(u, count - 1)
        row, alike = phase - top + stride * u, next_u - u
        inputs = slice(row, row + stride * (alike - 1) + 1, stride)
        skipped = max(0, first - (u - all_taps + 1))
        runs.append(RowRun(phase, inputs, alike, max(0, last - first + 1), first, skipped))
    return runs


class ColumnStep(NamedTuple):
    """What tap column j adds, and whether it is the first to write there."""

    tap: int
    place: Overlap
    fresh: bool


@lru_cache(maxsize=256)
def _column_steps(window: Window) -> tuple[tuple[ColumnStep, ...], tuple[slice, ...]]:
    """The order in which tap columns are added, and the columns to be cleared since no fresh one writes them.

    Columns of one residue modulo the stride meet the same taps; the first of these taps may write instead of
    adding.
    """
    width, stride = window.size[1], window.stride[1]
    places = [overlap(window, 1, j) for j in range(window.kernel[1])]
    touching = [j for j, place in enumerate(places) if place.last > place.first]
    steps: list[ColumnStep] = []
    cleared: list[slice] = []
    for residue in range(min(stride, width)):
        taps = [j for j in touching if places[j].start % stride == residue]
        if not taps:
            cleared.append(slice(residue, width, stride))
            continue
        start, stop = places[taps[0]].start, places[taps[0]].stop
        cleared += [slice(residue, start, stride), slice(stop - 1 + stride, width, stride)]
        steps += [ColumnStep(j, places[j], fresh=j == taps[0]) for j in taps]
    return tuple(steps), tuple(part for part in cleared if part.start < min(part.stop, width))


def _add_columns(workspace: Workspace, count: int, dx: Array, window: Window) -> None:
    """Add the first `count` rows of Z to their columns of dx [groups, rows, C/groups, W, N]."""
    groups, _, channels, _, samples = dx.shape
    if workspace.shifted is not None:
        np.add.reduce(workspace.shifted[:, :count], axis=2, out=dx)
        return
    products = workspace.products[:, :count].reshape(
        groups, count, window.kernel[1], channels, window.out[1], samples
    )
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
    """The taps of a phase as [groups, 1, kw * C/groups, taps * O/groups].

    The last one stands first, as rows of dY come.
    """
    outputs, channels, _, kw = w.shape
    taps = w[:, :, phase::stride][:, :, ::-1].reshape(groups, outputs // groups, channels, -1, kw)
    return np.ascontiguousarray(taps.transpose(0, 4, 2, 3, 1)).reshape(groups, 1, kw * channels, -1)


def _rows_by_group(rows: Array, groups: int) -> Array:
    """[P, O, Q, N] as contiguous [groups, P, O/groups, Q, N]; no copy is made if there is one group."""
    height, outputs, width, samples = rows.shape
    by_group = rows.reshape(height, groups, outputs // groups, width, samples).swapaxes(0, 1)
    return np.ascontiguousarray(by_group)
