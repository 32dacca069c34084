"""Functions of one number, applied to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..dtypes import HALF, Array, get_default_dtype, no_dtype, promote
from ..engine.declare import primitive
from ..errors import DtypeError


def floating(x: Array) -> Array:
    """Integers and bools as floats of the default dtype, for functions whose result is no integer."""
    return x if x.dtype.kind == "f" else x.astype(get_default_dtype())


def alike(*xs: Array) -> Sequence[Array]:
    """Arrays in one dtype, as in arithmetic: float32 and int64 as float32, of which NumPy makes float64."""
    dtype = xs[0].dtype
    for x in xs:
        if x.dtype is not dtype:
            return promote(list(xs), [False] * len(xs))
    return xs


@primitive(names=("input",))
def exp(x):
    """eˣ."""
    return np.exp(floating(x))


@exp.grad("x")
def exp_dx(dy, y):
    """∂eˣ/∂x = eˣ."""
    return dy * y


@primitive(names=("input",))
def log(x):
    """ln x."""
    return np.log(floating(x))


@log.grad("x")
def log_dx(dy, x):
    """∂ln x/∂x = 1 / x."""
    return dy / x


@primitive(names=("input",))
def sqrt(x):
    """√x."""
    return np.sqrt(floating(x))


@sqrt.grad("x")
def sqrt_dx(dy, y):
    """∂√x/∂x = 1 / (2 √x)."""
    return dy / (2 * y)


@primitive(names=("input",))
def abs(x):
    """|x|."""
    return np.abs(x)


@abs.grad("x")
def abs_dx(dy, x):
    """∂|x|/∂x = sign x, 0 at 0."""
    return dy * sign(x)


@primitive(names=("input",))
def sign(x):
    """-1, 0 or 1; a bool is its own."""
    return x.copy() if x.dtype == bool else np.sign(x)


@sign.grad("x")
def sign_dx(dy):
    """sign x is constant on either side of 0."""
    return zeros_for(dy)


@primitive(names=("input",))
def sin(x):
    """sin x, x in radians."""
    return np.sin(floating(x))


@sin.grad("x")
def sin_dx(dy, x):
    """∂sin x/∂x = cos x."""
    return dy * cos(x)


@primitive(names=("input",))
def cos(x):
    """cos x, x in radians."""
    return np.cos(floating(x))


@cos.grad("x")
def cos_dx(dy, x):
    """∂cos x/∂x = -sin x."""
    return -dy * sin(x)


@primitive(names=("input",))
def tanh(x):
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return np.tanh(floating(x))


@tanh.grad("x")
def tanh_dx(dy, y):
    """∂tanh x/∂x = 1 - tanh² x."""
    return dy * (1 - y * y)


@primitive(names=("input",))
def sigmoid(x):
    """1 / (1 + e⁻ˣ), for x < 0 as eˣ / (1 + eˣ): nothing overflows, and small values keep their digits."""
    x = floating(x)
    numbers, one = wide(x), np.float32(1) if x.dtype == HALF else x.dtype.type(1)
    y = np.exp(np.minimum(numbers, one - one)) / (one + np.exp(-np.abs(numbers)))
    return y.astype(x.dtype, copy=False)


@sigmoid.grad("x")
def sigmoid_dx(dy, y):
    """∂σ(x)/∂x = σ(x) (1 - σ(x))."""
    return dy * (y * (1 - y))


@primitive
def relu(x):
    """max(x, 0)."""
    return kernels.rectify(x)


@relu.grad("x")
def relu_dx(dy, y):
    """∂relu(x)/∂x = 1 where x > 0, else 0, at 0 too."""
    return masked(dy, mask=y > 0)


@primitive
def masked(x, *, mask):
    """x where the mask, which broadcasts to its shape, holds, and 0 elsewhere, even where x is Inf or NaN."""
    return kernels.masked(x, mask)


@masked.grad("x")
def masked_dx(dy, mask):
    """What came through goes back."""
    return masked(dy, mask=mask)


def zeros_for(x: Any) -> Any:
    """0 in the place of each x, also where x is infinite, of which a product would make NaN."""
    return masked(x, mask=np.zeros((), bool))


@primitive
def to(x, *, dtype):
    """The same numbers in another dtype; the gradient comes back in the dtype of x.

    Raises DtypeError for what is no dtype, or one in another machine's byte order.
    """
    try:
        y = x.astype(dtype)
    except TypeError:
        raise no_dtype(dtype) from None
    if not y.dtype.isnative:
        raise DtypeError(f"to: {dtype!r} is in another byte order; write {y.dtype.name!r}")
    return y


@to.grad("x")
def to_dx(dy):
    """A change of dtype is the identity; the sweep casts back."""
    return dy


def wide(x: Any) -> Any:
    """float16 as float32, to compute sums and exponentials in; other dtypes as they are. For Tensors too."""
    return to(x, dtype=np.dtype(np.float32)) if x.dtype == HALF else x
