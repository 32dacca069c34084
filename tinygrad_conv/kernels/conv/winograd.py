"""Three taps along the height for half the multiplications: Winograd's minimal filtering F(4, 3).

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016. Four rows of output need six rows of
input and three rows of weights; instead of 4 * 3 products, their transforms meet in 6 ("frequencies"):

    Y = A^T [ (G W) * (B^T X) ]        X: 6 rows, W: 3 rows, Y: 4 rows

The transforms are themselves matrix products over whole rows of the picture, H being the outermost axis, so
they gather and scatter nothing; that of X writes where there is room for the padding left and right. In the
middle stands, for each frequency, a correlation of rows with a kernel of height one: lowered along the width
as in `lowering`, it is a matrix product over K = (j, C). Both gradients follow by transposing:

    dW = G^T [ (B^T X) * (A dY) ]      dX: a correlation again, mirrored

For dW nothing is lowered: each tap column has a product of its own, with a shifted view of B^T X.

The error is about 3e-6 of the largest number in float32, where the direct sum has 2e-6. But of that number
every output of the tile gets its share, whether it sees the number or not, and an Inf would make NaN of all
of them. So first `dynamic_range` looks at what would be mixed, and if it is too far apart the result is
`None`: the caller takes another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from ..gemm import multiply_in_pieces, multiply_in_tiles
from ..memory_order import Rows, aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..sums import sum_in_halves
from ..threads import Work, correlation_time, share_in_turn, sum_of_parts
from ..window import Array, Window, overlap
from .dynamic_range import even_channels, even_weights, even_windows, mixable
from .identities import Interleaved, flipped, interleaved, mirrored

TILE_ROWS = 4  # of output
SEEN = 6  # rows of input that a tile reads, and the number of frequencies
WORKSPACE_BYTES = 1_700_000  # by trial on two cores, for 6, 3, 2 or 1 of the frequencies at a time


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
    exact = np.array(weights) / 24
    return Transforms(np.array(inputs, dtype), exact.astype(dtype), np.array(outputs, dtype))


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array | None:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C, 3, kw], or None if they should not be mixed."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows = to_rows(x, dtype)
    (outputs, channels, _, kw), (height, width), samples = w.shape, window.out, len(x)
    by_row = w.astype(dtype, copy=False).transpose(2, 0, 3, 1).reshape(3, outputs, kw * channels)
    if not mixable(even_weights(by_row, channels), even_windows(rows, window), dtype):
        return None
    weights = np.matmul(transforms(dtype).weights, by_row.reshape(3, -1)).reshape(SEEN, outputs, -1)
    y = aligned_empty((height, outputs * width * samples), dtype)

    def fill(part: Interleaved, begin: int, end: int) -> None:
        outcome = y[part.outputs]
        products = aligned_empty((SEEN, outputs, width * samples), dtype)
        lowered = room_for_frequencies(channels, part.window, samples, dtype)
        for tile, seen in transformed_tiles(rows[part.inputs], part.window, begin, end):
            for first in range(0, SEEN, len(lowered)):
                frequencies = slice(first, first + len(lowered))
                lowered[...] = seen[frequencies]
                values = lowered.reshape(len(lowered), kw * channels, -1)
                multiply_in_pieces(weights[frequencies], values, out=products[frequencies])
            target = outcome[tile * TILE_ROWS : (tile + 1) * TILE_ROWS]
            back = transforms(dtype).outputs[: len(target)]
            multiply_in_pieces(back, products.reshape(SEEN, -1), out=target)

    share_in_turn(
        [
            Work(
                partial(fill, part),
                tile_count(part.window),
                correlation_time(part.window, samples, w.size) / 2,
            )
            for part in interleaved(window)
        ]
    )
    return from_rows(y.reshape(height, outputs, width, samples), result)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] of dy [N, O, P, Q] and w [O, C, 3, kw], stride 1, or None likewise."""
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array | None:
    """dw [O, C, 3, kw] of x [N, C, H, W] and dy [N, O, P, Q], or None likewise."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    if not mixable(even_channels(rows), even_channels(errors), dtype):
        return None
    _, outputs, width, samples = errors.shape
    channels, kw = x.shape[1], window.kernel[1]

    def add_up(part: Interleaved, begin: int, end: int) -> Array:
        source = errors[part.outputs]
        total = np.zeros((SEEN, kw, channels, outputs), dtype)
        products = np.empty_like(total)
        transformed = aligned_empty((SEEN, 1, outputs, width * samples), dtype)
        for tile, seen in transformed_tiles(rows[part.inputs], part.window, begin, end):
            met = source[tile * TILE_ROWS : (tile + 1) * TILE_ROWS]
            forth = transforms(dtype).outputs[: len(met)].T
            multiply_in_pieces(forth, met.reshape(len(met), -1), out=transformed.reshape(SEEN, -1))
            multiply_in_tiles(seen, transformed, out=products)
            total += products
        return total

    weights = 3 * kw * channels * outputs
    sums = share_in_turn(
        [
            Work(
                partial(sum_in_halves, partial(add_up, part)),
                tile_count(part.window),
                correlation_time(part.window, samples, weights) / 2,
            )
            for part in interleaved(window)
        ]
    )
    by_tap = np.matmul(transforms(dtype).weights.T, sum_of_parts(sums).reshape(SEEN, -1))
    return by_tap.reshape(3, kw, channels, outputs).transpose(3, 2, 0, 1).astype(result, order="C")


def tile_count(window: Window) -> int:
    """How many tiles the rows of the output make; the last one may be cut short."""
    return -(-window.out[0] // TILE_ROWS)


class TransformedTile(NamedTuple):
    """One tile of B^T X, a view of it for each tap column: seen [6, kw, C, Q * N]."""

    tile: int
    seen: Array


def transformed_tiles(x: Rows, window: Window, begin: int, end: int) -> Iterator[TransformedTile]:
    """The transformed rows that tiles [begin, end) see, padded along the width.

    `seen` holds until the next is asked for.
    """
    (_, channels, _, samples), (_, kw), (_, columns) = x.shape, window.kernel, window.out
    dilation = window.dilation[1]
    length = columns + dilation * (kw - 1)
    padded = aligned_empty((SEEN, channels, length, samples), x.dtype)
    steps = (channels * length * samples, dilation * samples, length * samples, 1)
    views = contiguous_view(padded, 0, (SEEN, kw, channels, columns * samples), steps)
    inside = overlap(window._replace(kernel=(3, 1), out=(window.out[0], length)), 1, 0)
    target = padded[:, :, inside.windows].reshape(SEEN, channels, -1).swapaxes(0, 1)
    matrix, rows = transforms(x.dtype).inputs, x[:, :, inside.inputs]
    for tile in range(begin, end):
        first = tile * TILE_ROWS - window.padding[0][0]
        start = min(max(first, 0), len(x))
        stop = max(min(first + SEEN, len(x)), start)  # the others of the six rows are zero
        seen = rows[start:stop].reshape(stop - start, channels, target.shape[2]).swapaxes(0, 1)
        np.matmul(matrix[:, start - first : stop - first], seen, out=target)
        if tile == begin:  # only now: another thread can begin during the first product
            padded[:, :, : inside.first] = 0
            padded[:, :, inside.last :] = 0
        yield TransformedTile(tile, views)


def room_for_frequencies(channels: int, window: Window, samples: int, dtype: np.dtype[Any]) -> Array:
    """Room for as many lowered frequencies of a tile as stay in the cache: [6 or fewer, kw, C, Q * N]."""
    (_, kw), (_, columns) = window.kernel, window.out
    seen_bytes = SEEN * channels * window.size[1] * samples * dtype.itemsize
    row_bytes = kw * channels * columns * samples * dtype.itemsize
    together = next(n for n in (6, 3, 2, 1) if n == 1 or n * row_bytes + seen_bytes <= WORKSPACE_BYTES)
    return aligned_empty((together, kw, channels, columns * samples), dtype)
