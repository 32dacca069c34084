"""Products of matrices and linear layers, written into memory that is kept."""

from __future__ import annotations

import numpy as np

from ... import kernels
from ..linalg import linear, matmul

SMALL = kernels.WORTH_HOLDING_BLAS  # multiplications: beyond, BLAS is held, and work shared


@matmul.replayed()
def matmul_replayed(out, shared, a, b):
    """A B."""
    return product_into(out, a, b)


@matmul.replayed("a")
def matmul_da_replayed(out, shared, dy, b, a_shape):
    """dA = dY Bᵀ."""
    product = product_into(out, dy, b.T)
    return None if product is None else lambda dy, b, a_shape: product(dy, b.T)


@matmul.replayed("b")
def matmul_db_replayed(out, shared, dy, a, b_shape):
    """dB = Aᵀ dY."""
    product = product_into(out, a.T, dy)
    return None if product is None else lambda dy, a, b_shape: product(a.T, dy)


@linear.replayed()
def linear_replayed(out, shared, x, w, b):
    """x Wᵀ + b."""
    product = product_into(None if b is not None else out, x, w.T)
    if product is None:
        return None
    if b is None:
        return lambda x, w, b: product(x, w.T)
    plus = np.add
    return lambda x, w, b: plus(product(x, w.T), b, out=out)


@linear.replayed("x")
def linear_dx_replayed(out, shared, dy, w):
    """dX = dY W."""
    return product_into(out, dy, w)


@linear.replayed("w")
def linear_dw_replayed(out, shared, dy, x):
    """dW = dYᵀ X."""
    product = product_into(out, dy.T, x) if dy.ndim == 2 else None
    return None if product is None else lambda dy, x: product(dy.T, x)


@linear.replayed("b")
def linear_db_replayed(_, shared, dy):
    """db = Σ dY."""
    sum_over = kernels.sum_over
    return (lambda dy: sum_over(dy, (0,))) if dy.ndim == 2 and dy.dtype.itemsize > 2 else None


def product_into(out, a, b):
    """a @ b of two matrices, into `out` where that lies as the product does."""
    if a.ndim != 2 or b.ndim != 2 or a.dtype is not b.dtype or a.shape[1] == 1 or not a.size or not b.size:
        return None
    if a.size * b.shape[1] >= SMALL:
        return kernels.matmul
    if out is None or not out.flags.c_contiguous:
        return lambda a, b: a.dot(b)
    return lambda a, b: a.dot(b, out)
