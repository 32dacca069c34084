"""One output for a group, and so one row for a product: several output rows at once make a matrix of it again.

A matrix times a vector is slow work for BLAS, and OpenBLAS takes a lock each time, for which two threads wait in turn. But
neighbouring windows overlap, and the patches of R output rows, `step` rows of patches apart, lie in one piece of lowered
memory. With the weights w written R times, each time shifted by as much,

    band = w . . .          y[p .. p + R] = band V
           . w . .
           . . w .
           . . . w

it is one product. It takes more multiplications and a third of the time, where BLAS multiplies small matrices as they lie in
memory (see `threads`). Of an Inf that the zeros of the band meet they would make NaN in rows which never see it: whoever calls
`multiply` has looked for one.

The weight gradient is the other way round: of all products of the rows and R rows of dY, those on the band are added up.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .layout import Array

ROWS = 4
ROWS_BACK = 2


def banded(weights: Array, step: int) -> Array:
    """weights [groups, 1, 1, K] as bands [groups, 1, ROWS, K + (ROWS - 1) * step]."""
    inner = weights.shape[3]
    bands = np.zeros((*weights.shape[:2], ROWS, inner + (ROWS - 1) * step), weights.dtype)
    for row in range(ROWS):
        bands[:, :, row, row * step : row * step + inner] = weights[:, :, 0]
    return bands


def multiply(bands: Array, values: Array, out: Array) -> None:
    """The products of [groups, P, K, Q * N], patches in one piece of lowered memory, written to [groups, P, 1, Q * N]."""
    groups, count, inner, columns = values.shape
    blocks, rest = divmod(count, ROWS)
    if blocks:
        group, down, along, item = values.strides
        shape = (groups, blocks, bands.shape[3], columns)
        seen = as_strided(values, shape, (group, ROWS * down, along, item))
        np.matmul(bands, seen, out=out[:, : count - rest, 0].reshape(groups, blocks, ROWS, columns))
    if rest:
        np.matmul(bands[:, :, :1, :inner], values[:, -rest:], out=out[:, -rest:])


def dot_products(rows: Array, errors: Array, kw: int, shift: int) -> Array:
    """dw [C, kh, kw], of padded rows [C, P, kh, W * N] and dy [C, P, Q * N]; `shift` numbers are between two tap columns."""
    (channels, count, kh, _), columns = rows.shape, errors.shape[2]
    dw = np.zeros((channels, kh, kw), rows.dtype)
    group, down, along, item = rows.strides
    step = down // along
    for together, first in ((ROWS_BACK, 0), (1, count - count % ROWS_BACK)):
        blocks = (count - first) // together
        shape = (channels, blocks, kw, kh + (together - 1) * step, columns)
        seen = as_strided(rows[:, first:], shape, (group, together * down, shift * item, along, item))
        met = errors[:, first : first + blocks * together].reshape(channels, blocks, 1, together, columns)
        products = np.matmul(seen, met.swapaxes(3, 4)).sum(axis=1)
        for row in range(together):
            dw += products[:, :, row * step : row * step + kh, row].swapaxes(1, 2)
    return dw
