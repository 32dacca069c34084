"""Arithmetic of two operands, brought to one dtype and broadcast; their gradients are summed back."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from ..errors import DtypeError, ShapeError, show_array, show_shape
from .arguments.values import check_power
from .conversion import floating
from .elementary import log, sigmoid, sign
from .masking import masked, zeros_for


def broadcast(op, function, a, b):
    """A NumPy function of two operands. Raises ShapeError where they do not broadcast."""
    try:
        return function(a, b)
    except ValueError:
        shapes = f"a {show_shape(a.shape)} and b {show_shape(b.shape)}"
        raise ShapeError(f"{op}: {shapes} do not broadcast") from None
    except TypeError:  # NumPy's has a table of dtypes in it
        dtypes = f"a {show_array(a)} and b {show_array(b)}"
        raise DtypeError(
            f"{op}: it is not defined for {dtypes}; convert them, as with .to(…) or .bool()"
        ) from None


@primitive(broadcasting=True)
def add(a, b):
    """a + b."""
    return broadcast("add", np.add, a, b)


@add.grad("a")
def add_da(dy):
    """∂(a + b)/∂a = 1."""
    return dy


@add.grad("b")
def add_db(dy):
    """∂(a + b)/∂b = 1."""
    return dy


@primitive(broadcasting=True)
def sub(a, b):
    """a - b."""
    return broadcast("sub", np.subtract, a, b)


@sub.grad("a")
def sub_da(dy):
    """∂(a - b)/∂a = 1."""
    return dy


@sub.grad("b")
def sub_db(dy):
    """∂(a - b)/∂b = -1."""
    return -dy


@primitive(names=("input", "other"), broadcasting=True)
def mul(a, b):
    """a · b."""
    return broadcast("mul", np.multiply, a, b)


@mul.grad("a")
def mul_da(dy, b):
    """∂(a b)/∂a = b."""
    return dy * b


@mul.grad("b")
def mul_db(dy, a):
    """∂(a b)/∂b = a."""
    return dy * a


@primitive(names=("input", "other"), broadcasting=True)
def div(a, b):
    """a / b, true division: integers give floats of the default dtype."""
    return broadcast("div", np.divide, floating(a), floating(b))


@div.grad("a")
def div_da(dy, b):
    """∂(a / b)/∂a = 1 / b."""
    return dy / b


@div.grad("b")
def div_db(dy, a, b):
    """∂(a / b)/∂b = -a / b²."""
    return -dy * (a / b) / b


@primitive(names=("input",))
def neg(x):
    """-x."""
    return np.negative(x)


@neg.grad("x")
def neg_dx(dy):
    """∂(-x)/∂x = -1."""
    return -dy


@primitive(names=("input", "exponent"), broadcasting=True)
def pow(a, b):
    """a to the power b, scalar or array, with NumPy's rules for signs and zeros."""
    check_power("pow", a, b)
    y = broadcast("pow", np.power, a, b)
    return y.astype(bool) if a.dtype == bool else y  # of which NumPy makes int8


@pow.grad("a")
def pow_da(dy, a, b):
    """∂aᵇ/∂a = b aᵇ⁻¹, and 0 where b = 0, also at a = 0."""
    slope = b * pow(a, masked(b - 1, mask=b != 0))
    return masked(dy * slope, mask=b != 0)


@pow.grad("b")
def pow_db(dy, a, b, y):
    """∂aᵇ/∂b = aᵇ ln a, and 0 at a = 0 where b ≥ 0: there the power is constant in b."""
    base = where(a, 1.0, condition=(a != 0) | (b < 0))
    return dy * y * log(base)


@primitive(names=("input", "other"), broadcasting=True)
def maximum(a, b):
    """The larger of a and b; NaN where either is."""
    return broadcast("maximum", np.maximum, a, b)


@maximum.grad("a")
def maximum_da(dy, a, b):
    """1 where a is the larger, ½ where they tie."""
    return masked(dy, mask=a > b) + masked(dy, mask=a == b) / 2


