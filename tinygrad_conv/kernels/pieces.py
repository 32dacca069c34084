"""Products of low matrices, in pieces: small enough for BLAS to multiply at once, without rearranging them
first.

A large product pays for itself when BLAS first copies both matrices into an order of its own. With few rows
it does not, for each number that is copied is used only so many times. OpenBLAS knows, and on processors with
AVX-512 it skips the copy in products of up to a million multiplications. So there (see `threads`, which asks
threadpoolctl) a low matrix times a wide one is cut into products of that size by strided views: twice as fast
for 16 rows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .layout import Array
from .threads import blas_multiplies_unpacked

LARGEST = 1_000_000  # multiplications of a piece
LOW = 48  # rows of a matrix that is low; beyond, it matters no more
SMALL = (
    1100  # numbers in the product of two wide matrices; OpenBLAS has no way around the copy for larger ones
)
NARROWEST = 64  # columns of a piece
TALL, WIDE = (
    144,
    32,
)  # rows and columns of a product with a transposed matrix, from which on the copy pays for itself


def multiply(a: Array, b: Array, out: Array | None = None) -> Array:
    """a [..., M, K] @ b [..., K, N], the columns in pieces. `b` has contiguous rows, and the leading axes of
    the product.
    """
    (rows, inner), columns = a.shape[-2:], b.shape[-1]
    count = pieces(rows * inner, columns) if rows <= LOW and blas_multiplies_unpacked() else 1
    if count == 1:
        return np.asarray(np.matmul(a, b, out=out))
    if out is None:
        out = np.empty((*b.shape[:-2], rows, columns), b.dtype)
    np.matmul(a[..., None, :, :], _cut(b, count), out=_cut(out, count))
    return out


def multiply_by_tiles(a: Array, b: Array, out: Array) -> Array:
    """a [..., M, K] @ b^T with b [..., N, K], where both are low, written to out [..., M, N] in tiles."""
    (rows, inner), columns = a.shape[-2:], b.shape[-2]
    height, width = tile(rows, inner, columns)
    if (height, width) == (rows, columns):
        return np.asarray(np.matmul(a, b.swapaxes(-1, -2), out=out))
    upper = a.reshape(*a.shape[:-2], rows // height, 1, height, inner)
    lower = b.reshape(*b.shape[:-2], 1, columns // width, width, inner)
    tiles = out.reshape(*out.shape[:-2], rows // height, height, columns // width, width).swapaxes(-2, -3)
    np.matmul(upper, lower.swapaxes(-1, -2), out=tiles)
    return out


@lru_cache(maxsize=4096)
def tile(rows: int, inner: int, columns: int) -> tuple[int, int]:
    """The tile of a product of two low matrices, one transposed, that BLAS is quickest at; the whole product
    if there is none.
    """
    most = min(SMALL, LARGEST // max(1, inner))
    if rows * columns <= most or (rows >= TALL and columns >= WIDE) or not blas_multiplies_unpacked():
        return rows, columns
    height = _height(rows, 16 if columns >= WIDE else 48)
    width = _largest_divisor(columns, most // height)
    return (height, width) if min(height, width) >= 8 else (rows, columns)


@lru_cache(maxsize=4096)
def pieces(multiplications: int, columns: int) -> int:
    """Into how many equal pieces to cut `columns`, each of which takes so many multiplications."""
    if multiplications * columns <= LARGEST:
        return 1
    counts = range(2, columns // NARROWEST + 1)
    return next((n for n in counts if columns % n == 0 and multiplications * columns // n <= LARGEST), 1)


def _cut(matrix: Array, count: int) -> Array:
    """[..., M, N] as [..., pieces, M, N / pieces], without a copy."""
    return matrix.reshape(*matrix.shape[:-1], count, -1).swapaxes(-2, -3)


def _height(rows: int, limit: int) -> int:
    """Of a tile: a multiple of 8, for so many rows are in hand at once, or else any divisor."""
    return 8 * _largest_divisor(rows // 8, limit // 8) if rows % 8 == 0 else _largest_divisor(rows, limit)


def _largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of `number` that is not above `limit`; 0 if the limit is below 1."""
    return next((divisor for divisor in range(min(number, limit), 0, -1) if number % divisor == 0), 0)
