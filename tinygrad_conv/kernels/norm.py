"""How far numbers lie from the mean μ of their group: what normalisation is made of, forward and backward.

A group is what μ is stretched over when it is broadcast against x: with μ [1, C, 1, 1] that is a channel of
the batch. Each function here is a line of NumPy, and runs as that line where x is small or its groups lie
scattered in memory. For a large x a line is three to five passes over memory, each with a new array; so it
goes through all of them in pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from .memory_order import Order, aligned_like, in_order_of, memory_order
from .once import once
from .sums import PIECE_OF_DOT, sum_over
from .threads import share
from .window import Array

# By trial on two cores:
LARGE_ENOUGH_FOR_PIECES = 20_000  # numbers: below, a line of NumPy is fastest
CACHE_BYTES_OF_PIECE = 512 << 10  # a tenth faster than 2 MB; with less, threads wait for each other
NARROWEST_GROUP = 16  # neighbours: with fewer a group is no better together in memory than spread out
NANOSECONDS_PER_PASS = 0.2  # for each number
WORTH_WRITING_OUT = 4  # rows: from so many on, a group's number is written out as often as a row reads it


class Blocks(NamedTuple):
    """x as it lies in memory: [rows, groups, neighbours], a group in every row; or a row for each group."""

    order: Order
    shape: tuple[int, int, int]
    by_group: tuple[int, int, int]  # the shape of one number for each group
    together: int  # rows in a piece

    def of(self, x: Array) -> Array:
        """An array of the memory order that these blocks are of, as [rows, groups, neighbours]."""
        return x.transpose(self.order.axes).reshape(self.shape)

    def spread(self, values: Array) -> Array:
        """One number for each group, over all blocks."""
        values = values.transpose(self.order.axes).reshape(self.by_group)
        if self.by_group[0] == 1 and self.shape[0] >= WORTH_WRITING_OUT:
            values = np.ascontiguousarray(np.broadcast_to(values, (1, *self.shape[1:])))
        return np.broadcast_to(values, self.shape if values.shape[2] > 1 else (*self.shape[:2], 1))

    def pieces(self, begin: int, end: int) -> Iterator[slice]:
        """Rows [begin, end), some at a time."""
        for first in range(begin, end, self.together):
            yield slice(first, min(end, first + self.together))

    def share(self, work: Callable[[int, int], None], passes: int) -> None:
        """Have work(begin, end) done for all rows."""
        share(work, self.shape[0], prod(self.shape) * passes * NANOSECONDS_PER_PASS / 1000)


def blocks_of(x: Array, center: Array, *others: Array | None) -> Blocks | None:
    """The blocks in which x lies; None if it is small or scattered.

    None, too, if one of the others has not the shape of μ and the dtype of x.
    """
    if x.size < LARGE_ENOUGH_FOR_PIECES or x.ndim != center.ndim:
        return None
    wanted = center.shape, x.dtype
    if any(array is not None and (array.shape, array.dtype) != wanted for array in (center, *others)):
        return None
    order = memory_order(x.strides)
    if not x.transpose(order.axes).flags.c_contiguous:
        return None
    return _blocks(x.shape, order, x.itemsize, center.shape)


@lru_cache(maxsize=512)
def _blocks(shape: tuple[int, ...], order: Order, item: int, groups: tuple[int, ...]) -> Blocks | None:
    """The same of an array in one piece."""
    sizes = [shape[axis] for axis in order.axes]
    kept = [place for place, axis in enumerate(order.axes) if groups[axis] > 1]
    if not kept or any(count not in (1, size) for count, size in zip(groups, shape, strict=True)):
        return None
    first, last = kept[0], kept[-1] + 1
    rows, count, neighbours = prod(sizes[:first]), prod(sizes[first:last]), prod(sizes[last:])
    if last - first > len(kept) or neighbours < NARROWEST_GROUP:
        return None
    by_group = 1, count, 1
    if rows == 1:
        rows, count, by_group = count, 1, (count, 1, 1)
    together = max(1, CACHE_BYTES_OF_PIECE // (item * count * neighbours))
    return Blocks(order, (rows, count, neighbours), by_group, together)


def rescaled(x: Array, center: Array, factor: Array, offset: Array | None = None) -> Array:
    """(x - μ) · factor + offset, of which there is one for each group, as of μ."""
    blocks = blocks_of(x, center, factor, offset)
    if blocks is None:
        plain = (x - center) * factor
        return plain if offset is None else plain + offset
    y = aligned_like(x)
    values, result = blocks.of(x), blocks.of(y)
    centers, factors = blocks.spread(center), blocks.spread(factor)
    offsets = None if offset is None else blocks.spread(offset)

    def work(begin: int, end: int) -> None:
        for rows in blocks.pieces(begin, end):
            piece = np.subtract(values[rows], centers[rows], out=result[rows])
            piece *= factors[rows]
            if offsets is not None:
                piece += offsets[rows]

    blocks.share(work, passes=3)
    return y


def deviation(x: Array, center: Array) -> tuple[Array, Array]:
    """(x - μ, Σ (x - μ)²): the first in fresh memory, the sum of each group in the shape of μ."""
    blocks = blocks_of(x, center)
    if blocks is None:
        distance = x - center
        return distance, summed_to(distance * distance, center.shape)
    distance = aligned_like(x)
    values, result, centers = blocks.of(x), blocks.of(distance), blocks.spread(center)

    def squares(rows: slice, sums: Array) -> None:
        piece = np.subtract(values[rows], centers[rows], out=result[rows])
        dots(piece, piece, out=sums)

    return distance, summed_in_pieces(blocks, squares, center)


def stretched(distance: Array, factor: Array, offset: Array | None = None) -> Array:
    """(x - μ) · factor + offset, in the memory of x - μ if its dtype can hold the result."""
    blocks = blocks_of(distance, factor, offset)
    if blocks is None:
        whole = factor.dtype == distance.dtype and (offset is None or offset.dtype == distance.dtype)
        y = np.multiply(distance, factor, out=distance if whole else None)
        return y if offset is None else np.add(y, offset, out=y if whole else None)
    values, factors = blocks.of(distance), blocks.spread(factor)
    offsets = None if offset is None else blocks.spread(offset)

    def work(begin: int, end: int) -> None:
        for rows in blocks.pieces(begin, end):
            piece = values[rows]
            piece *= factors[rows]
            if offsets is not None:
                piece += offsets[rows]

    blocks.share(work, passes=2)
    return distance


@once(large=2)
def deviation_dot(dy: Array, x: Array, center: Array) -> Array:
    """Σ dY (x - μ) of each group, in the shape of μ."""
    blocks = blocks_of(x, center) if alike(dy, x) else None
    if blocks is None:
        return summed_to(dy * (x - center), center.shape)
    values, centers, errors = blocks.of(x), blocks.spread(center), blocks.of(in_order_of(x, dy))

    def products(rows: slice, sums: Array) -> None:
        dots(values[rows] - centers[rows], errors[rows], out=sums)

    return summed_in_pieces(blocks, products, center)


def deviation_removed(dy: Array, mean: Array, x: Array, center: Array, along: Array, factor: Array) -> Array:
    """(dY - mean - (x - μ) · along) · factor, of which there is one for each group, as of μ."""
    blocks = blocks_of(x, center, mean, along, factor) if alike(dy, x) else None
    if blocks is None:
        return (dy - mean - (x - center) * along) * factor
    dx = aligned_like(x)
    values, errors, result = blocks.of(x), blocks.of(in_order_of(x, dy)), blocks.of(dx)
    means, centers, alongs, factors = map(blocks.spread, (mean, center, along, factor))

    def work(begin: int, end: int) -> None:
        for rows in blocks.pieces(begin, end):
            piece = np.subtract(values[rows], centers[rows], out=result[rows])
            piece *= alongs[rows]
            np.subtract(errors[rows], piece, out=piece)  # and then the mean: no pass needs other memory so
            piece -= means[rows]
            piece *= factors[rows]

    blocks.share(work, passes=5)
    return dx


def alike(a: Array, b: Array) -> bool:
    """Whether two arrays have the same shape and dtype."""
    return a.shape == b.shape and a.dtype == b.dtype


def summed_in_pieces(blocks: Blocks, piece: Callable[[slice, Array], None], center: Array) -> Array:
    """The sum of each group, in the shape of μ, where piece(rows, sums) writes those of single rows."""
    by_row = np.empty((blocks.shape[1], blocks.shape[0]), center.dtype)

    def work(begin: int, end: int) -> None:
        for rows in blocks.pieces(begin, end):
            piece(rows, by_row[:, rows].T)

    blocks.share(work, passes=2)
    sums = by_row if blocks.by_group[0] > 1 else sum_over(by_row, 1)
    shape = [center.shape[axis] for axis in blocks.order.axes]
    return np.ascontiguousarray(sums.reshape(shape).transpose(blocks.order.back))


def dots(a: Array, b: Array, out: Array) -> None:
    """Σ a b along the last axis of [rows, groups, neighbours], in pieces whose sums are added up by pairs."""
    whole = a.shape[2] - a.shape[2] % PIECE_OF_DOT
    shape = *a.shape[:2], whole // PIECE_OF_DOT
    rows, columns = (
        a[..., :whole].reshape(*shape, 1, PIECE_OF_DOT),
        b[..., :whole].reshape(*shape, PIECE_OF_DOT, 1),
    )
    np.add.reduce(np.matmul(rows, columns).reshape(shape), 2, out=out)
    if whole < a.shape[2]:
        out += np.matmul(a[:, :, None, whole:], b[..., whole:, None])[..., 0, 0]


def summed_to(values: Array, shape: tuple[int, ...]) -> Array:
    """The sums over the axes that `shape` has one of."""
    single = tuple([axis for axis, size in enumerate(shape) if size == 1])
    return np.asarray(sum_over(values, single, keepdims=True))
