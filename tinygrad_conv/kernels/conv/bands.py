"""Several output rows at once: one row for a product, or few, become a matrix that BLAS is quick at.

With one output for a group a product is that of a matrix and a vector: slow work for BLAS, and OpenBLAS takes
a lock each time, for which two threads wait in turn. But neighbouring windows overlap, and the patches of R
output rows, `step` rows of patches apart, lie in one piece of lowered memory. With the weights w written R
times, each time shifted by as much,

    band = w . . .          y[p .. p + R] = band V
           . w . .
           . . w .
           . . . w

it is one product. It takes more multiplications and a third of the time, where BLAS multiplies small matrices
as they lie in memory (see `threads`). Of an Inf that the zeros of the band meet they would make NaN in rows
which never see it: whoever calls `multiply_banded` has looked for one. Where BLAS does rearrange matrices,
for tiles of 4, two rows of 6 outputs fill three tiles, and what is copied is used more often.

The weight gradient is the other way round: of all products of the rows and R rows of dY, those on the band
are added up. Where BLAS rearranges matrices, here for tiles of 8, that helps with several outputs, too: four
rows of 6 fill three. Nothing off the band is looked at, so an Inf there does no harm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..blas import blas_multiplies_unpacked
from ..gemm import dot_in_halves
from ..sums import sum_over
from ..window import Array, Window

# Rows in a band, by trial on two cores:
ROWS, ROWS_BACK = 4, 2  # forward, and for a weight gradient, where BLAS multiplies unpacked matrices
TILE = 8  # outputs that OpenBLAS computes at once
PACKED_TILE, MOST_OUTPUTS = 4, 10  # forward: what it has in hand at once, and up to where that matters
SHORT = 16  # patches of so few numbers are worth more outputs than a tile has


def banded(weights: Array, step: int, together: int = ROWS) -> Array:
    """weights [groups, 1, O, K] as bands [groups, 1, together * O, K + (together - 1) * step]."""
    groups, _, outputs, inner = weights.shape
    bands = np.zeros((groups, 1, together, outputs, inner + (together - 1) * step), weights.dtype)
    for row in range(together):
        bands[:, :, row, :, row * step : row * step + inner] = weights
    return bands.reshape(groups, 1, together * outputs, -1)


def multiply_banded(bands: Array, values: Array, out: Array, together: int = ROWS) -> None:
    """Products with patches [groups, P, K, Q * N] in one piece of memory, to [groups, P, O, Q * N].

    With several outputs the rows of `out` are in one piece, too.
    """
    (groups, count, inner, columns), outputs = values.shape, out.shape[2]
    blocks, rest = divmod(count, together)
    if blocks:
        group, down, along, item = values.strides
        shape = (groups, blocks, bands.shape[3], columns)
        seen = as_strided(values, shape, (group, together * down, along, item))
        np.matmul(bands, seen, out=out[:, : count - rest].reshape(groups, blocks, -1, columns))
    if rest:
        np.matmul(bands[:, :, :outputs, :inner], values[:, -rest:], out=out[:, -rest:])


def rows_of_products(window: Window, outputs: int) -> int:
    """How many rows of y to multiply at once; 1: no bands.

    A product of 2, 6 or 10 outputs takes longer than one of 4, 8 or 12, for BLAS has four at once in hand.
    Two rows of them take .48 to .92 of the time of one after another, four rows of an odd number .37 to 1.0.
    """
    overlap = window.kernel[0] // window.stride[0]
    whole = outputs == 1 or outputs % PACKED_TILE == 0 or outputs > MOST_OUTPUTS
    if overlap < 3 or whole or window.dilation[0] > 1 or blas_multiplies_unpacked():
        return 1
    return 4 if outputs % 2 else 2


def banded_dot_products(rows: Array, errors: Array, kw: int, shift: int) -> Array:
    """dw [C, kh, kw] of padded rows [C, P, kh, W * N] and dy [C, P, Q * N].

    `shift` numbers are between two tap columns.
    """
    (channels, count, kh, _), columns = rows.shape, errors.shape[2]
    dw = np.zeros((channels, kh, kw), rows.dtype)
    group, down, along, item = rows.strides
    step = down // along
    for together, first in ((ROWS_BACK, 0), (1, count - count % ROWS_BACK)):
        blocks = (count - first) // together
        shape = (channels, blocks, kw, kh + (together - 1) * step, columns)
        seen = as_strided(rows[:, first:], shape, (group, together * down, shift * item, along, item))
        met = errors[:, first : first + blocks * together].reshape(channels, blocks, 1, together, columns)
        products = sum_over(dot_in_halves(seen, met), (1,))
        for row in range(together):
            dw += products[:, :, row * step : row * step + kh, row].swapaxes(1, 2)
    return dw


def rows_at_once(window: Window, inner: int, outputs: int) -> int:
    """How many rows of dY to multiply at once, if patches have `inner` numbers; 1: no bands.

    Most of a patch's numbers are its neighbours' too.
    """
    overlap = window.kernel[0] // window.stride[0]
    if overlap < 3 or outputs == 1 or blas_multiplies_unpacked():
        return 1
    if outputs % TILE == 0:
        return 2 if inner <= SHORT else 1
    two_fill_tiles = 2 * outputs % TILE == 0
    return 2 if two_fill_tiles or overlap < 5 else 4


class SeveralRows(NamedTuple):
    """Patches of some rows at once, and those rows of dY."""

    values: Array
    errors: Array
    step: int  # how far apart the patches are
    rest: slice  # which rows are left over


def several_rows(values: Array, errors: Array, together: int) -> SeveralRows:
    """Of values [1, P, 1, K, Q * N], in one piece of memory, and errors [1, P, 1, O, Q * N]."""
    _, count, _, inner, columns = values.shape
    blocks, rest = divmod(count, together)
    group, down, apart, along, item = values.strides
    step = down // along
    shape = (1, blocks, 1, inner + (together - 1) * step, columns)
    seen = as_strided(values, shape, (group, together * down, apart, along, item), writeable=False)
    met = errors[:, : count - rest].reshape(1, blocks, 1, together * errors.shape[3], columns)
    return SeveralRows(seen, met, step, slice(count - rest, count))


def on_band(products: Array, step: int, shape: tuple[int, ...]) -> Array:
    """What stands on the band of products [..., K + (R - 1) * step, R * O], added up to [..., K, O]."""
    total, (inner, outputs) = np.zeros(shape, products.dtype), shape[-2:]
    for row in range(products.shape[-1] // outputs):
        total += products[..., row * step : row * step + inner, row * outputs : (row + 1) * outputs]
    return total
