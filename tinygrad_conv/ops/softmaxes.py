"""Softmax and its logarithm, both shifted by the maximum, so that no exponential overflows."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from .arguments.dims import one_dim
from .arguments.dtypes import check_float
from .functions import exp, wide
from .reduce import sum


@primitive
def softmax(x, *, dim):
    """eˣ / Σ eˣ along `dim`: positive, and 1 in sum. Raises DtypeError for integers."""
    check_float("softmax", input=x)
    y = np.exp(shifted("softmax", x, dim))
    y /= kernels.sum_over(y, axis_of("softmax", x, dim), keepdims=True)
    return y.astype(x.dtype, copy=False)


@softmax.grad("x")
def softmax_dx(dy, y, dim):
    """∂yᵢ/∂xⱼ = yᵢ (1[i = j] - yⱼ), so dX = y (dY - Σ dY y)."""
    y, dy = wide(y), wide(dy)
    return y * (dy - sum(dy * y, dim=dim, keepdim=True))


@primitive
def log_softmax(x, *, dim):
    """x - ln Σ eˣ along `dim`, the logarithm of softmax. Raises DtypeError for integers."""
    check_float("log_softmax", input=x)
    y = shifted("log_softmax", x, dim)
    with np.errstate(divide="ignore"):  # the sum is 0 only where there are no classes, and so no results
        y = y - np.log(kernels.sum_over(np.exp(y), axis_of("log_softmax", x, dim), keepdims=True))
    return y.astype(x.dtype, copy=False)


@log_softmax.grad("x")
def log_softmax_dx(dy, y, dim):
    """∂yᵢ/∂xⱼ = 1[i = j] - softmax(x)ⱼ, so dX = dY - eʸ Σ dY."""
    y, dy = wide(y), wide(dy)
    return dy - exp(y) * sum(dy, dim=dim, keepdim=True)


def shifted(op, x, dim):
    """x less its maximum along dim: softmax is the same, and every exponential at most 1.

    NaN where all are -inf.
    """
    x = wide(x)
    largest = np.maximum.reduce(x, axis_of(op, x, dim), keepdims=True, initial=-np.inf)
    with np.errstate(over="ignore", invalid="ignore"):  # e^-inf is 0; inf - inf is NaN, as in PyTorch
        return np.asarray(x - largest)


def axis_of(op, x, dim):
    """The axis of `dim`; a number alone has none, and is its own maximum and sum."""
    axis = one_dim(op, dim, x.ndim)
    return axis if x.ndim else ()
