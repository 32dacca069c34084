"""Pooling in two stages, first along the columns and then along the rows: kh + kw steps instead of kh * kw.

A maximum over a window is the maximum over its rows of the maxima within the rows, and the first tap that
wins in row-major order is the first row that wins and, in it, the first column. (Rows before columns would
find the same maximum, but not the same tap at ties.) A sum splits likewise. Every step is one elementwise
pass over all windows at once, and the arrays keep the memory order of the input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from . import tiles
from .layout import Array, Rows, all_finite, compute_type, from_rows, in_order_of, tap_type, to_rows
from .window import Window, overlap

Wins: TypeAlias = Callable[[Array, Array], Array]


def max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """(y, tap), both [N, C, P, Q]: the maximum of each window of x [N, C, H, W], and the number of its
    tap.
    """
    if tiles.serves(window) and (found := tiles.max_pool(x, window)):
        return found
    y, tap = _max_pool(x, window, _is_greater)
    if np.issubdtype(x.dtype, np.floating) and y.size and np.isnan(y.max()):
        y, tap = _max_pool(x, window, _is_greater_or_nan)
    return y, tap


def gather_taps(x: Array, tap: Array, window: Window) -> Array:
    """y [N, C, P, Q]: x [N, C, H, W] at the named tap of each window; a tap in the padding reads 0."""
    rows = _with_zeros(x, window)
    _, channels, width, samples = rows.shape
    row, column = channels * width * samples, samples
    i, j = np.divmod(np.arange(window.taps), window.kernel[1])
    from_corner = i * (window.dilation[0] * row) + j * (window.dilation[1] * column)
    p, c, q, n = np.ogrid[: window.out[0], :channels, : window.out[1], :samples]
    corner = p * (window.stride[0] * row) + c * (width * samples) + q * (window.stride[1] * column) + n
    return from_rows(rows.reshape(-1)[corner + from_corner[tap.transpose(2, 1, 3, 0)]], x.dtype)


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] at its tap; windows that share a place add up."""
    if tiles.serves(window):
        return tiles.scatter_taps(dy, tap, window)
    dy = in_order_of(tap, dy)
    dx = np.zeros_like(dy, shape=(*dy.shape[:2], *window.size))
    finite = dy.dtype.kind != "f" or all_finite(dy)
    for number, (i, j) in enumerate(np.ndindex(window.kernel)):
        rows, columns = overlap(window, 0, i), overlap(window, 1, j)
        chosen = tap[:, :, rows.windows, columns.windows] == number
        value = dy[:, :, rows.windows, columns.windows]
        # Multiplying by a mask is several times faster than choosing by it, but 0 * inf would be NaN.
        dx[:, :, rows.inputs, columns.inputs] += (
            value * chosen if finite else np.where(chosen, value, dy.dtype.type(0))
        )
    return dx


def sum_windows(x: Array, window: Window) -> Array:
    """y [N, C, P, Q]: the sum over each window of x [N, C, H, W]; padding counts as 0."""
    dtype, result = compute_type(x.dtype)
    sums = np.zeros_like(x, dtype, shape=(*x.shape[:3], window.out[1]))
    for j in range(window.kernel[1]):
        columns = overlap(window, 1, j)
        sums[..., columns.windows] += x[..., columns.inputs]
    y = np.zeros_like(x, dtype, shape=(*x.shape[:2], *window.out))
    for i in range(window.kernel[0]):
        rows = overlap(window, 0, i)
        y[:, :, rows.windows] += sums[:, :, rows.inputs]
    return y.astype(result, copy=False)


def spread_windows(dy: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] added to every place it covers."""
    dtype, result = compute_type(dy.dtype)
    spread = np.zeros_like(dy, dtype, shape=(*dy.shape[:2], window.size[0], window.out[1]))
    for i in range(window.kernel[0]):
        rows = overlap(window, 0, i)
        spread[:, :, rows.inputs] += dy[:, :, rows.windows]
    dx = np.zeros_like(dy, dtype, shape=(*dy.shape[:2], *window.size))
    for j in range(window.kernel[1]):
        columns = overlap(window, 1, j)
        dx[..., columns.inputs] += spread[..., columns.windows]
    return dx.astype(result, copy=False)


def _max_pool(x: Array, window: Window, wins: Wins) -> tuple[Array, Array]:
    """Both stages; `wins(value, best)` says which challengers beat the best so far."""
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    first, dtype = _first_taps(window), tap_type(window)
    best_in_row = np.full_like(x, lowest, shape=(*x.shape[:3], window.out[1]))
    column_tap = np.empty_like(best_in_row, dtype)
    column_tap[...] = first.columns
    for j in range(window.kernel[1]):
        windows, inputs = overlap(window, 1, j).slices
        _challenge(
            best_in_row[..., windows], column_tap[..., windows], x[..., inputs], np.asarray(j, dtype), wins
        )
    y = np.full_like(x, lowest, shape=(*x.shape[:2], *window.out))
    tap = np.empty_like(y, dtype)
    tap[...] = first.both
    for i in range(window.kernel[0]):
        windows, inputs = overlap(window, 0, i).slices
        candidate = column_tap[:, :, inputs] + dtype.type(i * window.kernel[1])
        _challenge(y[:, :, windows], tap[:, :, windows], best_in_row[:, :, inputs], candidate, wins)
    return y, tap


def _challenge(best: Array, tap: Array, value: Array, candidate: Array, wins: Wins) -> None:
    """Where `value` beats `best`, put it there, and `candidate` into `tap`."""
    better = wins(value, best)
    np.maximum(best, value, out=best)
    # -1 has all bits set, so this replaces tap by candidate where better; it is faster than a masked copy.
    mask = np.negative(better.view(np.uint8) if tap.itemsize == 1 else better.astype(tap.dtype))
    mask &= tap ^ candidate
    tap ^= mask


def _is_greater(value: Array, best: Array) -> Array:
    """Whoever comes first keeps a tie."""
    return np.greater(value, best)


def _is_greater_or_nan(value: Array, best: Array) -> Array:
    """As `_is_greater`, for arrays with NaN in them: a NaN beats everything, so the last one wins."""
    return (value > best) | np.isnan(value)


class FirstTaps(NamedTuple):
    """The first tap of each window that does not lie in the padding, which wins if nothing is greater."""

    columns: Array  # [Q], counted in columns
    both: Array  # [P, Q], counted in taps; 0 for windows that lie wholly in the padding


@lru_cache(maxsize=1024)
def _first_taps(window: Window) -> FirstTaps:
    """Depends on the geometry alone."""
    first = []
    for axis in (0, 1):
        taps = np.full(window.out[axis], -1)
        for tap in reversed(range(window.kernel[axis])):
            taps[overlap(window, axis, tap).windows] = tap
        first.append(taps)
    rows, columns = first[0][:, None], first[1]
    both = np.where((rows < 0) | (columns < 0), 0, rows * window.kernel[1] + columns)
    return FirstTaps(np.maximum(columns, 0).astype(tap_type(window)), both.astype(tap_type(window)))


def _with_zeros(x: Array, window: Window) -> Rows:
    """x [N, C, H, W] as rows [H, C, W, N], with zeros where windows reach into the padding."""
    (top, _), (left, _) = window.padding
    rows = to_rows(x, x.dtype)
    height, width = (max(window.size[axis] + window.padding[axis][0], window.reach(axis)) for axis in (0, 1))
    if (height, width) == window.size:
        return rows
    padded = np.zeros((height, rows.shape[1], width, rows.shape[3]), x.dtype)
    padded[top : top + window.size[0], :, left : left + window.size[1]] = rows
    return padded
