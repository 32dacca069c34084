"""Elementwise ops: one number in, one number out; operands broadcast, and their gradients are summed back."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array, get_default_dtype
from ..engine.op import primitive


def floating(x: Array) -> Array:
    """Integers and bools as floats of the default dtype, for functions whose result is no integer."""
    return x if x.dtype.kind == "f" else x.astype(get_default_dtype())


@primitive(broadcasting=True)
def add(a, b):
    """a + b."""
    return np.add(a, b)


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
    return np.subtract(a, b)


@sub.grad("a")
def sub_da(dy):
    """∂(a - b)/∂a = 1."""
    return dy


@sub.grad("b")
def sub_db(dy):
    """∂(a - b)/∂b = -1."""
    return -dy


@primitive(broadcasting=True)
def mul(a, b):
    """a · b."""
    return np.multiply(a, b)


@mul.grad("a")
def mul_da(dy, b):
    """∂(a b)/∂a = b."""
    return dy * b


@mul.grad("b")
def mul_db(dy, a):
    """∂(a b)/∂b = a."""
    return dy * a


@primitive(broadcasting=True)
def div(a, b):
    """a / b, true division: integers give floats of the default dtype."""
    return np.divide(floating(a), floating(b))


@div.grad("a")
def div_da(dy, b):
    """∂(a / b)/∂a = 1 / b."""
    return dy / b


@div.grad("b")
def div_db(dy, a, b):
    """∂(a / b)/∂b = -a / b²."""
    return -dy * (a / b) / b


@primitive
def neg(x):
    """-x."""
    return np.negative(x)


@neg.grad("x")
def neg_dx(dy):
    """∂(-x)/∂x = -1."""
    return -dy


@primitive(broadcasting=True)
def pow(a, b):
    """a to the power b, scalar or array, with NumPy's rules for signs and zeros."""
    return np.power(a, b)


@pow.grad("a")
def pow_da(dy, a, b):
    """∂aᵇ/∂a = b aᵇ⁻¹, and 0 where b = 0, also at a = 0."""
    exponent = where(b - 1, 0.0, condition=b != 0)
    return dy * b * pow(a, exponent)


@pow.grad("b")
def pow_db(dy, a, b, y):
    """∂aᵇ/∂b = aᵇ ln a, and 0 at a = 0 where b ≥ 0: there the power is constant in b."""
    base = where(a, 1.0, condition=(a != 0) | (b < 0))
    return dy * y * log(base)


@primitive
def exp(x):
    """eˣ."""
    return np.exp(floating(x))


@exp.grad("x")
def exp_dx(dy, y):
    """∂eˣ/∂x = eˣ."""
    return dy * y


@primitive
def log(x):
    """ln x."""
    return np.log(floating(x))


@log.grad("x")
def log_dx(dy, x):
    """∂ln x/∂x = 1 / x."""
    return dy / x


@primitive
def sqrt(x):
    """√x."""
    return np.sqrt(floating(x))


@sqrt.grad("x")
def sqrt_dx(dy, y):
    """∂√x/∂x = 1 / (2 √x)."""
    return dy / (2 * y)


@primitive
def abs(x):
    """|x|."""
    return np.abs(x)


@abs.grad("x")
def abs_dx(dy, x):
    """∂|x|/∂x = sign x, 0 at 0."""
    return dy * sign(x)


@primitive(differentiable=False)
def sign(x):
    """-1, 0 or 1; its derivative is 0 wherever it has one."""
    return np.sign(x)


@primitive
def sin(x):
    """sin x, x in radians."""
    return np.sin(floating(x))


@sin.grad("x")
def sin_dx(dy, x):
    """∂sin x/∂x = cos x."""
    return dy * cos(x)


@primitive
def cos(x):
    """cos x, x in radians."""
    return np.cos(floating(x))


@cos.grad("x")
def cos_dx(dy, x):
    """∂cos x/∂x = -sin x."""
    return -dy * sin(x)


@primitive
def tanh(x):
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""
    return np.tanh(floating(x))


@tanh.grad("x")
def tanh_dx(dy, y):
    """∂tanh x/∂x = 1 - tanh² x."""
    return dy * (1 - y * y)


@primitive
def sigmoid(x):
    """1 / (1 + e⁻ˣ), as ½ (1 + tanh ½x), which overflows nowhere."""
    x = floating(x)
    return np.tanh(x * x.dtype.type(0.5)) * x.dtype.type(0.5) + x.dtype.type(0.5)


@sigmoid.grad("x")
def sigmoid_dx(dy, y):
    """∂σ(x)/∂x = σ(x) (1 - σ(x))."""
    return dy * (y * (1 - y))


@primitive
def relu(x):
    """max(x, 0)."""
    return np.maximum(x, x.dtype.type(0))


@relu.grad("x")
def relu_dx(dy, y):
    """∂relu(x)/∂x = 1 where x > 0, else 0, at 0 too."""
    return dy * (y > 0)


@primitive(broadcasting=True)
def maximum(a, b):
    """The larger of a and b; NaN where either is."""
    return np.maximum(a, b)


@maximum.grad("a")
def maximum_da(dy, a, b):
    """1 where a is the larger, ½ where they tie."""
    return dy * (a > b) + dy * (a == b) / 2


@maximum.grad("b")
def maximum_db(dy, a, b):
    """1 where b is the larger, ½ where they tie."""
    return dy * (b > a) + dy * (a == b) / 2


@primitive(broadcasting=True)
def where(a, b, *, condition):
    """a where the condition holds, b elsewhere; all three broadcast."""
    return np.where(condition, a, b)


@where.grad("a")
def where_da(dy, condition):
    """What came out of a goes back to a."""
    return where(dy, 0.0, condition=condition)


@where.grad("b")
def where_db(dy, condition):
    """What came out of b goes back to b."""
    return where(0.0, dy, condition=condition)


@primitive
def to(x, *, dtype):
    """The same numbers in another dtype; the gradient comes back in the dtype of x."""
    return x.astype(dtype)


@to.grad("x")
def to_dx(dy):
    """A change of dtype is the identity; the sweep casts back."""
    return dy


@primitive(broadcasting=True, differentiable=False)
def eq(a, b):
    """a = b, elementwise."""
    return np.equal(a, b)


@primitive(broadcasting=True, differentiable=False)
def ne(a, b):
    """a ≠ b, elementwise."""
    return np.not_equal(a, b)


@primitive(broadcasting=True, differentiable=False)
def lt(a, b):
    """a < b, elementwise."""
    return np.less(a, b)


@primitive(broadcasting=True, differentiable=False)
def le(a, b):
    """a ≤ b, elementwise."""
    return np.less_equal(a, b)


@primitive(broadcasting=True, differentiable=False)
def gt(a, b):
    """a > b, elementwise."""
    return np.greater(a, b)


@primitive(broadcasting=True, differentiable=False)
def ge(a, b):
    """a ≥ b, elementwise."""
    return np.greater_equal(a, b)


@primitive(broadcasting=True, differentiable=False)
def bitwise_and(a, b):
    """a and b: bit by bit for integers, logically for bools."""
    return np.bitwise_and(a, b)


@primitive(broadcasting=True, differentiable=False)
def bitwise_or(a, b):
    """a or b: bit by bit for integers, logically for bools."""
    return np.bitwise_or(a, b)


@primitive(differentiable=False)
def bitwise_not(x):
    """Not x: bit by bit for integers, logically for bools."""
    return np.invert(x)
