"""Comparisons, and what can be done with their answers: no gradient passes through them."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..engine.declare import primitive
from ..errors import DtypeError, show_array
from .arithmetic import broadcast


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def eq(a, b):
    """a = b, elementwise."""
    return broadcast("eq", np.equal, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def ne(a, b):
    """a ≠ b, elementwise."""
    return broadcast("ne", np.not_equal, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def lt(a, b):
    """a < b, elementwise."""
    return broadcast("lt", np.less, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def le(a, b):
    """a ≤ b, elementwise."""
    return broadcast("le", np.less_equal, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def gt(a, b):
    """a > b, elementwise."""
    return broadcast("gt", np.greater, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def ge(a, b):
    """a ≥ b, elementwise."""
    return broadcast("ge", np.greater_equal, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def bitwise_and(a, b):
    """a and b: bit by bit for integers, logically for bools."""
    return broadcast("bitwise_and", np.bitwise_and, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def bitwise_or(a, b):
    """a or b: bit by bit for integers, logically for bools."""
    return broadcast("bitwise_or", np.bitwise_or, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def bitwise_xor(a, b):
    """Either a or b: bit by bit for integers, logically for bools."""
    return broadcast("bitwise_xor", np.bitwise_xor, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def bitwise_left_shift(a, b):
    """a 2ᵇ for integers: the bits of a, b places further to the left."""
    return broadcast("bitwise_left_shift", np.left_shift, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def bitwise_right_shift(a, b):
    """⌊a / 2ᵇ⌋ for integers: the bits of a, b places further to the right."""
    return broadcast("bitwise_right_shift", np.right_shift, a, b)


@primitive(names=("input",), differentiable=False)
def bitwise_not(x):
    """Not x: bit by bit for integers, logically for bools."""
    if x.dtype.kind == "f":
        raise DtypeError(f"bitwise_not: x must be of integers or bools, not {show_array(x)}; use x == 0")
    return np.invert(x)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def logical_and(a, b):
    """Whether both a and b are other than 0."""
    return broadcast("logical_and", np.logical_and, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def logical_or(a, b):
    """Whether a, b or both are other than 0."""
    return broadcast("logical_or", np.logical_or, a, b)


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def logical_xor(a, b):
    """Whether one of a and b, not both, is other than 0."""
    return broadcast("logical_xor", np.logical_xor, a, b)


@primitive(names=("input",), differentiable=False)
def logical_not(x):
    """Whether x is 0."""
    return np.logical_not(x)


@primitive(names=("input",), differentiable=False)
def isnan(x):
    """Whether x is no number."""
    return np.isnan(x)


@primitive(names=("input",), differentiable=False)
def isinf(x):
    """Whether x is infinite, of either sign."""
    return np.isinf(x)


@primitive(names=("input",), differentiable=False)
def isfinite(x):
    """Whether x is a number, and not infinite."""
    return np.isfinite(x)


@primitive(names=("input",), differentiable=False)
def signbit(x):
    """Whether x is negative: of -0 and of a NaN with a sign too."""
    return np.signbit(x) if x.dtype.kind == "f" else x < 0


@primitive(names=("input", "other"), broadcasting=True, differentiable=False)
def isclose(a, b, *, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|a - b| ≤ atol + rtol |b|, elementwise; an infinite number is close to itself alone.

    equal_nan: whether NaN is close to NaN. Raises ValueError for a negative tolerance.
    """
    return broadcast("isclose", partial(np.isclose, rtol=rtol, atol=atol, equal_nan=equal_nan), a, b)
