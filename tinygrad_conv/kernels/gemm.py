"""Matrix products, in the pieces that BLAS and its threads are quickest at.

`matmul` is that of linear layers. Left alone, a large product would wake the threads of BLAS, which go on
spinning for a tenth of a second afterwards, in the way of the threads that share the next convolution. So
large products hold BLAS too, and share their rows. Where each number is a long sum, `long_matmul` and
`dot_in_halves` cut that sum and add up the halves, so that the rounding stays small.

`multiply_in_pieces` and `multiply_in_tiles` are for low matrices. A large product pays for itself when BLAS
first copies both matrices into an order of its own. With few rows it does not, for each number that is copied
is used only so many times. OpenBLAS knows, and on processors with AVX-512 it skips the copy in products of up
to a million multiplications. So there (see `blas`) a low matrix times a wide one is cut into products of that
size by strided views: twice as fast for 16 rows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .blas import blas_held, blas_multiplies_unpacked
from .sums import LONGEST_DOT, sum_in_halves
from .threads import WORTH_HOLDING_BLAS, WORTH_SHARING, product_time, share
from .window import Array

# All of it is known of OpenBLAS 0.3.31 on two cores with AVX-512, by trial.
LARGEST_UNPACKED = 1_000_000  # multiplications of a piece
LARGEST_UNPACKED_TILE = 1100  # numbers in the product of two wide matrices; larger ones are always copied
LOW = 48  # rows of a matrix that is low; beyond, it matters no more
NARROWEST_PIECE = 64  # columns of a piece
TALL, WIDE = 144, 32  # rows and columns of a product by tiles, from which on the copy pays for itself
HIGHEST_TILE, HIGHEST_NARROW_TILE = 16, 48  # rows of a tile, where the product is WIDE and where it is not
TOGETHER = 8  # rows or columns that OpenBLAS has in hand at once


def matmul(a: Array, b: Array) -> Array:
    """a @ b, by the rules of np.matmul."""
    multiplications = a.size * (b.shape[-1] if b.ndim > 1 else 1)
    if multiplications < WORTH_HOLDING_BLAS:
        if a.ndim == b.ndim == 2 and a.dtype == b.dtype:
            return dot(a, b)
        return np.asarray(np.matmul(a, b))
    if a.shape[-1] > LONGEST_DOT and a.dtype.kind == b.dtype.kind == "f":
        return long_matmul(a, b)
    with blas_held():
        time = product_time(multiplications)
        if a.ndim != 2 or b.ndim != 2 or time < WORTH_SHARING:
            return np.asarray(np.matmul(a, b))
        product = np.empty((a.shape[0], b.shape[1]), np.result_type(a, b))

        def work(first: int, last: int) -> None:
            np.matmul(a[first:last], b, out=product[first:last])

        share(work, len(a), time)
        return product


def dot(a: Array, b: Array) -> Array:
    """a @ b of two matrices of one dtype, in half the time that np.matmul takes to be called.

    To `ndarray.dot` a matrix of one number is a factor, and BLAS leaves out what has the factor 0: 0 · ∞
    would be 0. So a column times a row is multiplied number by number.
    """
    return a * b if a.shape[1] == 1 else a.dot(b)


def long_matmul(a: Array, b: Array) -> Array:
    """The same of floats, where each number of the product is a long sum: that is added up in halves."""
    if a.dtype == b.dtype == np.float16:
        return matmul(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)

    def product(first: int, last: int) -> Array:
        return matmul(a[..., first:last], b[first:last] if b.ndim == 1 else b[..., first:last, :])

    return sum_in_halves(product, 0, a.shape[-1], LONGEST_DOT)


def multiply_in_pieces(a: Array, b: Array, out: Array | None = None) -> Array:
    """a [..., M, K] @ b [..., K, N], the columns in pieces.

    `b` has contiguous rows, and the leading axes of the product.
    """
    (rows, inner), columns = a.shape[-2:], b.shape[-1]
    count = piece_count(rows * inner, columns) if rows <= LOW and blas_multiplies_unpacked() else 1
    if count == 1:
        return np.asarray(np.matmul(a, b, out=out))
    if out is None:
        out = np.empty((*b.shape[:-2], rows, columns), b.dtype)
    np.matmul(a[..., None, :, :], _cut(b, count), out=_cut(out, count))
    return out


def multiply_in_tiles(a: Array, b: Array, out: Array) -> Array:
    """a [..., M, K] @ b^T with b [..., N, K], where both are low, written to out [..., M, N] in tiles."""
    (rows, inner), columns = a.shape[-2:], b.shape[-2]
    if inner > LONGEST_DOT:
        half = inner // 2
        multiply_in_tiles(a[..., :half], b[..., :half], out)
        out += multiply_in_tiles(a[..., half:], b[..., half:], np.empty_like(out))
        return out
    height, width = tile_shape(rows, inner, columns)
    if (height, width) == (rows, columns):
        return np.asarray(np.matmul(a, b.swapaxes(-1, -2), out=out))
    upper = a.reshape(*a.shape[:-2], rows // height, 1, height, inner)
    lower = b.reshape(*b.shape[:-2], 1, columns // width, width, inner)
    tiles = out.reshape(*out.shape[:-2], rows // height, height, columns // width, width).swapaxes(-2, -3)
    np.matmul(upper, lower.swapaxes(-1, -2), out=tiles)
    return out


def dot_in_halves(a: Array, b: Array) -> Array:
    """a [..., M, K] @ b^T with b [..., N, K], of which a long K is added up in halves."""

    def work(first: int, last: int) -> Array:
        return np.asarray(np.matmul(a[..., first:last], b[..., first:last].swapaxes(-1, -2)))

    return sum_in_halves(work, 0, a.shape[-1], LONGEST_DOT)


@lru_cache(maxsize=512)
def piece_count(multiplications: int, columns: int) -> int:
    """Into how many equal pieces to cut `columns`, each of which takes so many multiplications."""
    if multiplications * columns <= LARGEST_UNPACKED:
        return 1
    counts = range(2, columns // NARROWEST_PIECE + 1)
    fitting = (n for n in counts if columns % n == 0 and multiplications * columns // n <= LARGEST_UNPACKED)
    return next(fitting, 1)


@lru_cache(maxsize=512)
def tile_shape(rows: int, inner: int, columns: int) -> tuple[int, int]:
    """The tile of a product of two low matrices, one transposed, that BLAS is quickest at.

    The whole product if there is none.
    """
    most = min(LARGEST_UNPACKED_TILE, LARGEST_UNPACKED // max(1, inner))
    if rows * columns <= most or (rows >= TALL and columns >= WIDE) or not blas_multiplies_unpacked():
        return rows, columns
    height = _tile_height(rows, HIGHEST_TILE if columns >= WIDE else HIGHEST_NARROW_TILE)
    width = _largest_divisor(columns, most // height)
    return (height, width) if min(height, width) >= TOGETHER else (rows, columns)


def _tile_height(rows: int, limit: int) -> int:
    """A multiple of the rows that BLAS has in hand at once, or else any divisor."""
    if rows % TOGETHER == 0:
        return TOGETHER * _largest_divisor(rows // TOGETHER, limit // TOGETHER)
    return _largest_divisor(rows, limit)


def _largest_divisor(number: int, limit: int) -> int:
    """The largest divisor of `number` that is not above `limit`; 0 if the limit is below 1."""
    return next((divisor for divisor in range(min(number, limit), 0, -1) if number % divisor == 0), 0)


def _cut(matrix: Array, count: int) -> Array:
    """[..., M, N] as [..., pieces, M, N / pieces], without a copy."""
    return matrix.reshape(*matrix.shape[:-1], count, -1).swapaxes(-2, -3)
