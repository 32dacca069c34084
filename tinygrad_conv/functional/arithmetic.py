"""Arithmetic, and elementwise functions of one number."""

from __future__ import annotations

import numpy as np

from ..dtypes import KINDS
from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_array, show_shape
from ..ops import arithmetic, comparisons, functions
from .signatures import Operand, documented_by

__all__ = [
    "abs",
    "add",
    "clamp",
    "clamp_max",
    "clamp_min",
    "cos",
    "div",
    "eq",
    "exp",
    "ge",
    "gt",
    "le",
    "log",
    "lt",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "neg",
    "pow",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "sub",
    "tanh",
    "where",
]


def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input + alpha · other."""
    return arithmetic.add(input, other if alpha == 1 else arithmetic.mul(other, alpha))


def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input - alpha · other."""
    return arithmetic.sub(input, other if alpha == 1 else arithmetic.mul(other, alpha))


@documented_by(arithmetic.mul)
def mul(input: Operand, other: Operand) -> Tensor:
    return arithmetic.mul(input, other)


@documented_by(arithmetic.div)
def div(input: Operand, other: Operand) -> Tensor:
    return arithmetic.div(input, other)


@documented_by(arithmetic.neg)
def neg(input: Operand) -> Tensor:
    return arithmetic.neg(input)


@documented_by(arithmetic.pow)
def pow(input: Operand, exponent: Operand) -> Tensor:
    return arithmetic.pow(input, exponent)


@documented_by(functions.exp)
def exp(input: Operand) -> Tensor:
    return functions.exp(input)


@documented_by(functions.log)
def log(input: Operand) -> Tensor:
    return functions.log(input)


@documented_by(functions.sqrt)
def sqrt(input: Operand) -> Tensor:
    return functions.sqrt(input)


@documented_by(functions.abs)
def abs(input: Operand) -> Tensor:
    return functions.abs(input)


@documented_by(functions.sign)
def sign(input: Operand) -> Tensor:
    return functions.sign(input)


@documented_by(functions.sin)
def sin(input: Operand) -> Tensor:
    return functions.sin(input)


@documented_by(functions.cos)
def cos(input: Operand) -> Tensor:
    return functions.cos(input)


@documented_by(functions.tanh)
def tanh(input: Operand) -> Tensor:
    return functions.tanh(input)


@documented_by(functions.sigmoid)
def sigmoid(input: Operand) -> Tensor:
    return functions.sigmoid(input)


@documented_by(arithmetic.maximum)
def maximum(input: Operand, other: Operand) -> Tensor:
    return arithmetic.maximum(input, other)


@documented_by(arithmetic.minimum)
def minimum(input: Operand, other: Operand) -> Tensor:
    return arithmetic.minimum(input, other)


@documented_by(arithmetic.clamp_min)
def clamp_min(input: Operand, min: Operand) -> Tensor:
    return arithmetic.clamp_min(input, min)


@documented_by(arithmetic.clamp_max)
def clamp_max(input: Operand, max: Operand) -> Tensor:
    return arithmetic.clamp_max(input, max)


@composite
def clamp(input: Operand, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """`input`, but at least `min` and at most `max`: numbers or tensors, one of which may be None. max wins
    where min is larger.

    Raises ValueError where both are None.
    """
    if min is None and max is None:
        raise ValueError("clamp: pass min, max, or both")
    bounded = input if min is None else arithmetic.clamp_min(input, min)
    return bounded if max is None else arithmetic.clamp_max(bounded, max)


@composite
def masked_fill(input: Operand, mask: Operand, value: Operand) -> Tensor:
    """`value`, a number or a tensor without dimensions, where the mask holds; `input` elsewhere. Input and
    mask broadcast.

    Raises ShapeError for a value with dimensions, DtypeError for a mask that is no bool, and a value that
    input cannot hold.
    """
    if getattr(value, "ndim", 0):
        raise ShapeError(
            f"masked_fill: value must be a number or a tensor without dimensions, not {show_shape(value.shape)}"
        )
    if mask.dtype != bool:
        raise DtypeError(f"masked_fill: mask must be bool, not {show_array(mask)}")
    kind = np.dtype(getattr(value, "dtype", type(value))).kind
    if kind not in KINDS or KINDS[kind] > KINDS[input.dtype.kind]:
        raise DtypeError(f"masked_fill: input {show_array(input)} cannot hold the value {value!r}")
    return functions.to(arithmetic.where(value, input, condition=mask), dtype=input.dtype)


def where(condition: Operand, input: Operand, other: Operand) -> Tensor:
    """`input` where the condition holds, `other` elsewhere."""
    return arithmetic.where(input, other, condition=condition)


@documented_by(comparisons.eq)
def eq(input: Operand, other: Operand) -> Tensor:
    return comparisons.eq(input, other)


@documented_by(comparisons.ne)
def ne(input: Operand, other: Operand) -> Tensor:
    return comparisons.ne(input, other)


@documented_by(comparisons.lt)
def lt(input: Operand, other: Operand) -> Tensor:
    return comparisons.lt(input, other)


@documented_by(comparisons.le)
def le(input: Operand, other: Operand) -> Tensor:
    return comparisons.le(input, other)


@documented_by(comparisons.gt)
def gt(input: Operand, other: Operand) -> Tensor:
    return comparisons.gt(input, other)


@documented_by(comparisons.ge)
def ge(input: Operand, other: Operand) -> Tensor:
    return comparisons.ge(input, other)
