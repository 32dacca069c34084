"""Pooling: maximum and sum of windows, and what they send back.

In two stages, first along the columns and then along the rows: kh + kw steps instead of kh * kw. A maximum
over a window is the maximum over its rows of the maxima within the rows, and the first tap that wins in
row-major order is the first row that wins and, in it, the first column. (Rows before columns would give the
same maximum, but not the same tap at ties.) A sum splits likewise. Every step is one elementwise pass over
all windows at once, and the arrays keep the memory order of the input.

Windows of 2x2 that lie side by side, as nearly every network has them, are simpler, for every place has one
window. The four places of a window are copied to where they lie in four arrays of one shape, tap by tap, and
everything after that is a few passes over long rows. A window's maximum differs from what stands at the taps
before its own; so, with n0, n1 and n2 saying 1 where the taps 0, 1 and 2 differ from the maximum,

    tap = n0 * (1 + n1 * (1 + n2))

is the first tap in row-major order that has it. On the way back each place asks whether its window named it;
nothing is added, and nothing cleared but a remainder.

Of windows that overlap, the taps are numbers of places in the memory of the image, found by adding up what
each index is worth there: one pass to read at them, and one to add to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from .memory_order import Order, aligned_empty, compute_type, in_order_of, memory_order
from .threads import share
from .window import Array, Window, overlap, overlaps

# By trial on two cores:
NANOSECONDS_PER_WINDOW = 2.0
FEW_WINDOWS = 100_000  # up to which one call does for all; more are shared, or done in parts
CACHE_WINDOWS = 1 << 17  # with fewer at a time, threads would wait for the interpreter's lock
TAPS = np.arange(4, dtype=np.uint8).reshape(2, 2, 1, 1, 1, 1)
LONG = 16  # rows or columns of a window
ONE = np.array(1, np.uint8)  # NumPy reads an array faster than it converts a number
UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}  # by size in bytes


def max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """(y, tap), both [N, C, P, Q]: the maximum of each window of x [N, C, H, W], and its tap's number."""
    if side_by_side(window):
        return _max_pool_side_by_side(x, window)
    y, tap = _max_pool(x, window)
    if has_nan(y):
        alike = np.isnan(x).all()  # as soon in a net that diverges: one image then stands for all
        last = _last_nan(x[:1, :1] if alike else x, window)
        np.copyto(tap, last - last.dtype.type(1), where=last > 0, casting="unsafe")
    return y, tap


def gather_taps(x: Array, tap: Array, window: Window) -> Array:
    """y [N, C, P, Q]: x [N, C, H, W] at the named tap of each window; a tap in the padding reads 0."""
    order = memory_order(tap.strides)
    image = _with_padding(x.shape, window, x.dtype, order)
    _without_padding(image, window)[...] = x
    y = np.empty_like(tap, x.dtype)
    numbers, results = image.transpose(order.axes).reshape(-1), y.transpose(order.axes)
    for part, places in _places_named(tap, window, image, order):
        results[part] = numbers[places]
    return y


def scatter_taps(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] at its tap; windows that share a place add up."""
    if side_by_side(window):
        return _scatter_taps_side_by_side(dy, tap, window)
    dtype, result = window_sum_type(dy.dtype, window)
    order = memory_order(tap.strides)
    image = _with_padding((*dy.shape[:2], *window.size), window, dtype, order)
    sums, values = image.transpose(order.axes).reshape(-1), in_order_of(tap, dy).transpose(order.axes)
    for part, places in _places_named(tap, window, image, order):
        np.add.at(sums, places.reshape(-1), values[part].reshape(-1).astype(dtype, copy=False))
    dx = _without_padding(image, window)
    return dx.astype(result, copy=dx.shape != image.shape)


def sum_windows(x: Array, window: Window) -> Array:
    """y [N, C, P, Q]: the sum over each window of x [N, C, H, W]; padding counts as 0."""
    dtype, result = window_sum_type(x.dtype, window)
    sums = np.zeros_like(x, dtype, shape=(*x.shape[:3], window.out[1]))
    for windows, inputs in overlaps(window, 1):
        sums[..., windows] += x[..., inputs]
    y = np.zeros_like(x, dtype, shape=(*x.shape[:2], *window.out))
    for windows, inputs in overlaps(window, 0):
        y[:, :, windows] += sums[:, :, inputs]
    return y.astype(result, copy=False)


def spread_windows(dy: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] added to every place it covers."""
    dtype, result = window_sum_type(dy.dtype, window)
    spread = np.zeros_like(dy, dtype, shape=(*dy.shape[:2], window.size[0], window.out[1]))
    for windows, inputs in overlaps(window, 0):
        spread[:, :, inputs] += dy[:, :, windows]
    dx = np.zeros_like(dy, dtype, shape=(*dy.shape[:2], *window.size))
    for windows, inputs in overlaps(window, 1):
        dx[..., inputs] += spread[..., windows]
    return dx.astype(result, copy=False)


