"""The formulas, literally: a loop over the taps of the window, and a line that says what a tap contributes.

This is the oracle that the fast kernels are tested against, what the debugger's cross-check runs, and the
place to read what each kernel means. Speed does not matter here, and nothing but the window is shared with
them. All arrays are [N, C, H, W] on the side of the input and [N, O, P, Q] on the side of the output. A tap
is a place (a, b) in the kernel, as in the derivation at the top of ops/conv.py; `X[a, b]` below is the part
of the input that this tap of every window sees:

    X[a, b][n, c, i, j] = x[n, c, i * stride + a * dilation - top, j * stride + b * dilation - left]

Padding is made of ordinary zeros in `correlate` and `correlate_weight_grad`: an infinite weight, or dY, that
meets it gives 0 * inf = NaN, as in PyTorch's own loops. `dy` is not padded: `correlate_input_grad` adds up
what the windows that exist send back, so an infinite weight never meets a zero there. In pooling, padding
never wins a maximum.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from .window import Array, Window, overlap

Index: TypeAlias = tuple[slice, slice, slice, slice]
EVERY = slice(None)
SAMPLES_AT_ONCE = 256  # in one sum of einsum, which adds one after another, and rounds each time


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """Y = sum over a, b of X[a, b] . W[a, b]: cross-correlation, the kernel is not flipped.

    The dot sums over the channels. Below, n is a sample, g a group, c and o its channels in and out, and i, j
    an output place.
    """
    dtype, result_dtype = _dtypes(x, w)
    x, w = _pad(x.astype(dtype), window), _by_group(w.astype(dtype), groups)
    y = np.zeros((len(x), groups, w.shape[1], *window.out), dtype)
    for a, b in np.ndindex(window.kernel):
        seen = _by_channel_group(x[_tap(window, a, b)], groups)
        y += np.einsum("ngcij,goc->ngoij", seen, w[..., a, b])
    return _join_channels(y).astype(result_dtype)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dW[a, b] = <X[a, b], dY> for every pair of channels: cross-correlation of X with dY."""
    dtype, result_dtype = _dtypes(x, dy)
    x, dy = _pad(x.astype(dtype), window), _by_channel_group(dy.astype(dtype), groups)
    dw = np.zeros((groups, dy.shape[2], x.shape[1] // groups, *window.kernel), dtype)
    for a, b in np.ndindex(window.kernel):
        seen = _by_channel_group(x[_tap(window, a, b)], groups)
        for n in range(0, len(x), SAMPLES_AT_ONCE):
            some = slice(n, n + SAMPLES_AT_ONCE)
            dw[..., a, b] += np.einsum("ngcij,ngoij->goc", seen[some], dy[some])
    return dw.reshape(-1, *dw.shape[2:]).astype(result_dtype)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array:
    """dX gathers, at each place, dY . W[a, b] of each window whose tap (a, b) read it; 0 where none did.

    With stride 1 this is the full correlation of dY with the kernel flipped by 180 degrees.
    """
    dtype, result_dtype = _dtypes(dy, w)
    dy, w = _by_channel_group(dy.astype(dtype), groups), _by_group(w.astype(dtype), groups)
    dx = np.zeros((len(dy), groups * w.shape[2], *_padded_size(window)), dtype)
    for a, b in np.ndindex(window.kernel):
        dx[_tap(window, a, b)] += _join_channels(np.einsum("ngoij,goc->ngcij", dy, w[..., a, b]))
    return _crop(dx, window).astype(result_dtype)


def max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """The maximum of each window, and the number of its tap: the first at ties, the last NaN if there is one.

    A window that lies wholly in the padding has the lowest value there is, and tap 0.
    """
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    y = np.full((*x.shape[:2], *window.out), lowest, x.dtype)
    tap = np.zeros(y.shape, window.tap_dtype)
    untouched = np.ones(y.shape, bool)
    for number, (a, b) in enumerate(np.ndindex(window.kernel)):
        windows, inputs = _inside(window, a, b)
        value = x[inputs]
        wins = untouched[windows] | (value > y[windows]) | (value != value)  # as NaN alone is
        y[windows] = np.where(wins, value, y[windows])
        tap[windows] = np.where(wins, number, tap[windows])
        untouched[windows] = False
    return y, tap


def gather_taps(x: Array, tap: Array, window: Window) -> Array:
    """y = X[a, b] where (a, b) is the tap named for each window; a tap in the padding reads 0."""
    y = np.zeros((*x.shape[:2], *window.out), x.dtype)
    for number, (a, b) in enumerate(np.ndindex(window.kernel)):
        windows, inputs = _inside(window, a, b)
        y[windows] = np.where(tap[windows] == number, x[inputs], y[windows])
    return y


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """The adjoint of `gather_taps`: each window sends dy to its tap; windows that share a place add up."""
    dtype, result_dtype = _dtypes(dy)
    dx = np.zeros((*dy.shape[:2], *window.size), dtype)
    for number, (a, b) in enumerate(np.ndindex(window.kernel)):
        windows, inputs = _inside(window, a, b)
        dx[inputs] += np.where(tap[windows] == number, dy[windows], dy.dtype.type(0))
    return dx.astype(result_dtype)


def sum_windows(x: Array, window: Window) -> Array:
    """y = sum over a, b of X[a, b], one channel at a time; padding counts as 0."""
    dtype, result_dtype = _dtypes(x)
    x = _pad(x.astype(dtype), window)
    y = np.zeros((*x.shape[:2], *window.out), dtype)
    for a, b in np.ndindex(window.kernel):
        y += x[_tap(window, a, b)]
    return y.astype(result_dtype)


def spread_windows(dy: Array, window: Window) -> Array:
    """The adjoint of `sum_windows`: each window adds its dy to every place it covers."""
    dtype, result_dtype = _dtypes(dy)
    dx = np.zeros((*dy.shape[:2], *_padded_size(window)), dtype)
    for a, b in np.ndindex(window.kernel):
        dx[_tap(window, a, b)] += dy
    return _crop(dx, window).astype(result_dtype)


def _dtypes(*arrays: Array) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """What to compute in, and what the result has: float16 is computed in float32, and rounded once."""
    result_dtype = np.result_type(*(array.dtype for array in arrays))
    return (np.dtype(np.float32) if result_dtype == np.float16 else result_dtype), result_dtype


def _tap(window: Window, a: int, b: int) -> Index:
    """Where tap (a, b) of all windows lies in the padded input."""
    row, column = a * window.dilation[0], b * window.dilation[1]
    (down, right), (rows, columns) = window.stride, window.out
    return EVERY, EVERY, slice(row, row + down * rows, down), slice(column, column + right * columns, right)


def _inside(window: Window, a: int, b: int) -> tuple[Index, Index]:
    """The windows whose tap (a, b) lies inside the input, and where it lies there."""
    rows, columns = overlap(window, 0, a), overlap(window, 1, b)
    return (EVERY, EVERY, rows.windows, columns.windows), (EVERY, EVERY, rows.inputs, columns.inputs)


def _padded_size(window: Window) -> tuple[int, int]:
    """Height and width with the padding, and with what windows read beyond it (pooling with ceil_mode)."""
    height = max(window.size[0] + sum(window.padding[0]), window.reach(0))
    width = max(window.size[1] + sum(window.padding[1]), window.reach(1))
    return height, width


def _pad(x: Array, window: Window) -> Array:
    """x [N, C, H, W] in the middle of zeros."""
    padded = np.zeros((*x.shape[:2], *_padded_size(window)), x.dtype)
    _crop(padded, window)[...] = x
    return padded


def _crop(padded: Array, window: Window) -> Array:
    """The view of the input's own place inside the padding."""
    (top, _), (left, _) = window.padding
    return padded[:, :, top : top + window.size[0], left : left + window.size[1]]


def _by_group(w: Array, groups: int) -> Array:
    """w [O, C/groups, kh, kw] as [groups, O/groups, C/groups, kh, kw]."""
    return w.reshape(groups, w.shape[0] // groups, *w.shape[1:])


def _by_channel_group(x: Array, groups: int) -> Array:
    """[N, C, H, W] as [N, groups, C/groups, H, W]."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def _join_channels(y: Array) -> Array:
    """[N, groups, O/groups, P, Q] as [N, O, P, Q]."""
    return y.reshape(y.shape[0], y.shape[1] * y.shape[2], *y.shape[3:])
