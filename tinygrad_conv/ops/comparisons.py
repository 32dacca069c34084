"""Comparisons, and what can be done with their answers: no gradient passes through them."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arithmetic import broadcast


@primitive(broadcasting=True, differentiable=False)
def eq(a, b):
    """a = b, elementwise."""
    return broadcast("eq", np.equal, a, b)


@primitive(broadcasting=True, differentiable=False)
def ne(a, b):
    """a ≠ b, elementwise."""
    return broadcast("ne", np.not_equal, a, b)


@primitive(broadcasting=True, differentiable=False)
def lt(a, b):
    """a < b, elementwise."""
    return broadcast("lt", np.less, a, b)


@primitive(broadcasting=True, differentiable=False)
def le(a, b):
    """a ≤ b, elementwise."""
    return broadcast("le", np.less_equal, a, b)


@primitive(broadcasting=True, differentiable=False)
def gt(a, b):
    """a > b, elementwise."""
    return broadcast("gt", np.greater, a, b)


@primitive(broadcasting=True, differentiable=False)
def ge(a, b):
    """a ≥ b, elementwise."""
    return broadcast("ge", np.greater_equal, a, b)


@primitive(broadcasting=True, differentiable=False)
def bitwise_and(a, b):
    """a and b: bit by bit for integers, logically for bools."""
    return broadcast("bitwise_and", np.bitwise_and, a, b)


@primitive(broadcasting=True, differentiable=False)
def bitwise_or(a, b):
    """a or b: bit by bit for integers, logically for bools."""
    return broadcast("bitwise_or", np.bitwise_or, a, b)


@primitive(differentiable=False)
def bitwise_not(x):
    """Not x: bit by bit for integers, logically for bools."""
    return np.invert(x)
