"""The standard deviation and norms: roots of sums of powers.

A power overflows or vanishes long before its root does. So where a root is so large or so small that its
powers may have, it is taken again from numbers that are scaled to about 1, each group of numbers by its own
largest: what stands in one must not spoil another.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .. import kernels
from ..dtypes import FLOATS
from ..engine.declare import primitive
from .arguments.dims import reduced_dims
from .arguments.values import check_float, check_norm_order
from .arithmetic import pow, where
from .conversion import wide
from .elementary import abs, sign
from .masking import masked, zeros_for
from .reduce import shared_by, spread, var, var_dx


@primitive
def std(x, *, dim=None, correction=1, keepdim=False):
    """The standard deviation √var over `dim`, as `var` has it. Raises DtypeError for integers."""
    check_float("std", x=x)
    values = wide(x)
    with np.errstate(over="ignore"):
        y = np.sqrt(var.forward(values, dim=dim, correction=correction, keepdim=keepdim))
    if not safely_squared(y):
        scale, values = scaled(values, reduced_dims("std", dim, x.ndim))
        y = scale.reshape(y.shape) * np.sqrt(var(values, dim=dim, correction=correction, keepdim=keepdim))
    return y.astype(x.dtype, copy=False)


@std.grad("x")
def std_dx(dy, x, y, dim, correction, keepdim):
    """∂√var/∂x = (∂var/∂x) / (2 √var), and 0 where nothing deviates."""
    size = where(y, 1.0, condition=y != 0)
    dvar = masked(dy / size / dy.dtype.type(2), mask=y != 0)  # 2 y may overflow
    return var_dx(dvar, x, dim, correction, keepdim)


@primitive
def vector_norm(x, *, p=2, dim=None, keepdim=False):
    """‖x‖ = (Σ |x|ᵖ)^(1/p) over `dim`, also where PyTorch's powers overflow or vanish.

    For p = 0 it is the number of elements that aren't 0, for p = ±∞ the largest or smallest |x|. Raises
    DtypeError for integers, ShapeError for the extreme of nothing, ValueError for a p that is no number.
    """
    check_float("norm", x=x)
    check_norm_order("norm", p)
    dims = reduced_dims("norm", dim, x.ndim, x.shape if p < 0 or p == math.inf else None)
    magnitude = np.abs(wide(x))
    if p == math.inf:
        y = np.max(magnitude, axis=dims, keepdims=keepdim)
    elif p == -math.inf:
        y = np.min(magnitude, axis=dims, keepdims=keepdim)
    elif p == 0:
        y = np.sum(magnitude != 0, axis=dims, keepdims=keepdim)
    else:
        y = root_of_powers(magnitude, p, dims, keepdim)
    return np.asarray(y).astype(x.dtype)


@vector_norm.grad("x")
def vector_norm_dx(dy, x, y, p, dim, keepdim):
    """∂‖x‖/∂x = sign(x) (|x| / ‖x‖)^(p-1), and 0 where ‖x‖ is; for p = ±∞ sign(x), shared in a tie.

    With 0 < p < 1 it is ∞ for an x so small that |x| / ‖x‖ vanishes in the dtype.
    """
    y, dy = spread(y, x.shape, dim), spread(dy, x.shape, dim)
    if math.isinf(p):
        return sign(x) * shared_by(abs(x) == y, dy, dim)
    if p == 0:
        return zeros_for(dy)
    if p == 1:
        return dy * sign(x)
    positive = y != 0
    y, dy = where(y, 1.0, condition=positive), masked(dy, mask=positive)
    if p == 2:
        return dy * (x / y)  # smooth where an x is 0, unlike the formula's factors
    ratio = where(abs(wide(x)) / wide(y), 1.0, condition=x != 0)
    ratio = where(ratio, 1.0, condition=positive)  # its power might be ∞, and makes NaN of 0
    return dy * sign(x) * pow(ratio, p - 1)


def root_of_powers(magnitude, p, dims, keepdim):
    """(Σ |x|ᵖ)^(1/p), in float64 and from numbers of about 1 where powers might overflow or vanish."""
    with np.errstate(divide="ignore", over="ignore"):  # 0 to a negative power is ∞, and ∞ to it again 0
        y = kernels.sum_over(np.power(magnitude, p), dims, keepdim) ** (1 / p)
    if p == 1 or safely_squared(y):
        return y
    if p > 0:
        infinite = np.isinf(np.max(magnitude, axis=dims, keepdims=keepdim, initial=0.0))
        if safely_squared(np.where(infinite, y.dtype.type(1), y)):
            return y  # ∞ because a number is: nothing overflowed
    scale, values = scaled(magnitude.astype(np.float64), dims)
    with np.errstate(divide="ignore", over="ignore"):
        return scale.reshape(y.shape) * kernels.sum_over(np.power(values, p), dims, keepdim) ** (1 / p)


def safely_squared(y):
    """Whether no y ≥ 0, a root, is so large or so small that its square has lost digits; NaN stays NaN."""
    least, most = roots_of_limits(y.dtype)
    return not ((y <= least) | (y >= most)).any()


@lru_cache(maxsize=len(FLOATS))
def roots_of_limits(dtype):
    """Between which bounds a root lies whose square has all digits."""
    limits = np.finfo(dtype)
    return math.sqrt(limits.tiny / limits.eps), math.sqrt(limits.max)


def scaled(x, dims):
    """A power of 2 for each group, and x divided by it, whose largest is about 1 then.

    It is 1 where the largest is ∞, NaN or 0.
    """
    with np.errstate(invalid="ignore"):
        largest = np.max(np.abs(x), axis=dims, keepdims=True, initial=0.0)
    largest = np.where((largest == 0) | ~np.isfinite(largest), 1.0, largest)
    _, exponents = np.frexp(largest)  # a logarithm would be rounded up for the largest number of all
    scale = np.ldexp(x.dtype.type(1), exponents - 1)
    return scale, x / scale
