"""The error function, and what is left of 1 beyond it: erf and erfc."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ..engine.declare import primitive
from .conversion import floating, wide
from .elementary import exp


@primitive(names=("input",))
def erf(x):
    """2/√π ∫₀ˣ e^(-t²) dt, the share of a normal distribution of variance ½ that lies within ±x.

    Up to ½ by its power series Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), beyond as 1 - erfc.
    """
    x = floating(x)
    size = np.abs(wide(x))
    near = np.minimum(size, size.dtype.type(0.5))
    y = np.where(size <= 0.5, power_series(near), 1 - tail_of_erf(np.maximum(size, size.dtype.type(0.5))))
    return np.copysign(y, x).astype(x.dtype)


@erf.grad("x")
def erf_dx(dy, x):
    """∂erf x/∂x = 2/√π e^(-x²)."""
    x = wide(x)
    with np.errstate(over="ignore"):  # e^-inf is 0
        return dy * (exp(-(x * x)) * (2 / math.sqrt(math.pi)))


@primitive(names=("input",))
def erfc(x):
    """1 - erf(x), which keeps its digits where erf(x) is almost 1. Its relative error is below 2e-14, far out
    too, but for the rounding to x's dtype.
    """
    x = floating(x)
    size = np.minimum(np.abs(x).astype(np.float64), 28.0)  # beyond 28 it is 0
    high = size.astype(np.float32).astype(np.float64)  # so few digits that its square is exact
    t, p = erfc_series(size)
    y = t * np.exp(p - (size - high) * (size + high)) * np.exp(-(high * high))
    return np.where(np.signbit(x), 2 - y, y).astype(x.dtype)


@erfc.grad("x")
def erfc_dx(dy, x):
    """∂erfc x/∂x = -2/√π e^(-x²)."""
    x = wide(x)
    with np.errstate(over="ignore"):  # e^-inf is 0
        return dy * (exp(-(x * x)) * (-2 / math.sqrt(math.pi)))


COEFFICIENTS_OF_ERF = [(-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in reversed(range(13))]


def power_series(z):
    """erf z for 0 ≤ z ≤ ½, where 13 terms are more than float64 can tell."""
    square = z * z
    total = np.zeros_like(z)
    for coefficient in COEFFICIENTS_OF_ERF:
        total = total * square + z.dtype.type(coefficient)
    return total * z * z.dtype.type(2 / math.sqrt(math.pi))


def tail_of_erf(z):
    """erfc z = 1 - erf z for z ≥ 0, which NumPy lacks. Its relative error is a few roundings of e^(-z²), far
    out too.
    """
    t, p = erfc_series(z)
    with np.errstate(over="ignore"):  # e^-inf is 0
        return t * np.exp(p - z * z)


def erfc_series(z):
    """t and p of erfc z = t e^(p - z²) for z ≥ 0: t = 2 / (2 + z), and p a Chebyshev series in t.

    The form is that of Numerical Recipes 6.2.2.
    """
    coefficients, least = erfc_coefficients(z.dtype)
    t = z.dtype.type(2) / (z + z.dtype.type(2))
    return t, np.polynomial.chebyshev.chebval((t - least) / ((1 - least) / 2) - 1, coefficients)


@lru_cache(maxsize=2)
def erfc_coefficients(dtype):
    """The coefficients of p on [least, 1], as many as the dtype can tell from more; and `least`."""
    least = dtype.type(2 / (2 + 26))  # beyond z = 26 erfc is 0 in float64

    def exponent(points):
        return [math.log(scaled_erfc(2 / t - 2) / t) for t in points.tolist()]

    degree = 26 if dtype == np.float64 else 13
    series = np.polynomial.Chebyshev.interpolate(exponent, degree, [float(least), 1.0])
    return series.coef.astype(dtype), least


def scaled_erfc(z):
    """e^(z²) erfc z of a number from 0. Beyond 2 by Laplace's continued fraction, for there e^(z²) would
    lose digits.
    """
    if z < 2:
        return math.exp(z * z) * math.erfc(z)
    fraction = z
    for n in range(100, 0, -1):
        fraction = z + n / 2 / fraction
    return 1 / (fraction * math.sqrt(math.pi))
