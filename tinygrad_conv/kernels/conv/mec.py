"""MEC: correlation and its weight gradient as matrix products over lowered rows. It serves every shape.

With the patches of output row p as the columns of a matrix V[p], [K, Q*N] where K = kh * kw * C,

    Y[p]  = W V[p]                 W as [O, K]
    dW^T  = sum over p of V[p] dY[p]^T

One product per output row, all rows of a group in one call. See `lowering` for the patches. In the second
line V stands first although dW would come out the right way round with dY first: V has more rows than dY, and
OpenBLAS is 1.3 to 1.7 times faster with the taller matrix in front. Each tap column can have a product of its
own there,

    dW[j]^T  = sum over p of V[p, j] dY[p]^T         V[p, j]: [kh * C, Q*N]

and then V[p, j] is a view of the padded rows: nothing is lowered. That is the better way unless kh * C is
small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from ..blas import blas_multiplies_unpacked
from ..gemm import multiply_in_pieces, multiply_in_tiles
from ..memory_order import Rows, aligned_empty, compute_type, from_rows, to_rows
from ..pointwise import all_finite
from ..sums import sum_in_halves
from ..threads import Work, correlation_time, share_in_turn, sum_of_parts
from ..window import Array, Window
from . import bands
from .identities import Interleaved, flipped, interleaved, mirrored
from .lowering import Patches, patches, shifted_patches

# By trial on two cores:
LEAST_ROWS_APART = 16  # kh * C/groups, with AVX-512: with fewer rows a product is too thin
LEAST_ROWS_APART_PACKED = 40  # the same without
PRODUCT_BYTES = 1 << 19  # of products that wait to be added up


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, O, P, Q] of x [N, C, H, W] and w [O, C/groups, kh, kw]."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows = to_rows(x, dtype)
    samples, outputs, (height, width) = len(x), len(w), window.out
    multiply = multiplication(w.astype(dtype, copy=False), rows, window, groups)
    y = aligned_empty((height, outputs, width, samples), dtype)
    products = y.reshape(height, groups, outputs // groups, width * samples).swapaxes(0, 1)

    def work(part: Interleaved, begin: int, end: int) -> None:
        target = products[:, part.outputs]
        for done, values in patches(rows[part.inputs], part.window, groups, begin, end):
            multiply(values, out=target[:, done])

    share_in_turn(
        [
            Work(partial(work, part), part.window.out[0], correlation_time(part.window, samples, w.size))
            for part in interleaved(window)
        ]
    )
    return from_rows(y, result)


def multiplication(w: Array, x: Array, window: Window, groups: int) -> Callable[..., object]:
    """What is called with patches of x, of some rows, and their `out`. x: all its numbers, in any order."""
    weights = _as_matrices(w, groups)
    together = bands.rows_of_products(window, len(w)) if groups == 1 else 1
    if together == 1 or not all_finite(x):
        return partial(multiply_in_pieces, weights)
    step = window.stride[0] * window.kernel[1] * w.shape[1]
    return partial(bands.multiply_banded, bands.banded(weights, step, together), together=together)


def correlate_weight_grad(
    x: Array, dy: Array, window: Window, groups: int, lowered: Array | None = None
) -> Array:
    """dw [O, C/groups, kh, kw] of x [N, C, H, W] and dy [N, O, P, Q].

    lowered: the patches of x, if they are known: [1, P, kh * kw * C, Q * N].
    """
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = cache(partial(to_rows, x, dtype)), to_rows(dy, dtype)
    height, outputs, width, samples = errors.shape
    (kh, kw), channels, each = window.kernel, x.shape[1] // groups, outputs // groups
    by_group = errors.reshape(height, groups, 1, each, width * samples).swapaxes(0, 1)
    least = LEAST_ROWS_APART if blas_multiplies_unpacked() else LEAST_ROWS_APART_PACKED
    apart = window.stride[1] == 1 and kh * channels >= least
    shape = (groups, kw, kh * channels, each) if apart else (groups, 1, kh * kw * channels, each)
    together = bands.rows_at_once(window, shape[2], each) if groups == 1 and not apart else 1
    add = partial(add_several_rows, together) if together > 1 else add_products

    def add_up(part: Interleaved, begin: int, end: int) -> Array:
        source = by_group[:, part.outputs]
        total = np.zeros(shape, dtype)
        if lowered is not None and not apart:
            add(lowered[:, begin:end, None], source[:, begin:end], total)
            return total
        for done, values in weight_patches(rows()[part.inputs], part.window, groups, begin, end, apart):
            add(values, source[:, done], total)
        return total

    weights = window.taps * channels * outputs
    sums = share_in_turn(
        [
            Work(
                partial(sum_in_halves, partial(add_up, part)),
                part.window.out[0],
                correlation_time(part.window, samples, weights),
            )
            for part in interleaved(window)
        ]
    )
    dw = sum_of_parts(sums)
    if apart:
        by_tap = dw.reshape(groups, kw, kh, channels, each)
    else:
        by_tap = dw.reshape(groups, kh, kw, channels, each).swapaxes(1, 2)
    return by_tap.transpose(0, 4, 3, 2, 1).reshape(outputs, channels, kh, kw).astype(result, copy=False)


def weight_patches(
    x: Rows, window: Window, groups: int, begin: int, end: int, apart: bool
) -> Iterator[Patches]:
    """Patches with their tap columns apart, or all in one: [groups, rows, kw or 1, K, Q * N]."""
    if apart:
        yield from shifted_patches(x, window, groups, begin, end)
        return
    for rows, values in patches(x, window, groups, begin, end):
        yield Patches(rows, values[:, :, None])


def add_several_rows(together: int, values: Array, errors: Array, total: Array) -> None:
    """As `add_products`, with so many rows in one product: see `bands`."""
    several = bands.several_rows(values, errors, together)
    if several.values.shape[1]:
        wide = np.zeros((1, 1, several.values.shape[3], several.errors.shape[3]), total.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what is off the band is nobody's result
            add_products(several.values, several.errors, wide)
        total += bands.on_band(wide, several.step, total.shape)
    if several.rest.start < several.rest.stop:
        add_products(values[:, several.rest], errors[:, several.rest], total)


def add_products(values: Array, errors: Array, total: Array) -> None:
    """Add V[p] dY[p]^T of all rows p, some at a time, to total [groups, kw or 1, K, O/groups]."""
    groups, count = values.shape[:2]
    together = min(count, max(1, PRODUCT_BYTES // total.nbytes))
    products = np.empty((groups, together, *total.shape[1:]), total.dtype)
    for first in range(0, count, together):
        some = slice(first, first + together)
        part = products[:, : len(range(count)[some])]
        multiply_in_tiles(values[:, some], errors[:, some], out=part)
        total += part[:, 0] if together == 1 else part.sum(axis=1)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] with stride 1, as a correlation with the mirrored window; None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def _as_matrices(w: Array, groups: int) -> Array:
    """w [O, C/groups, kh, kw] as [groups, 1, O/groups, kh * kw * C/groups], its columns as in the patches."""
    outputs, channels, kh, kw = w.shape
    by_tap = np.ascontiguousarray(w.transpose(0, 2, 3, 1))
    return by_tap.reshape(groups, 1, outputs // groups, kh * kw * channels)
