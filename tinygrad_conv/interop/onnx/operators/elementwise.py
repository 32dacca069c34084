"""What is computed element by element: arithmetic, functions of one number, comparisons, logic, bits."""

from __future__ import annotations

import math
from functools import partial, reduce
from typing import Any

from .... import functional as F
from ....engine.tensor import Tensor
from ..reading.node import Node
from .table import Function, operator, plain
from .values import scalar

plain("Add", (7, 13, 14), F.add)
plain("Sub", (7, 13, 14), F.sub)
plain("Mul", (7, 13, 14), F.mul)
plain("Neg", (6, 13), F.neg)
plain("Abs", (6, 13), F.abs)
plain("Sign", (9, 13), F.sign)
plain("Reciprocal", (6, 13), F.reciprocal)
plain("Sqrt", (6, 13), F.sqrt)
plain("Exp", (6, 13), F.exp)
plain("Log", (6, 13), F.log)
plain("Erf", (9, 13), F.erf)
plain("Floor", (6, 13), F.floor)
plain("Ceil", (6, 13), F.ceil)
plain("Round", (11, 22), F.round)
plain("Sin", (7, 22), F.sin)
plain("Cos", (7, 22), F.cos)
plain("Tan", (7, 22), F.tan)
plain("Asin", (7, 22), F.asin)
plain("Acos", (7, 22), F.acos)
plain("Atan", (7, 22), F.atan)
plain("Sinh", (9, 22), F.sinh)
plain("Cosh", (9, 22), F.cosh)
plain("Asinh", (9, 22), F.asinh)
plain("Acosh", (9, 22), F.acosh)
plain("Atanh", (9, 22), F.atanh)


def divided(x: Tensor, y: Tensor) -> Tensor:
    """x / y; of integers the quotient towards 0."""
    return F.div(x, y, rounding_mode=None if x.dtype.kind == "f" else "trunc")


def power(x: Tensor, exponent: Tensor) -> Tensor:
    """x to the power of `exponent`, in the dtype of x, whatever that of the exponent."""
    if x.dtype.kind == "f":
        return F.pow(x, exponent.to(x.dtype))
    return F.pow(x, exponent).to(x.dtype)


plain("Div", (7, 13, 14), divided)
plain("Pow", (7, 12, 13, 15), power)


@operator("Mod", (10, 13, 28))
def mod(node: Node) -> Function:
    """What is left of a division: of the divisor's sign, or with fmod of the dividend's."""
    return F.fmod if node.flag("fmod") else F.remainder


def summed(*tensors: Tensor) -> Tensor:
    return reduce(F.add, tensors)


def averaged(*tensors: Tensor) -> Tensor:
    return summed(*tensors) / len(tensors)


def largest(*tensors: Tensor) -> Tensor:
    return reduce(F.maximum, tensors)


def smallest(*tensors: Tensor) -> Tensor:
    return reduce(F.minimum, tensors)


plain("Sum", (6, 8, 13), summed)
plain("Mean", (6, 8, 13), averaged)
plain("Max", (6, 8, 12, 13), largest)
plain("Min", (6, 8, 12, 13), smallest)


def clipped(
    x: Tensor, low: Tensor | None = None, high: Tensor | None = None, *, least: Any, most: Any
) -> Tensor:
    """Numbers, but at least one bound and at most the other: attributes at first, inputs from opset 11 on."""
    bounds = [least if low is None else scalar("min", low), most if high is None else scalar("max", high)]
    return x if bounds == [None, None] else F.clamp(x, *bounds)


plain("Clip", (6, 11, 12, 13), clipped, constants=(1, 2), least="min", most="max")


# Comparisons, logic, and bits

plain("Equal", (7, 11, 13, 19), F.eq)
plain("Greater", (7, 9, 13), F.gt)
plain("GreaterOrEqual", (12, 16), F.ge)
plain("Less", (7, 9, 13), F.lt)
plain("LessOrEqual", (12, 16), F.le)
plain("And", (7,), F.logical_and)
plain("Or", (7,), F.logical_or)
plain("Xor", (7,), F.logical_xor)
plain("Not", (1,), F.logical_not)
plain("IsNaN", (9, 13, 20), F.isnan)
plain("BitwiseAnd", (18,), F.bitwise_and)
plain("BitwiseOr", (18,), F.bitwise_or)
plain("BitwiseXor", (18,), F.bitwise_xor)
plain("BitwiseNot", (18,), F.bitwise_not)
plain("Where", (9, 16), F.where)


@operator("IsInf", (10, 20))
def is_infinite(node: Node) -> Function:
    """Where a number is infinite, of the signs that count."""
    signs = {math.inf: node.flag("detect_positive", True), -math.inf: node.flag("detect_negative", True)}
    return partial(one_of, numbers=tuple(number for number, counts in signs.items() if counts))


def one_of(x: Tensor, *, numbers: tuple[float, ...]) -> Tensor:
    """Where x is one of these numbers."""
    infinite = F.ne(x, x) & False
    for number in numbers:
        infinite = infinite | F.eq(x, number)
    return infinite


@operator("BitShift", (11, 28))
def bit_shift(node: Node) -> Function:
    """The bits of unsigned integers, moved to the left or to the right."""
    direction = node.word("direction", ("LEFT", "RIGHT"), "")
    return F.bitwise_left_shift if direction == "LEFT" else F.bitwise_right_shift
