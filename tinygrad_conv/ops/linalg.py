"""Matrix products."""

from __future__ import annotations

import math

from .. import kernels
from ..engine.op import primitive
from ..errors import ShapeError, show_shape
from .reduce import sum, sum_to
from .shape import reshape, transpose


@primitive
def matmul(a, b):
    """A B for the last two dimensions, [..., n, k] and [..., k, m]; those before broadcast. A 1-D operand is a row as a, a
    column as b, and that dimension is dropped from the result."""
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ShapeError(f"matmul: a {show_shape(a.shape)} and b {show_shape(b.shape)} do not fit: [..., n, k] times [..., k, m]")
    try:
        return kernels.matmul(a, b)
    except ValueError:
        shapes = f"a {show_shape(a.shape)} and b {show_shape(b.shape)}"
        raise ShapeError(f"matmul: the leading dimensions of {shapes} do not broadcast") from None


@matmul.grad("a")
def matmul_da(dy, b, a_shape):
    """dA = dY Bᵀ, summed over broadcast leading dimensions."""
    if b.ndim == 2:
        return matmul(dy, transpose(b, dim0=0, dim1=1))
    row, column = len(a_shape) == 1, b.ndim == 1
    b = b[:, None] if column else b
    da = matmul(as_matrix(dy, row, column), transpose(b, dim0=-2, dim1=-1))
    return sum_to(da, shape=a_shape)


@matmul.grad("b")
def matmul_db(dy, a, b_shape):
    """dB = Aᵀ dY, summed over broadcast leading dimensions."""
    if a.ndim == 2:
        return matmul(transpose(a, dim0=0, dim1=1), dy)
    row, column = a.ndim == 1, len(b_shape) == 1
    a = a[None, :] if row else a
    db = matmul(transpose(a, dim0=-2, dim1=-1), as_matrix(dy, row, column))
    return reshape(sum_to(db, shape=(*b_shape, 1) if column else b_shape), shape=b_shape)


def as_matrix(dy, row, column):
    """dY with the dimensions that 1-D operands had dropped."""
    dy = dy[..., None] if column else dy
    return dy[..., None, :] if row else dy


@primitive
def linear(x, w, b=None):
    """x Wᵀ + b: x [..., in], w [out, in], b [out] or none → [..., out]."""
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1] or (b is not None and b.shape != w.shape[:1]):
        shapes = f"x {show_shape(x.shape)}, w {show_shape(w.shape)}" + (f", b {show_shape(b.shape)}" if b is not None else "")
        raise ShapeError(f"linear: {shapes} do not fit x [..., in], w [out, in], b [out]")
    y = kernels.matmul(x, w.T)
    return y if b is None else y + b


@linear.grad("x")
def linear_dx(dy, w):
    """dX = dY W."""
    return matmul(dy, w)


@linear.grad("w")
def linear_dw(dy, x):
    """dW = dYᵀ X, over all leading dimensions at once."""
    return matmul(transpose(as_rows(dy), dim0=0, dim1=1), as_rows(x))


@linear.grad("b")
def linear_db(dy):
    """db = Σ dY over all leading dimensions."""
    return sum(as_rows(dy), dim=0)


def as_rows(x):
    """[..., n] as the rows of a matrix."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))
