"""Rounding to whole numbers: between two steps it is constant, so the gradient is 0 everywhere.

And division with remainder: a = b q + r, where q is rounded down or towards 0, and constant likewise.
"""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arguments.values import check_integer_divisor
from .arithmetic import broadcast
from .conversion import wide
from .masking import zeros_for


def rounded(function, x):
    """x rounded by a function of NumPy's; integers and bools are whole already."""
    return function(x) if x.dtype.kind == "f" else x.copy()


@primitive(names=("input",))
def floor(x):
    """⌊x⌋, the largest whole number that is not above x."""
    return rounded(np.floor, x)


@primitive(names=("input",))
def ceil(x):
    """⌈x⌉, the smallest whole number that is not below x."""
    return rounded(np.ceil, x)


@primitive(names=("input",))
def trunc(x):
    """x without what stands behind the point."""
    return rounded(np.trunc, x)


@primitive(names=("input",))
def round(x, *, decimals=0):
    """x rounded to so many decimals; halfway between two numbers, to the even one.

    decimals: may be negative, for tens, hundreds …
    """
    if x.dtype.kind != "f":
        return np.asarray(np.round(x, decimals)) if x.dtype.kind != "b" else x.copy()
    numbers = wide(x)
    if decimals <= 0:
        return np.asarray(np.round(numbers, decimals)).astype(x.dtype, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        y = np.round(numbers, decimals)  # by way of x · 10ⁿ, which is infinite for large numbers
    return np.where(np.isfinite(y), y, numbers).astype(x.dtype, copy=False)


@floor.grad("x")
@ceil.grad("x")
@trunc.grad("x")
@round.grad("x")
def rounded_dx(dy):
    """0: between two steps it is constant."""
    return zeros_for(dy)


@primitive(names=("input", "other"), broadcasting=True)
def floor_divide(a, b):
    """⌊a / b⌋, for integers an integer. Raises ZeroDivisionError for integers divided by 0."""
    check_integer_divisor("floor_divide", b)
    return broadcast("floor_divide", np.floor_divide, a, b)


@primitive(names=("input", "other"), broadcasting=True)
def trunc_divide(a, b):
    """a / b without what stands behind the point, for integers an integer.

    Raises ZeroDivisionError for integers divided by 0.
    """
    check_integer_divisor("trunc_divide", b)
    if a.dtype.kind == "f":
        return np.trunc(broadcast("trunc_divide", np.divide, wide(a), wide(b))).astype(a.dtype)
    return broadcast("trunc_divide", np.floor_divide, a - np.fmod(a, b), b)


@floor_divide.grad("a")
@floor_divide.grad("b")
@trunc_divide.grad("a")
@trunc_divide.grad("b")
def quotient_grad(dy):
    """0: between two steps it is constant."""
    return zeros_for(dy)


@primitive(names=("input", "other"), broadcasting=True)
def remainder(a, b):
    """a - b ⌊a / b⌋, which has the sign of b. Raises ZeroDivisionError for integers divided by 0."""
    check_integer_divisor("remainder", b)
    return broadcast("remainder", np.remainder, a, b)


@remainder.grad("a")
def remainder_da(dy):
    """∂(a - b ⌊a / b⌋)/∂a = 1."""
    return dy


@remainder.grad("b")
def remainder_db(dy, a, b):
    """∂(a - b ⌊a / b⌋)/∂b = -⌊a / b⌋."""
    return -dy * floor_divide(a, b)


@primitive(names=("input", "other"), broadcasting=True)
def fmod(a, b):
    """a - b trunc(a / b), which has the sign of a. Raises ZeroDivisionError for integers divided by 0."""
    check_integer_divisor("fmod", b)
    return broadcast("fmod", np.fmod, a, b)


@fmod.grad("a")
def fmod_da(dy):
    """∂(a - b trunc(a / b))/∂a = 1."""
    return dy


@fmod.grad("b")
def fmod_db(dy, a, b):
    """∂(a - b trunc(a / b))/∂b = -trunc(a / b)."""
    return -dy * trunc_divide(a, b)
