"""Rounding to whole numbers: between two steps it is constant, so the gradient is 0 everywhere."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .functions import zeros_for


def rounded(function, x):
    """x rounded by a function of NumPy's; integers and bools are whole already."""
    return function(x) if x.dtype.kind == "f" else x.copy()


@primitive(names=("input",))
def floor(x):
    """⌊x⌋, the largest whole number that is not above x."""
    return rounded(np.floor, x)


@floor.grad("x")
def floor_dx(dy):
    """0."""
    return zeros_for(dy)


@primitive(names=("input",))
def ceil(x):
    """⌈x⌉, the smallest whole number that is not below x."""
    return rounded(np.ceil, x)


@ceil.grad("x")
def ceil_dx(dy):
    """0."""
    return zeros_for(dy)


@primitive(names=("input",))
def trunc(x):
    """x without what stands behind the point."""
    return rounded(np.trunc, x)


@trunc.grad("x")
def trunc_dx(dy):
    """0."""
    return zeros_for(dy)


@primitive(names=("input",))
def round(x, *, decimals=0):
    """x rounded to so many decimals; halfway between two numbers, to the even one.

    decimals: may be negative, for tens, hundreds …
    """
    return np.asarray(np.round(x, decimals)) if x.dtype.kind != "b" else x.copy()


@round.grad("x")
def round_dx(dy):
    """0."""
    return zeros_for(dy)
