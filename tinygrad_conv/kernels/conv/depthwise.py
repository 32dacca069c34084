"""The weight gradient of a depthwise convolution: nothing but dot products.

    dW[c, i, j] = sum over p of < X[c, p * stride + i, j * dilation ..], dY[c, p] >

With the memory order H, C, W, N and no stride along the width, what tap j of a row of windows sees is one run
of numbers in the padded row. BLAS multiplies it with the row of dY where it lies: rows are padded, but not
lowered.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..blas import blas_multiplies_unpacked
from ..gemm import dot_in_halves
from ..memory_order import compute_type, to_rows
from ..sums import sum_over
from ..threads import share
from ..window import Array, Window
from .bands import banded_dot_products
from .grouped import guessed_time, lowered_groups
from .identities import Interleaved, interleaved


def correlate_weight_grad(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """dw [C, 1, kh, kw] of x [N, C, H, W] and dy [N, C, P, Q], stride 1 along the width."""
    dtype, result = compute_type(x.dtype, dy.dtype)
    rows, errors = to_rows(x, dtype), to_rows(dy, dtype)
    by_channel = errors.reshape(len(errors), groups, -1).swapaxes(0, 1)
    dw = np.zeros((groups, *window.kernel), dtype)
    shift = window.dilation[1] * len(x)
    products = banded_dot_products if blas_multiplies_unpacked() else dot_products

    def work(part: Interleaved, begin: int, end: int) -> None:
        padded = part.window._replace(kernel=(window.kernel[0], 1), out=(part.window.out[0], window.reach(1)))
        for channels, values in lowered_groups(rows[part.inputs], padded, groups, begin, end):
            dw[channels] += products(values, by_channel[channels, part.outputs], window.kernel[1], shift)

    for part in interleaved(window):
        share(partial(work, part), groups, guessed_time(part.window, len(x), 1, dw.size))
    return dw[:, None].astype(result, copy=False)


def dot_products(rows: Array, errors: Array, kw: int, shift: int) -> Array:
    """dw [C, kh, kw] of padded rows [C, P, kh, W * N] and dy [C, P, Q * N].

    `shift` numbers are between two tap columns.
    """
    *steps, item = rows.strides
    runs = as_strided(rows, (*rows.shape[:3], kw, 1, errors.shape[2]), (*steps, shift * item, item, item))
    return np.asarray(sum_over(dot_in_halves(runs, errors[:, :, None, None, None])[..., 0, 0], 1))
