"""Depthwise convolution, a channel by itself: few multiplications, so what is copied counts.

With the memory order H, C, W, N and no stride along the width, what tap j of a row of windows sees is one run
of numbers in the padded row. So rows are padded, but not lowered:

    Y[c, p]     = sum over i, j of w[c, i, j] X[c, p * stride + i, j * dilation ..]
    dW[c, i, j] = sum over p of < X[c, p * stride + i, j * dilation ..], dY[c, p] >

In the first line `np.einsum` adds a multiple of one run after another to the row of Y, which stays in the
first cache meanwhile. Products of matrices would take fewer steps, but lowered rows. The second line is
nothing but dot products: BLAS multiplies runs with the row of dY where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..blas import blas_multiplies_unpacked
from ..gemm import dot_in_halves
from ..memory_order import Rows, aligned_empty, compute_type, contiguous_view, from_rows, to_rows
from ..pointwise import all_finite
from ..sums import sum_over
from ..threads import share
from ..window import Array, Window
from .bands import banded_dot_products
from .grouped import CACHE_BYTES_OF_GROUPS, LoweredGroups, guessed_time, lowered_groups
from .identities import Interleaved, flipped, interleaved, mirrored
from .lowering import between_margins, lower


def correlate(x: Array, w: Array, window: Window, groups: int) -> Array:
    """y [N, C, P, Q] of x [N, C, H, W] and w [C, 1, kh, kw], stride 1 along the width."""
    dtype, result = compute_type(x.dtype, w.dtype)
    rows, weights = to_rows(x, dtype), w[:, 0].astype(dtype, copy=False)
    (height, width), samples = window.out, len(x)
    y = aligned_empty((height, groups, width * samples), dtype)
    shift = window.dilation[1] * samples

    def work(part: Interleaved, begin: int, end: int) -> None:
        target = y[part.outputs]
        for some, values in padded_channels(rows[part.inputs], padded(part.window), begin, end):
            seen = runs(values, window.kernel[1], shift, width * samples)
            np.einsum("cij,pcijm->pcm", weights[some], seen, out=target[:, some])

    for part in interleaved(window):
        share(partial(work, part), groups, guessed_time(part.window, samples, 1, w.size))
    return from_rows(y.reshape(height, groups, width, samples), result)


def correlate_input_grad(dy: Array, w: Array, window: Window, groups: int) -> Array | None:
    """dx [N, C, H, W] of dy [N, C, P, Q], stride 1: a correlation, mirrored. None if w is not finite."""
    if not all_finite(w):
        return None
    return correlate(dy, flipped(w, groups), mirrored(window), groups)


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [C, 1, kh, kw] of x [N, C, H, W] and dy [N, C, P, Q], stride 1 along the width."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    by_channel = errors.reshape(len(errors), groups, -1).swapaxes(0, 1)
    dw = np.zeros((groups, *window.kernel), dtype)
    shift = window.dilation[1] * len(x)
    products = banded_dot_products if blas_multiplies_unpacked() else dot_products

    def work(part: Interleaved, begin: int, end: int) -> None:
        for channels, values in lowered_groups(rows[part.inputs], padded(part.window), groups, begin, end):
            dw[channels] += products(values, by_channel[channels, part.outputs], window.kernel[1], shift)

    for part in interleaved(window):
        share(partial(work, part), groups, guessed_time(part.window, len(x), 1, dw.size))
    return dw[:, None].astype(result, copy=False)


def padded(window: Window) -> Window:
    """A window as high and one tap wide, to lower rows with that are nothing but padded."""
    return window._replace(kernel=(window.kernel[0], 1), out=(window.out[0], window.reach(1)))


def padded_channels(x: Rows, window: Window, begin: int, end: int) -> Iterator[LoweredGroups]:
    """Padded rows of channels [begin, end), as many at a time as stay in the cache: [P, channels, kh, W * N].

    `values` holds until the next are asked for.
    """
    (kh, _), stride, (count, width), samples = window.kernel, window.stride[0], window.out, x.shape[3]
    height, row = (count - 1) * stride + kh, width * samples
    together = max(1, min(end - begin, CACHE_BYTES_OF_GROUPS // (height * row * x.itemsize)))
    memory = between_margins((1, height, 1, together, width, samples), window, x.dtype)
    steps = stride * together * row, row, together * row, 1
    for first in range(begin, end, together):
        some = slice(first, min(first + together, end))
        channels = some.stop - first
        lower(x[:, some], memory[:, :, :, :channels], 0, window)
        yield LoweredGroups(some, contiguous_view(memory, 0, (count, channels, kh, row), steps))


def runs(rows: Array, kw: int, shift: int, length: int) -> Array:
    """What each tap sees of padded rows [..., kh, W * N]: [..., kh, kw, length]."""
    *steps, item = rows.strides
    return as_strided(rows, (*rows.shape[:3], kw, length), (*steps, shift * item, item), writeable=False)


def dot_products(rows: Array, errors: Array, kw: int, shift: int) -> Array:
    """dw [C, kh, kw] of padded rows [C, P, kh, W * N] and dy [C, P, Q * N].

    `shift` numbers are between two tap columns.
    """
    seen = runs(rows, kw, shift, errors.shape[2])[..., None, :]
    return np.asarray(sum_over(dot_in_halves(seen, errors[:, :, None, None, None])[..., 0, 0], 1))
