"""Arithmetic, and elementwise functions of one number."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import elementwise
from .signatures import Operand, documented_by

__all__ = [
    "abs",
    "add",
    "cos",
    "div",
    "eq",
    "exp",
    "log",
    "maximum",
    "mul",
    "neg",
    "pow",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "sub",
    "tanh",
    "where",
]


@documented_by(elementwise.add)
def add(input: Operand, other: Operand) -> Tensor:
    return elementwise.add(input, other)


@documented_by(elementwise.sub)
def sub(input: Operand, other: Operand) -> Tensor:
    return elementwise.sub(input, other)


@documented_by(elementwise.mul)
def mul(input: Operand, other: Operand) -> Tensor:
    return elementwise.mul(input, other)


@documented_by(elementwise.div)
def div(input: Operand, other: Operand) -> Tensor:
    return elementwise.div(input, other)


@documented_by(elementwise.neg)
def neg(input: Operand) -> Tensor:
    return elementwise.neg(input)


@documented_by(elementwise.pow)
def pow(input: Operand, exponent: Operand) -> Tensor:
    return elementwise.pow(input, exponent)


@documented_by(elementwise.exp)
def exp(input: Operand) -> Tensor:
    return elementwise.exp(input)


@documented_by(elementwise.log)
def log(input: Operand) -> Tensor:
    return elementwise.log(input)


@documented_by(elementwise.sqrt)
def sqrt(input: Operand) -> Tensor:
    return elementwise.sqrt(input)


@documented_by(elementwise.abs)
def abs(input: Operand) -> Tensor:
    return elementwise.abs(input)


@documented_by(elementwise.sign)
def sign(input: Operand) -> Tensor:
    return elementwise.sign(input)


@documented_by(elementwise.sin)
def sin(input: Operand) -> Tensor:
    return elementwise.sin(input)


@documented_by(elementwise.cos)
def cos(input: Operand) -> Tensor:
    return elementwise.cos(input)


@documented_by(elementwise.tanh)
def tanh(input: Operand) -> Tensor:
    return elementwise.tanh(input)


@documented_by(elementwise.sigmoid)
def sigmoid(input: Operand) -> Tensor:
    return elementwise.sigmoid(input)


@documented_by(elementwise.relu)
def relu(input: Operand) -> Tensor:
    return elementwise.relu(input)


@documented_by(elementwise.maximum)
def maximum(input: Operand, other: Operand) -> Tensor:
    return elementwise.maximum(input, other)


def where(condition: Operand, input: Operand, other: Operand) -> Tensor:
    """`input` where the condition holds, `other` elsewhere."""
    return elementwise.where(input, other, condition=condition)


@documented_by(elementwise.eq)
def eq(input: Operand, other: Operand) -> Tensor:
    return elementwise.eq(input, other)
