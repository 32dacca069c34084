"""Softmax and its logarithm, both shifted by the maximum, so that no exponential overflows."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from . import reduce
from .arguments.dims import one_dim
from .arguments.values import check_float
from .conversion import wide
from .elementary import exp


@primitive
def softmax(x, *, dim):
    """eˣ / Σ eˣ along `dim`: positive, and 1 in sum. Raises DtypeError for integers."""
    check_float("softmax", input=x)
    axis = axis_of("softmax", x, dim)
    with np.errstate(over="ignore", invalid="ignore"):
        y = np.exp(shifted(x, axis))
    y /= kernels.sum_over(y, axis, keepdims=True)
    return y.astype(x.dtype, copy=False)


@softmax.grad("x")
def softmax_dx(dy, y, dim):
    """∂yᵢ/∂xⱼ = yᵢ (1[i = j] - yⱼ), so dX = y (dY - Σ dY y)."""
    y, dy = wide(y), wide(dy)
    return y * (dy - reduce.sum(dy * y, dim=dim, keepdim=True))


@primitive
def log_softmax(x, *, dim):
    """x - ln Σ eˣ along `dim`, the logarithm of softmax. Raises DtypeError for integers."""
    check_float("log_softmax", input=x)
    axis = axis_of("log_softmax", x, dim)
    # the sum is 0 only where there are no classes, and so no results
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        y = shifted(x, axis)
        y = y - np.log(kernels.sum_over(np.exp(y), axis, keepdims=True))
    return y.astype(x.dtype, copy=False)


@log_softmax.grad("x")
def log_softmax_dx(dy, y, dim):
    """∂yᵢ/∂xⱼ = 1[i = j] - softmax(x)ⱼ, so dX = dY - eʸ Σ dY."""
    y, dy = wide(y), wide(dy)
    return dy - exp(y) * reduce.sum(dy, dim=dim, keepdim=True)


def shifted(x, axis):
    """x less its maximum along an axis: softmax is the same, and every exponential at most 1.

    NaN where all are -inf. Called where NumPy's warnings are kept back: e^-inf is 0, and inf - inf is NaN, as
    in PyTorch.
    """
    x = wide(x)
    return np.asarray(x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf))


def axis_of(op, x, dim):
    """The axis of `dim`; a number alone has none, and is its own maximum and sum."""
    axis = one_dim(op, dim, x.ndim)
    return axis if x.ndim else ()