def window_sum_type(dtype: np.dtype[Any], window: Window) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype to add up windows in, float64 for long ones, as they are added one row after another."""
    computed, result = compute_type(dtype)
    return (np.dtype(np.float64) if max(window.kernel) > LONG and computed.kind == "f" else computed), result


def _max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """Both stages. The tap is wrong where there is a NaN."""
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    first, dtype = _first_taps(window), window.tap_dtype
    best_in_row = np.full_like(x, lowest, shape=(*x.shape[:3], window.out[1]))
    column_tap = np.empty_like(best_in_row, dtype)
    column_tap[...] = first.columns
    for j, (windows, inputs) in enumerate(overlaps(window, 1)):
        best, its_tap = best_in_row[..., windows], column_tap[..., windows]
        _challenge(best, its_tap, x[..., inputs], np.asarray(j, dtype))
    y = np.full_like(x, lowest, shape=(*x.shape[:2], *window.out))
    tap = np.empty_like(y, dtype)
    tap[...] = first.both
    for i, (windows, inputs) in enumerate(overlaps(window, 0)):
        candidate = column_tap[:, :, inputs] + dtype.type(i * window.kernel[1])
        _challenge(y[:, :, windows], tap[:, :, windows], best_in_row[:, :, inputs], candidate)
    return y, tap


def _challenge(best: Array, tap: Array, value: Array, candidate: Array) -> None:
    """Where `value` beats `best`, put it there, and `candidate` into `tap`: who comes first keeps a tie."""
    better = np.greater(value, best)
    np.maximum(best, value, out=best)
    # -1 has all bits set, so this replaces tap by candidate where better; it is faster than a masked copy.
    mask = np.negative(better.view(np.uint8) if tap.itemsize == 1 else better.astype(tap.dtype))
    mask &= tap ^ candidate
    tap ^= mask


def has_nan(y: Array) -> bool:
    """Whether there is a NaN, which a maximum hands on."""
    return y.dtype.kind == "f" and y.size > 0 and isnan(np.maximum.reduce(y, axis=None))


def _last_nan(x: Array, window: Window) -> Array:
    """[N, C, P, Q]: one more than the tap of each window's last NaN; 0 if it has none. In two stages, too."""
    nan, dtype = np.isnan(x).view(np.uint8), np.min_scalar_type(window.taps)
    in_row = np.zeros_like(nan, dtype, shape=(*x.shape[:3], window.out[1]))
    for j, (windows, inputs) in enumerate(overlaps(window, 1)):
        last = in_row[..., windows]
        np.maximum(last, nan[..., inputs] * dtype.type(j + 1), out=last)
    last_nan = np.zeros_like(nan, dtype, shape=(*x.shape[:2], *window.out))
    for i, (windows, inputs) in enumerate(overlaps(window, 0)):
        column, last = in_row[:, :, inputs], last_nan[:, :, windows]
        np.maximum(last, column + (column > 0) * dtype.type(i * window.kernel[1]), out=last)
    return last_nan


def as_bits(values: Array) -> Array:
    """Numbers as integers of the same bits.

    Multiplying by a mask of 0 and 1 is several times faster than choosing by it; and 0 times the bits of an
    Inf is 0.
    """
    return values.view(UNSIGNED[values.itemsize])


class FirstTaps(NamedTuple):
    """The first tap of each window that does not lie in the padding, which wins if nothing is greater."""

    columns: Array  # [Q], counted in columns
    both: Array  # [P, Q], counted in taps; 0 for windows that lie wholly in the padding


@lru_cache(maxsize=64)
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
    return FirstTaps(np.maximum(columns, 0).astype(window.tap_dtype), both.astype(window.tap_dtype))


def _with_padding(shape: tuple[int, ...], window: Window, dtype: np.dtype[Any], order: Order) -> Array:
    """Zeros in the shape of an image [N, C, H, W] and of all that windows reach around it."""
    rows, columns = (max(window.size[axis] + window.padding[axis][0], window.reach(axis)) for axis in (0, 1))
    padded = (*shape[:2], rows, columns)
    return np.zeros([padded[axis] for axis in order.axes], dtype).transpose(order.back)


def _without_padding(image: Array, window: Window) -> Array:
    """The image itself, of one with its padding."""
    (top, _), (left, _) = window.padding
    return image[:, :, top : top + window.size[0], left : left + window.size[1]]


