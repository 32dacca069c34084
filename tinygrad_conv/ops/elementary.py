"""Elementary functions of one number, applied to each: powers of e, logarithms, roots, angles."""

from __future__ import annotations

import math

import numpy as np

from ..dtypes import HALF
from ..engine.declare import primitive
from .conversion import floating, wide
from .masking import zeros_for


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
