"""Matrix products: A B, A Bᵀ and Aᵀ B, each of which has the other two for its rules.

    op                         its own rules, for matrices
    matmul(a, b)               ∂a: linear(dy, b)              ∂b: transposed_matmul(a, dy)
    linear(x, w)               ∂x: matmul(dy, w)              ∂w: transposed_matmul(dy, x)
    transposed_matmul(a, b)    ∂a: linear(b, dy)              ∂b: matmul(a, dy)

So no rule has to transpose anything first, which would be an op more on the tape, or a call more without it.
"""

from __future__ import annotations

import math

from .. import kernels
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from . import reduce
from .arguments.products import check_linear, check_matmul, check_same_rows
from .conversion import alike
from .reduce import sum_to
from .shape import reshape, transpose


@primitive(names=("input", "other"))
def matmul(a, b):
    """A B for the last two dimensions, [..., n, k] and [..., k, m]; those before broadcast.

    A 1-D operand is a row as a, a column as b, and that dimension is dropped from the result.
    """
    check_matmul("matmul", a, b)
    try:
        return kernels.matmul(a, b) if a.dtype is b.dtype else kernels.matmul(*alike(a, b))
    except ValueError:
        shapes = f"a {show_shape(a.shape)} and b {show_shape(b.shape)}"
        raise ShapeError(f"matmul: the leading dimensions of {shapes} do not broadcast") from None


@matmul.grad("a")
def matmul_da(dy, b, a_shape):
    """dA = dY Bᵀ, summed over broadcast leading dimensions."""
    if b.ndim == 2:
        return linear(dy, b)
    row, column = len(a_shape) == 1, b.ndim == 1
    b = b[:, None] if column else b
    da = matmul(as_matrix(dy, row, column), transpose(b, dim0=-2, dim1=-1))
    return sum_to(da, shape=a_shape)


@matmul.grad("b")
def matmul_db(dy, a, b_shape):
    """dB = Aᵀ dY, summed over broadcast leading dimensions."""
    if len(b_shape) == 2:
        return transposed_matmul(a, dy)
    row, column = a.ndim == 1, len(b_shape) == 1
    a = a[None, :] if row else a
    db = matmul(transpose(a, dim0=-2, dim1=-1), as_matrix(dy, row, column))
    return reshape(sum_to(db, shape=(*b_shape, 1) if column else b_shape), shape=b_shape)


def as_matrix(dy, row, column):
    """dY with the dimensions that 1-D operands had dropped."""
    dy = dy[..., None] if column else dy
    return dy[..., None, :] if row else dy


@primitive(names=("input", "weight", "bias"))
def linear(x, w, b=None):
    """x Wᵀ + b: x [..., in], w [out, in], b [out] or none → [..., out]."""
    check_linear("linear", x, w, b)
    if x.dtype is not w.dtype:
        x, w = alike(x, w)
    y = kernels.matmul(x, w.T)
    return y if b is None else y + b


@linear.grad("x")
def linear_dx(dy, w):
    """dX = dY W."""
    return matmul(dy, w)


@linear.grad("w")
def linear_dw(dy, x):
    """dW = dYᵀ X, over all leading dimensions at once."""
    return transposed_matmul(dy, x)


@linear.grad("b")
def linear_db(dy):
    """db = Σ dY over all leading dimensions."""
    return reduce.sum(as_rows(dy), dim=0)


@primitive
def transposed_matmul(a, b):
    """Aᵀ B for a [..., n] and b [..., m] → [n, m]: leading dimensions, which must agree, count as rows."""
    check_same_rows("transposed_matmul", a, b)
    if a.dtype is not b.dtype:
        a, b = alike(a, b)
    return kernels.matmul(as_rows(a).T, as_rows(b))


@transposed_matmul.grad("a")
def transposed_matmul_da(dy, b):
    """dA = B dYᵀ."""
    return linear(b, dy)


@transposed_matmul.grad("b")
def transposed_matmul_db(dy, a):
    """dB = A dY."""
    return matmul(a, dy)


def as_rows(x):
    """[..., n] as the rows of a matrix."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))