def _places_named(tap: Array, window: Window, image: Array, order: Order) -> Iterator[tuple[slice, Array]]:
    """Where the named taps [N, C, P, Q] lie in the memory of a padded image, some rows at a time."""
    samples, channels, row, column = (stride // image.itemsize for stride in image.strides)
    i, j = np.divmod(np.arange(window.taps), window.kernel[1])
    from_corner = i * (window.dilation[0] * row) + j * (window.dilation[1] * column)
    strides = samples, channels, window.stride[0] * row, window.stride[1] * column
    steps, named = [strides[axis] for axis in order.axes], tap.transpose(order.axes)
    first, *others = np.ogrid[tuple(map(slice, named.shape))]
    inner = sum(index * step for index, step in zip(others, steps[1:]))
    for part in _parts(0, len(named), named):
        places = from_corner.take(named[part])
        places += inner
        places += first[part] * steps[0]
        yield part, places


@lru_cache(maxsize=512)
def side_by_side(window: Window) -> bool:
    """2x2, stride 2, no padding, and no window reaches beyond the input."""
    return (
        window.kernel == window.stride == (2, 2)
        and window.dilation == (1, 1)
        and window.padding[0][0] == window.padding[1][0] == 0
        and window.reach(0) <= window.size[0]
        and window.reach(1) <= window.size[1]
    )


def _max_pool_side_by_side(x: Array, window: Window) -> tuple[Array, Array]:
    """(y, tap), both [N, C, P, Q], of x [N, C, H, W]."""
    order = memory_order(x.strides)
    places = in_windows(x, window, order)
    y, tap = aligned_empty(places.shape[2:], x.dtype), np.empty(places.shape[2:], np.uint8)
    if y.size <= FEW_WINDOWS:
        _maxima(places, y, tap)
    else:
        _share_windows(lambda part: _maxima(places[:, :, part], y[part], tap[part]), y)
    return y.transpose(order.back), tap.transpose(order.back)


def _maxima(places: Array, y: Array, tap: Array) -> None:
    """Of places [2, 2, ...], and which was the first to have it."""
    taps = aligned_empty((4, *y.shape), y.dtype)
    taps.reshape(places.shape)[...] = places
    np.maximum.reduce(taps, 0, out=y)
    differs = np.not_equal(taps[:3], y).view(np.uint8)
    number = differs[2]
    number += ONE
    number *= differs[1]
    number += ONE
    np.multiply(number, differs[0], out=tap)  # 3 where there is a NaN, which differs from itself
    if has_nan(y):
        earlier = np.isnan(y) > np.isnan(taps[3])
        if earlier.any():
            tap[earlier] = 2 - np.isnan(taps[2::-1, earlier]).argmax(0)


def _scatter_taps_side_by_side(dy: Array, tap: Array, window: Window) -> Array:
    """dx [N, C, H, W]: each window's dy [N, C, P, Q] at its tap."""
    order = memory_order(tap.strides)
    values = in_order_of(tap, dy).transpose(order.axes)  # a flattened layer's gradient comes in another order
    shape = (*dy.shape[:2], *window.size)
    dx = aligned_empty(tuple([shape[axis] for axis in order.axes]), dy.dtype).transpose(order.back)
    if window.size[0] > 2 * window.out[0]:
        dx[:, :, 2 * window.out[0] :] = 0
    if window.size[1] > 2 * window.out[1]:
        dx[..., 2 * window.out[1] :] = 0
    places, named = as_bits(in_windows(dx, window, order)), tap.transpose(order.axes)
    bits = as_bits(values)
    if dy.size <= FEW_WINDOWS:
        np.multiply(bits, named == TAPS, out=places)
    else:
        _share_windows(
            lambda part: np.multiply(bits[part], named[part] == TAPS, out=places[:, :, part]), values
        )
    return dx


def _share_windows(work: Callable[[slice], object], windows: Array) -> None:
    """work(part) of all rows of `windows`, as many at a time as stay in the cache, by each thread."""

    def rows(first: int, last: int) -> None:
        for part in _parts(first, last, windows):
            work(part)

    share(rows, len(windows), windows.size * NANOSECONDS_PER_WINDOW / 1000)


def _parts(first: int, last: int, windows: Array) -> Iterator[slice]:
    """Rows [first, last) of `windows`, as many at a time as stay in the cache."""
    together = max(1, len(windows) * CACHE_WINDOWS // max(1, windows.size))
    for begin in range(first, last, together):
        yield slice(begin, min(begin + together, last))


def in_windows(x: Array, window: Window, order: Order) -> Any:
    """A view of x [N, C, H, W] as [2, 2, ...]: row and column in the window, then windows as in memory."""
    height, width = window.out
    if window.size != (2 * height, 2 * width):
        x = x[:, :, : 2 * height, : 2 * width]
    windows = [(0, 1, 2, 4)[axis] for axis in order.axes]
    return x.reshape(*x.shape[:2], height, 2, width, 2).transpose(3, 5, *windows)
