"""Batch norm of a large batch, each channel in one go: to the bit what `norm` and `sums` do step by step.

A channel's mean, its variance and its new numbers need nothing of the other channels, and neither does what
it sends back. So each thread goes all the way with some of the channels: it is handed work once, finds in its
cache what it has just written, and nothing is added up by one thread while the others wait.

Here a channel's numbers lie in rows, [rows, channels, neighbours], as in the memory order H, C, W, N.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .memory_order import aligned_like, memory_order
from .norm import LARGE_ENOUGH_FOR_PIECES, Blocks, alike, blocks_of, dots
from .pointwise import sum_of_rows, zeros
from .sums import SHORT, sum_over
from .threads import share
from .window import Array

# By trial on two cores:
BYTES_OF_PIECE = 512 << 10  # stay in the cache of one thread
BYTES_OF_SHARED_PIECE = 2 << 20  # several threads wait for each other, for every call of NumPy takes the lock
NANOSECONDS_PER_PASS = 0.1  # for each number
CHANNELS_TOGETHER = 2  # the sums of a single one would be added up in another order than those of many


class Normalized(NamedTuple):
    """y [N, C, H, W], and of each channel the mean, the variance and 1 / √(variance + eps), [1, C, 1, 1]."""

    y: Array
    center: Array
    variance: Array
    scale: Array


class SentBack(NamedTuple):
    """dx [N, C, H, W], and of each channel Σ dY (x - μ) and Σ dY, [1, C, 1, 1]."""

    dx: Array
    dots: Array
    total: Array


def batch_normalized(
    x: Array, w: Array | None, b: Array | None, eps: float, rectified: bool = False
) -> Normalized | None:
    """(x - μ) / √(σ² + eps) · w + b of x [N, C, H, W], of each channel its own; None: `norm` serves it.

    rectified: max(y, 0) of that.
    """
    blocks = blocks_of_channels(x, w, b)
    if blocks is None:
        return None
    y, (center, variance, scale) = aligned_like(x), np.empty((3, x.shape[1]), x.dtype)
    values, result = blocks.of(x), blocks.of(y)

    def work(first: int, last: int) -> None:
        some = channels(blocks, first, last)
        parts = pieces(values[:, some], blocks)
        center[some] = total(values[:, some]) / x.dtype.type(count_of(blocks))
        squares = squared_distances(values[:, some], center[some], result[:, some], parts)
        variance[some] = squares / x.dtype.type(count_of(blocks))
        scale[some] = 1 / np.sqrt(variance[some] + x.dtype.type(eps))
        factor = scale[some] if w is None else scale[some] * w[some]
        stretch(result[:, some], factor, None if b is None else b[some], rectified, parts)

    share_channels(work, blocks, passes=6 + rectified)
    return Normalized(y, *(each.reshape(1, -1, 1, 1) for each in (center, variance, scale)))


def batch_norm_sent_back(
    dy: Array, x: Array, w: Array | None, center: Array, scale: Array
) -> SentBack | None:
    """(g - mean(g) - x̂ mean(g x̂)) · scale with g = w dY, x̂ = (x - μ) · scale; None: `norm` serves it."""
    if not alike(dy, x) or memory_order(dy.strides) != memory_order(x.strides):
        return None  # dY is summed as it lies, which would be another order than that of x
    blocks = blocks_of_channels(x, w, center.reshape(-1), scale.reshape(-1))
    if blocks is None:
        return None
    dx, (products, sums) = aligned_like(x), np.empty((2, x.shape[1]), x.dtype)
    values, errors, result = blocks.of(x), blocks.of(dy), blocks.of(dx)
    centers, scales, count = center.reshape(-1), scale.reshape(-1), count_of(blocks)

    def work(first: int, last: int) -> None:
        some = channels(blocks, first, last)
        parts = pieces(values[:, some], blocks)
        sums[some] = total(errors[:, some])
        products[some] = distances_dot(
            values[:, some], centers[some], errors[:, some], result[:, some], parts
        )
        along = products[some] / count * scales[some] * scales[some]
        factor = scales[some] if w is None else scales[some] * w[some]
        remove(errors[:, some], sums[some] / count, along, factor, result[:, some], parts)

    share_channels(work, blocks, passes=7)
    return SentBack(dx, products.reshape(1, -1, 1, 1), sums.reshape(1, -1, 1, 1))


def blocks_of_channels(x: Array, *by_channel: Array | None) -> Blocks | None:
    """x as [rows, channels, neighbours], of which there are so few rows that their order is all the same.

    None for float16 too: it can hold neither the sums nor how many numbers there are.
    """
    if x.ndim != 4 or x.size < LARGE_ENOUGH_FOR_PIECES or x.dtype == np.float16:
        return None
    if any(each is not None and each.dtype != x.dtype for each in by_channel):
        return None
    blocks = blocks_of(x, np.empty((1, x.shape[1], 1, 1), x.dtype))
    served = blocks is not None and blocks.by_group[0] == 1 and 1 < blocks.shape[0] <= SHORT
    return blocks if served else None


def count_of(blocks: Blocks) -> int:
    """How many numbers a channel has."""
    return blocks.shape[0] * blocks.shape[2]


def share_channels(work: Callable[[int, int], None], blocks: Blocks, passes: int) -> None:
    """Have work(first, last) done for all channels, by twos."""
    rows, count, neighbours = blocks.shape
    microseconds = rows * count * neighbours * passes * NANOSECONDS_PER_PASS / 1000
    share(work, count // CHANNELS_TOGETHER, microseconds)


def channels(blocks: Blocks, first: int, last: int) -> slice:
    """Those that such a part has; the last takes what is left over."""
    count = blocks.shape[1]
    at_the_end = last == count // CHANNELS_TOGETHER
    return slice(first * CHANNELS_TOGETHER, count if at_the_end else last * CHANNELS_TOGETHER)


def pieces(values: Array, blocks: Blocks) -> list[slice]:
    """Rows of [rows, channels, neighbours], some or all of the blocks' channels, some rows at a time."""
    alone = values.shape[1] == blocks.shape[1]
    together = max(1, (BYTES_OF_PIECE if alone else BYTES_OF_SHARED_PIECE) // max(1, values[0].nbytes))
    return [slice(first, first + together) for first in range(0, len(values), together)]


def spread(numbers: Array, values: Array) -> Array:
    """One number for each channel, written out over a row [channels, neighbours]: NumPy is faster with it."""
    row = np.empty(values.shape[1:], values.dtype)
    row[...] = numbers[:, None]
    return row


def total(values: Array) -> Array:
    """Σ of each channel, as `sum_by_channel` adds it up."""
    return np.asarray(sum_over(sum_of_rows(values), (0,)), values.dtype)


def squared_distances(values: Array, center: Array, distance: Array, parts: list[slice]) -> Array:
    """Σ (x - μ)² of each channel; x - μ is left in `distance`."""
    centers, sums = spread(center, values), np.empty((values.shape[1], len(values)), values.dtype)
    for rows in parts:
        piece = np.subtract(values[rows], centers, out=distance[rows])
        dots(piece, piece, out=sums[:, rows].T)
    return np.asarray(sum_over(sums, 1))


def distances_dot(values: Array, center: Array, errors: Array, distance: Array, parts: list[slice]) -> Array:
    """Σ dY (x - μ) of each channel; x - μ is left in `distance`."""
    centers, sums = spread(center, values), np.empty((values.shape[1], len(values)), values.dtype)
    for rows in parts:
        piece = np.subtract(values[rows], centers, out=distance[rows])
        dots(piece, errors[rows], out=sums[:, rows].T)
    return np.asarray(sum_over(sums, 1))


def stretch(
    distance: Array, factor: Array, offset: Array | None, rectified: bool, parts: list[slice]
) -> None:
    """(x - μ) · factor + offset, in place of x - μ."""
    factors = spread(factor, distance)
    offsets = None if offset is None else spread(offset, distance)
    nothing = zeros(distance.shape[1:], distance.dtype) if rectified else None
    for rows in parts:
        piece = distance[rows]
        piece *= factors
        if offsets is not None:
            piece += offsets
        if nothing is not None:
            np.maximum(piece, nothing, out=piece)


def remove(
    errors: Array, mean: Array, along: Array, factor: Array, distance: Array, parts: list[slice]
) -> None:
    """(dY - (x - μ) · along - mean) · factor, in place of x - μ."""
    means, alongs, factors = (spread(each, errors) for each in (mean, along, factor))
    for rows in parts:
        piece = distance[rows]
        piece *= alongs
        np.subtract(errors[rows], piece, out=piece)
        piece -= means
        piece *= factors
