"""Three taps along the height for half the multiplications: Winograd's minimal filtering F(4, 3).

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Four rows of output need six rows of input and
three rows of weights; instead of 4 * 3 products, their transforms meet in 6 ("frequencies"):

    Y = A^T [ (G W) * (B^T X) ]        X: 6 rows, W: 3 rows, Y: 4 rows

The transforms are themselves matrix products over whole rows of the picture, H being the outermost axis, so they
gather and scatter nothing. In the middle stands, for each frequency, a correlation of rows with a kernel of height
one: lowered along the width as in `lowering`, it is a matrix product over K = (j, C). Both gradients follow by
transposing:

    dW = G^T [ (B^T X) * (A dY) ]      dX: a correlation again, see `mirror`

The error is about 3e-6 of the largest number in float32, where the direct sum has 2e-6. But a single Inf would spread
over its whole tile as NaN, so every result is checked, and one that is not finite is `None`: the caller takes another
way.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from .dilation import Interleaved, interleaved
from .layout import Array, Rows, all_finite, compute_type, from_rows, giving_up_quietly, sum_of, to_rows
from .mirror import flipped, mirrored
from .threads import product_time, share
from .window import Window, overlap

TILE = 4  # rows of output
SEEN = 6  # rows of input that a tile reads, and the number of frequencies
WORKSPACE_BYTES = 1_700_000


class Transforms(NamedTuple):
    """The three constant matrices, in the dtype of the computation."""

    inputs: Array  # B^T
    weights: Array  # G
    outputs: Array  # A^T


@cache
def transforms(dtype: np.dtype[Any]) -> Transforms:
    """Interpolation at the points 0, 1, -1, 2, -2 and infinity."""
    inputs = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    weights = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
    outputs = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    return Transforms(np.array(inputs, dtype), (np.array(weights) / 24).astype(dtype), np.array(outputs, dtype))


def serves(window: Window, groups: int) -> bool:
    """Height 3, at least one full tile, and no stride that is not made up for by dilation (see there); any width."""
    parts = [part.window for part in interleaved(window)]
    return window.kernel[0] == 3 and groups == 1 and all(one.stride[0] == 1 and one.out[0] >= TILE for one in parts)


@giving_up_quietly
def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C, 3, kw], or None if y is not finite."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows = to_rows(x, dtype)
    (outputs, channels, _, kw), (height, width), samples = w.shape, window.out, len(x)
    by_row = w.astype(dtype, copy=False).transpose(2, 0, 3, 1).reshape(3, -1)
    weights = np.matmul(transforms(dtype).weights, by_row).reshape(SEEN, outputs, kw * channels)
    y = np.empty((height, outputs * width * samples), dtype)

    def multiply(part: Interleaved, begin: int, end: int) -> bool:
        finite, outcome = True, y[part.outputs]
        products = np.empty((SEEN, outputs, width * samples), dtype)
        for tile, frequencies, values in lowered_tiles(rows[part.inputs], part.window, begin, end):
            np.matmul(weights[frequencies], values, out=products[frequencies])
            if frequencies.stop == SEEN:
                target = outcome[tile * TILE : (tile + 1) * TILE]
                np.matmul(transforms(dtype).outputs[: len(target)], products.reshape(SEEN, -1), out=target)
                finite = finite and all_finite(target)
        return finite

    for part in interleaved(window):
        time = product_time(part.window, samples, w.size) / 2
        if not all(share(partial(multiply, part), tiles(part.window), time)):
            return None
    return from_rows(y.reshape(height, outputs, width, samples), result)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C, 3, kw], stride 1 both ways, or None if dx is not finite."""
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


@giving_up_quietly
def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array | None:
    """dw [O, C, 3, kw] of x [N, C, H, W] and dy [N, O, P, Q], or None if dw is not finite."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    _, outputs, width, samples = errors.shape
    channels, kw = x.shape[1], window.kernel[1]

    def add_up(part: Interleaved, begin: int, end: int) -> Array:
        source = errors[part.outputs]
        total = np.zeros((SEEN, kw * channels, outputs), dtype)
        transformed = np.empty((SEEN, outputs, width * samples), dtype)
        for tile, frequencies, values in lowered_tiles(rows[part.inputs], part.window, begin, end):
            if frequencies.start == 0:
                seen = source[tile * TILE : (tile + 1) * TILE]
                matrix = transforms(dtype).outputs[: len(seen)].T
                np.matmul(matrix, seen.reshape(len(seen), -1), out=transformed.reshape(SEEN, -1))
            total[frequencies] += np.matmul(values, transformed[frequencies].swapaxes(1, 2))
        return total

    found: list[Array] = []
    for part in interleaved(window):
        time = product_time(part.window, samples, 3 * kw * channels * outputs) / 2
        found += share(partial(add_up, part), tiles(part.window), time)
    dw: Array = np.matmul(transforms(dtype).weights.T, sum_of(found).reshape(SEEN, -1)).reshape(3, kw, channels, outputs)
    if not all_finite(dw):
        return None
    return dw.transpose(3, 2, 0, 1).astype(result, order="C")


def tiles(window: Window) -> int:
    """How many tiles the rows of the output make; the last one may be cut short."""
    return -(-window.out[0] // TILE)


class LoweredTile(NamedTuple):
    """Some frequencies of one tile of x, lowered along the width: values [frequencies, kw * C, Q * N]."""

    tile: int
    frequencies: slice
    values: Array


def lowered_tiles(x: Rows, window: Window, begin: int, end: int) -> Iterator[LoweredTile]:
    """The transformed rows that tiles [begin, end) see, as many frequencies at a time as stay in the cache."""
    (_, channels, width, samples), kw, columns = x.shape, window.kernel[1], window.out[1]
    matrix = transforms(x.dtype).inputs
    transformed = np.empty((SEEN, channels, width, samples), x.dtype)
    row_bytes = kw * channels * columns * samples * x.itemsize
    together = next(n for n in (6, 3, 2, 1) if n == 1 or n * row_bytes + transformed.nbytes <= WORKSPACE_BYTES)
    lowered = np.zeros((together, kw, channels, columns, samples), x.dtype)
    places = [overlap(window, 1, j) for j in range(kw)]
    for tile in range(begin, end):
        seen = _rows_or_zeros(x, tile * TILE - window.padding[0][0])
        np.matmul(matrix, seen.reshape(SEEN, -1), out=transformed.reshape(SEEN, -1))
        for first in range(0, SEEN, together):
            frequencies = slice(first, first + together)
            for j, place in enumerate(places):
                lowered[:, j, :, place.windows] = transformed[frequencies, :, place.inputs]
            yield LoweredTile(tile, frequencies, lowered.reshape(together, kw * channels, columns * samples))


def _rows_or_zeros(x: Rows, first: int) -> Rows:
    """The six rows from `first` on; those above and below the input are zero."""
    start, stop = max(first, 0), min(first + SEEN, len(x))
    if stop - start == SEEN:
        return x[start:stop]
    seen = np.zeros((SEEN, *x.shape[1:]), x.dtype)
    if start < stop:
        seen[start - first : stop - first] = x[start:stop]
    return seen