@maximum.grad("b")
def maximum_db(dy, a, b):
    """1 where b is the larger, ½ where they tie."""
    return masked(dy, mask=b > a) + masked(dy, mask=a == b) / 2


@primitive(names=("input", "other"), broadcasting=True)
def minimum(a, b):
    """The smaller of a and b; NaN where either is."""
    return broadcast("minimum", np.minimum, a, b)


@minimum.grad("a")
def minimum_da(dy, a, b):
    """1 where a is the smaller, ½ where they tie."""
    return masked(dy, mask=a < b) + masked(dy, mask=a == b) / 2


@minimum.grad("b")
def minimum_db(dy, a, b):
    """1 where b is the smaller, ½ where they tie."""
    return masked(dy, mask=b < a) + masked(dy, mask=a == b) / 2


@primitive(names=("input", "min"), broadcasting=True)
def clamp_min(x, low):
    """x, but at least `low`: a bound, so unlike `maximum` a tie is x's alone; NaN where either is."""
    return broadcast("clamp_min", np.maximum, x, low)


@clamp_min.grad("x")
def clamp_min_dx(dy, x, low):
    """1 where x keeps within the bound."""
    return masked(dy, mask=x >= low)


@clamp_min.grad("low")
def clamp_min_dlow(dy, x, low):
    """1 where the bound took the place of x."""
    return masked(dy, mask=x < low)


@primitive(names=("input", "max"), broadcasting=True)
def clamp_max(x, high):
    """x, but at most `high`: a bound, so unlike `minimum` a tie is x's alone; NaN where either is."""
    return broadcast("clamp_max", np.minimum, x, high)


@clamp_max.grad("x")
def clamp_max_dx(dy, x, high):
    """1 where x keeps within the bound."""
    return masked(dy, mask=x <= high)


@clamp_max.grad("high")
def clamp_max_dhigh(dy, x, high):
    """1 where the bound took the place of x."""
    return masked(dy, mask=x > high)


@primitive(broadcasting=True)
def where(a, b, *, condition):
    """a where the condition holds, b elsewhere; all three broadcast."""
    try:
        return kernels.choose(condition, a, b)
    except ValueError:
        shapes = ", ".join(show_shape(np.shape(operand)) for operand in (condition, a, b))
        raise ShapeError(f"where: condition, a and b do not broadcast: {shapes}") from None


@where.grad("a")
def where_da(dy, condition):
    """What came out of a goes back to a."""
    return where(dy, 0.0, condition=condition)


@where.grad("b")
def where_db(dy, condition):
    """What came out of b goes back to b."""
    return where(0.0, dy, condition=condition)


@primitive(names=("input", "other"), broadcasting=True)
def copysign(a, b):
    """|a| with the sign of b, that of -0 too; integers become floats of the default dtype."""
    return broadcast("copysign", np.copysign, floating(a), floating(b))


@copysign.grad("a")
def copysign_da(dy, a, b):
    """1 where a has the sign of b already, -1 where it has the other, 0 where a is 0."""
    return dy * sign(a) * copysign(np.ones((), dy.dtype), b)


@copysign.grad("b")
def copysign_db(dy):
    """0: of b its sign alone is read."""
    return zeros_for(dy)


@primitive(names=("input", "other"), broadcasting=True)
def logaddexp(a, b):
    """log(eᵃ + eᵇ), without overflow."""
    return broadcast("logaddexp", np.logaddexp, floating(a), floating(b))


@logaddexp.grad("a")
def logaddexp_da(dy, a, b):
    """∂log(eᵃ + eᵇ)/∂a = eᵃ / (eᵃ + eᵇ)."""
    return dy * sigmoid(a - b)


@logaddexp.grad("b")
def logaddexp_db(dy, a, b):
    """∂log(eᵃ + eᵇ)/∂b = eᵇ / (eᵃ + eᵇ)."""
    return dy * sigmoid(b - a)
