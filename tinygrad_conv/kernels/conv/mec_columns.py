"""MEC by output columns: a matrix product for each output place, all samples of it at once.

    Y[p, q] = W V[q, p]        W [O, K], V[q, p] [K, N], K = kh * kw * C

With N samples innermost, the patch of a place can be one piece of memory. If output columns stand outermost,

    lowered[q, h, j, c, n] = x[n, c, h - top, q * stride + j * dilation - left]

the kh rows of a patch lie one after another, and patches of neighbouring rows overlap: no more is copied than
by `mec`, whose patches are cut out of rows of Q * N numbers. These are often a multiple of a large power of
two apart, and drive each other out of the first cache while a product reads them; a patch in one piece stays
there. It pays where BLAS multiplies small matrices as they lie (see `gemm`). Columns, not rows, are what is
shared out, so that no row is lowered twice.

Few samples make short runs of numbers, which take long to copy, and narrow products. So a place may have some
neighbouring columns, side by side in each row of its patch:

    lowered[place, h, j, c, (b, n)] = x[n, c, h - top, place * columns + b + j * dilation - left]

A column is lowered kw times, for every tap column that reads it. If the kernel is wider than it is high, rows
and columns exchange their parts (see `identities`), and a row is lowered kh times: of 1x7 nothing is copied
more than once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..gemm import multiply_in_pieces
from ..memory_order import Rows, aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..pointwise import all_finite
from ..threads import Work, correlation_time, share_in_turn
from ..window import Array, Overlap, Window, overlap
from .identities import Interleaved, exchanged, flipped, interleaved, mirrored

# By trial on two cores:
BLOCK_BYTES = 1 << 20  # of lowered columns that products read
LONGEST_RUN = 64  # numbers of a place, columns times samples
LARGEST_PRODUCT = 160_000  # multiplications of a place that has several columns
EACH = slice(None)


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C, kh, kw]."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows, (height, width) = to_rows(x, dtype), window.out
    y = aligned_empty((height, len(w), width, len(x)), dtype)
    if window.kernel[0] < window.kernel[1]:  # then fewer copies are made along the height
        fill(y.transpose(2, 1, 0, 3), rows.transpose(2, 1, 0, 3), w.swapaxes(2, 3), exchanged(window))
    else:
        fill(y, rows, w, window)
    return from_rows(y, result)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] with stride 1, as a correlation with the mirrored window; None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def fill(y: Rows, x: Rows, w: Array, window: Window) -> None:
    """y [P, O, Q, N] of x [H, C, W, N], both in any memory order, and w [O, C, kh, kw]."""
    weights = np.ascontiguousarray(w.transpose(0, 2, 3, 1), y.dtype).reshape(len(w), -1)
    samples = x.shape[3]
    wide = columns_together(window, samples, w.size) if y.flags.c_contiguous else 1
    places = window.out[1] // wide
    by_place = y.reshape(*y.shape[:2], places, wide * samples)

    def work(part: Interleaved, begin: int, end: int) -> None:
        target = by_place[part.outputs].transpose(2, 0, 1, 3)
        for some, patches in column_patches(x[part.inputs], part.window, begin, end, wide):
            multiply_in_pieces(weights, patches, out=target[some])

    share_in_turn(
        [
            Work(partial(work, part), places, correlation_time(part.window, samples, w.size))
            for part in interleaved(window)
        ]
    )


class ColumnPatches(NamedTuple):
    """Patches of some places, ready to be multiplied: [places, P, kh * kw * C, columns of a place * N]."""

    places: slice
    values: Array


def column_patches(x: Rows, window: Window, begin: int, end: int, wide: int) -> Iterator[ColumnPatches]:
    """The patches of places [begin, end), each of so many output columns, as many at a time as stay in the
    cache.

    `values` holds until the next are asked for.
    """
    (kh, kw), (count, _), (down, _) = window.kernel, window.out, window.stride
    channels, samples, height = x.shape[1], x.shape[3], (count - 1) * down + kh
    run = wide * samples
    row = kw * channels * run
    together = max(1, min(end - begin, BLOCK_BYTES // (height * row * x.itemsize)))
    lowered = aligned_empty((together, height, kw, channels, wide, samples), x.dtype)
    patches = contiguous_view(
        lowered, 0, (together, count, kh * kw * channels, run), (height * row, down * row, run, 1)
    )
    by_tap = lowered.transpose(2, 1, 3, 0, 4, 5)
    for block in blocks(window, begin, end, together, wide):
        block.lower(x, by_tap)
        yield ColumnPatches(block.places, patches[: block.places.stop - block.places.start])


class Block(NamedTuple):
    """Some places, and what their lowered columns [kw, rows, C, places, columns, N] are made of: indices."""

    places: slice
    copies: tuple[tuple[Any, Any], ...]  # of these, and of x [H, C, W, N]
    zeros: tuple[Any, ...]

    def lower(self, x: Rows, lowered: Array) -> None:
        """Fill them: first what takes long, for in the meantime another thread can begin."""
        for place, source in self.copies:
            target = lowered[place]
            target[...] = x[source].reshape(target.shape)
        for place in self.zeros:
            lowered[place] = 0


@lru_cache(maxsize=256)
def blocks(window: Window, begin: int, end: int, together: int, wide: int) -> tuple[Block, ...]:
    """Places [begin, end), each of so many output columns, so many at a time."""
    return tuple(
        block_of(window, first, min(first + together, end), wide) for first in range(begin, end, together)
    )


def block_of(window: Window, first: int, last: int, wide: int) -> Block:
    """Places [first, last)."""
    (count, _), (vertical, (left, _)), (down, along) = window.out, window.padding, window.stride
    columns = (last - first) * wide
    padding = vertical, (left - first * wide * along, 0)
    part = window._replace(out=(count, columns), padding=padding)
    height = (count - 1) * down + window.kernel[0]
    rows = overlap(part._replace(kernel=(1, 1), stride=(1, 1), out=(height, 1)), 0, 0)
    copies: list[tuple[Any, Any]] = []
    zeros: list[Any] = [(EACH, side) for side in outside(rows, height)]
    for tap in range(window.kernel[1]):
        seen = overlap(part, 1, tap)
        for place, inside in in_places(seen.windows, wide):
            start = seen.start + (inside.start - seen.first) * along
            stop = start + (inside.stop - inside.start - 1) * along + 1
            source = rows.inputs, EACH, slice(start, stop, along)
            copies.append(((tap, rows.windows, EACH, *place), source))
        for side in outside(seen, columns):
            zeros += [(tap, EACH, EACH, *place) for place, _ in in_places(side, wide)]
    return Block(slice(first, last), tuple(copies), tuple(zeros))


def outside(seen: Overlap, count: int) -> list[slice]:
    """Which of so many windows lie in the padding."""
    sides = slice(0, seen.first), slice(seen.last, count)
    return [side for side in sides if side.start < side.stop]


def in_places(columns: slice, wide: int) -> list[tuple[tuple[Any, slice], slice]]:
    """Columns by the places they are in, of so many each: a place that is cut, those that are whole, one more
    that is cut. The index of a place, or of some, and of columns in it; and which columns these are.
    """
    first, last = columns.start, columns.stop
    whole, end = -(-first // wide), last // wide
    bounds = sorted({first, last, *({whole * wide, end * wide} if whole <= end else ())})
    parts = []
    for start, stop in pairwise(bounds):
        place = start // wide
        if start % wide == stop % wide == 0:
            index: tuple[Any, slice] = slice(place, stop // wide), EACH
        else:
            index = place, slice(start - place * wide, stop - place * wide)
        parts.append((index, slice(start, stop)))
    return parts


def columns_together(window: Window, samples: int, weights: int) -> int:
    """How many output columns to multiply at once: short runs of numbers take long to copy, but a larger
    product is rearranged before.
    """
    if window.stride[1] > 1:
        return 1
    fitting = min(LONGEST_RUN // samples, LARGEST_PRODUCT // (samples * weights))
    return next((count for count in range(fitting, 1, -1) if window.out[1] % count == 0), 1)
