"""Further elementary functions of one number, applied to each; the most frequent ones are in functions.py."""

from __future__ import annotations

import math

import numpy as np

from ..engine.declare import primitive
from .activations import erfc_series, tail_of_erf
from .functions import exp, floating, sqrt, wide


@primitive(names=("input",))
def log1p(x):
    """ln(1 + x), accurate for small x."""
    return np.log1p(floating(x))


@log1p.grad("x")
def log1p_dx(dy, x):
    """∂ln(1 + x)/∂x = 1 / (1 + x)."""
    return dy / (x + 1)


@primitive(names=("input",))
def expm1(x):
    """eˣ - 1, accurate for small x."""
    return np.expm1(floating(x))


@expm1.grad("x")
def expm1_dx(dy, y):
    """∂(eˣ - 1)/∂x = eˣ = y + 1."""
    return dy * (y + 1)


@primitive(names=("input",))
def exp2(x):
    """2ˣ."""
    return np.exp2(floating(x))


@exp2.grad("x")
def exp2_dx(dy, y):
    """∂2ˣ/∂x = 2ˣ ln 2."""
    return dy * y * math.log(2)


@primitive(names=("input",))
def log2(x):
    """The logarithm of x to the base 2."""
    return np.log2(floating(x))


@log2.grad("x")
def log2_dx(dy, x):
    """∂log₂ x/∂x = 1 / (x ln 2)."""
    return dy / (x * math.log(2))


@primitive(names=("input",))
def log10(x):
    """The logarithm of x to the base 10."""
    return np.log10(floating(x))


@log10.grad("x")
def log10_dx(dy, x):
    """∂log₁₀ x/∂x = 1 / (x ln 10)."""
    return dy / (x * math.log(10))


@primitive(names=("input",))
def tan(x):
    """tan x, x in radians."""
    return np.tan(floating(x))


@tan.grad("x")
def tan_dx(dy, y):
    """∂tan x/∂x = 1 + tan² x."""
    return dy * (1 + y * y)


@primitive(names=("input",))
def asin(x):
    """The angle from -π/2 to π/2 whose sine is x."""
    return np.arcsin(floating(x))


@asin.grad("x")
def asin_dx(dy, x):
    """∂asin x/∂x = 1 / √(1 - x²)."""
    return dy / sqrt(1 - x * x)


@primitive(names=("input",))
def acos(x):
    """The angle from 0 to π whose cosine is x."""
    return np.arccos(floating(x))


@acos.grad("x")
def acos_dx(dy, x):
    """∂acos x/∂x = -1 / √(1 - x²)."""
    return -dy / sqrt(1 - x * x)


@primitive(names=("input",))
def atan(x):
    """The angle from -π/2 to π/2 whose tangent is x."""
    return np.arctan(floating(x))


@atan.grad("x")
def atan_dx(dy, x):
    """∂atan x/∂x = 1 / (1 + x²)."""
    x = wide(x)
    with np.errstate(over="ignore"):  # 1 / inf is 0
        return dy / (x * x + 1)


@primitive(names=("input",))
def sinh(x):
    """(eˣ - e⁻ˣ) / 2."""
    return np.sinh(floating(x))


@sinh.grad("x")
def sinh_dx(dy, x):
    """∂sinh x/∂x = cosh x."""
    return dy * cosh(x)


@primitive(names=("input",))
def cosh(x):
    """(eˣ + e⁻ˣ) / 2."""
    return np.cosh(floating(x))


@cosh.grad("x")
def cosh_dx(dy, x):
    """∂cosh x/∂x = sinh x."""
    return dy * sinh(x)


@primitive(names=("input",))
def asinh(x):
    """The number whose sinh is x."""
    return np.arcsinh(floating(x))


@asinh.grad("x")
def asinh_dx(dy, x):
    """∂asinh x/∂x = 1 / √(x² + 1)."""
    x = wide(x)
    with np.errstate(over="ignore"):  # 1 / inf is 0
        return dy / sqrt(x * x + 1)


@primitive(names=("input",))
def acosh(x):
    """The number from 0 on whose cosh is x."""
    return np.arccosh(floating(x))


@acosh.grad("x")
def acosh_dx(dy, x):
    """∂acosh x/∂x = 1 / √(x² - 1)."""
    x = wide(x)
    with np.errstate(over="ignore"):  # 1 / inf is 0
        return dy / sqrt(x * x - 1)


@primitive(names=("input",))
def atanh(x):
    """The number whose tanh is x."""
    return np.arctanh(floating(x))


@atanh.grad("x")
def atanh_dx(dy, x):
    """∂atanh x/∂x = 1 / (1 - x²)."""
    return dy / (1 - x * x)


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
