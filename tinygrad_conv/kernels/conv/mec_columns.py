"""MEC by output columns: a matrix product for each output place, all samples of it at once.

    Y[p, q] = W V[q, p]        W [O, K], V[q, p] [K, N], K = kh * kw * C

With N samples innermost, the patch of a place can be one piece of memory. If output columns stand outermost,

    lowered[q, h, j, c, n] = x[n, c, h - top, q * stride + j * dilation - left]

the kh rows of a patch lie one after another, and patches of neighbouring rows overlap: no more is copied than
by `mec`, whose patches are cut out of rows of Q * N numbers. These are often a multiple of a large power of
two apart, and drive each other out of the first cache while a product reads them; a patch in one piece stays
there. It pays where BLAS multiplies small matrices as they lie (see `gemm`). Columns, not rows, are what is
shared out, so that no row is lowered twice.

A column is lowered kw times, for every tap column that reads it. If the kernel is wider than it is high, rows
and columns exchange their parts (see `identities`), and a row is lowered kh times: of 1x7 nothing is copied
more than once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from ..gemm import multiply_in_pieces
from ..memory_order import Rows, aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..pointwise import all_finite
from ..threads import Work, correlation_time, share_in_turn
from ..window import Array, Window
from .identities import Interleaved, exchanged, flipped, interleaved, mirrored
from .lowering import Lowering, lowering_of, margins

BLOCK_BYTES = 1 << 20  # of lowered columns that products read, by trial on two cores


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

    def work(part: Interleaved, begin: int, end: int) -> None:
        target = y[part.outputs].transpose(2, 0, 1, 3)
        for columns, patches in column_patches(x[part.inputs], part.window, begin, end):
            multiply_in_pieces(weights, patches, out=target[columns])

    share_in_turn(
        [
            Work(partial(work, part), window.out[1], correlation_time(part.window, x.shape[3], w.size))
            for part in interleaved(window)
        ]
    )


class ColumnPatches(NamedTuple):
    """Patches of some output columns, ready to be multiplied: [columns, P, kh * kw * C, N]."""

    columns: slice
    values: Array


def column_patches(x: Rows, window: Window, begin: int, end: int) -> Iterator[ColumnPatches]:
    """The patches of output columns [begin, end), as many at a time as stay in the cache.

    `values` holds until the next are asked for.
    """
    (kh, kw), (count, _), (down, _) = window.kernel, window.out, window.stride
    channels, samples, height = x.shape[1], x.shape[3], (count - 1) * down + kh
    row = kw * channels * samples
    together = max(1, min(end - begin, BLOCK_BYTES // (height * row * x.itemsize)))
    lowered = aligned_empty((together, height, kw, channels, samples), x.dtype)
    by_row = lowered.transpose(1, 2, 3, 0, 4)
    patches = contiguous_view(
        lowered, 0, (together, count, kh * kw * channels, samples), (height * row, down * row, samples, 1)
    )
    for block in blocks(window, begin, end, together):
        block.lowering.fill(by_row, x)
        yield ColumnPatches(block.columns, patches[: block.columns.stop - block.columns.start])


class Block(NamedTuple):
    """Some output columns, and how they are lowered."""

    columns: slice
    lowering: Lowering


@lru_cache(maxsize=256)
def blocks(window: Window, begin: int, end: int, together: int) -> tuple[Block, ...]:
    """Output columns [begin, end), so many at a time."""
    return tuple(block_of(window, first, min(first + together, end)) for first in range(begin, end, together))


def block_of(window: Window, first: int, last: int) -> Block:
    """Output columns [first, last)."""
    (count, _), (vertical, (left, _)), (down, along) = window.out, window.padding, window.stride
    part = window._replace(out=(count, last - first), padding=(vertical, (left - first * along, 0)))
    rows = lowering_of(part, 0, (count - 1) * down + window.kernel[0])
    return Block(slice(first, last), Lowering((*margins(part), *rows.zeros), rows.copies))
