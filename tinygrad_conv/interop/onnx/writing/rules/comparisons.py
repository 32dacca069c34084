"""Comparisons, questions and logic: the results are bools, or integers bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Graph, Operand, Value
from ..table import RULES, NotWritable, writes

INT64 = np.dtype(np.int64)
COMPARED = {"eq": "Equal", "lt": "Less", "gt": "Greater", "le": "LessOrEqual", "ge": "GreaterOrEqual"}
LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITWISE = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}


def as_bool(graph: Graph, x: Value | bool) -> Operand:
    """Whether x is other than 0."""
    if isinstance(x, bool):
        return np.asarray(x)
    return graph.cast(x, np.dtype(bool))


def comparable(graph: Graph, x: Value) -> Operand:
    """x so that ONNX orders it: bools as integers."""
    return graph.cast(x, INT64) if x.dtype == bool else x


def of_both(
    op_type: str, operand_of: Callable[[Graph, Any], Operand]
) -> Callable[[Graph, Value, Value], Any]:
    """The rule of a comparison, or of a connective: what each operand is given as, and the op."""

    def rule(graph: Graph, a: Value, b: Value) -> Any:
        return graph.node(op_type, operand_of(graph, a), operand_of(graph, b))

    rule.__doc__ = f"{op_type}."
    return rule


def bitwise(op_type: str) -> Callable[[Graph, Value, Value], Any]:
    """The rule of a connective of bits."""

    def rule(graph: Graph, a: Value, b: Value) -> Any:
        return graph.node(op_type if graph.y.dtype == bool else bitwise_op(graph, op_type), a, b)

    rule.__doc__ = f"{op_type}; Bitwise{op_type} of integers, from opset 18 on."
    return rule


def bitwise_op(graph: Graph, op_type: str) -> str:
    """The op for integers. Raises NotWritable where the opset has none."""
    if graph.opset < 18:
        raise NotWritable("for integers it needs opset_version=18")
    return f"Bitwise{op_type}"


RULES.update({op: of_both(op_type, comparable) for op, op_type in COMPARED.items()})
RULES.update({op: of_both(op_type, as_bool) for op, op_type in LOGICAL.items()})
RULES.update({op: bitwise(op_type) for op, op_type in BITWISE.items()})


@writes("ne")
def ne(graph: Graph, a: Value, b: Value) -> Any:
    """Not, of Equal."""
    return graph.node("Not", graph.node("Equal", comparable(graph, a), comparable(graph, b)))


@writes("logical_not")
def logical_not(graph: Graph, x: Value) -> Any:
    """Not."""
    return graph.node("Not", as_bool(graph, x))


@writes("bitwise_not")
def bitwise_not(graph: Graph, x: Value) -> Any:
    """Not; BitwiseNot of integers, from opset 18 on."""
    return graph.node("Not" if x.dtype == bool else bitwise_op(graph, "Not"), x)


@writes("bitwise_left_shift")
def bitwise_left_shift(graph: Graph, a: Value, b: Value) -> Any:
    """a 2ᵇ."""
    return graph.node("Mul", a, power_of_two(graph, b))


@writes("bitwise_right_shift")
def bitwise_right_shift(graph: Graph, a: Value, b: Value) -> Any:
    """(a - a mod 2ᵇ) / 2ᵇ."""
    power = power_of_two(graph, b)
    return graph.node("Div", graph.node("Sub", a, graph.node("Mod", a, power)), power)


def power_of_two(graph: Graph, b: Value) -> Any:
    """2ᵇ."""
    return graph.node("Pow", graph.number(2, b), b)


@writes("isnan")
def isnan(graph: Graph, x: Value) -> Any:
    """IsNaN."""
    return graph.node("IsNaN", x) if x.is_float else graph.node("Not", always(graph, x))


@writes("isinf")
def isinf(graph: Graph, x: Value) -> Any:
    """IsInf."""
    return graph.node("IsInf", x) if x.is_float else graph.node("Not", always(graph, x))


@writes("isfinite")
def isfinite(graph: Graph, x: Value) -> Any:
    """Neither IsNaN nor IsInf."""
    return finite(graph, x) if x.is_float else always(graph, x)


def finite(graph: Graph, x: Value) -> Any:
    """Whether x is a number, and not infinite."""
    return graph.node("Not", graph.node("Or", graph.node("IsNaN", x), graph.node("IsInf", x)))


def always(graph: Graph, x: Value) -> Any:
    """True for each x, which is an integer."""
    return graph.node("Equal", x, x)


@writes("isclose")
def isclose(graph: Graph, a: Value, b: Value, *, rtol: float, atol: float, equal_nan: bool) -> Any:
    """|a - b| ≤ atol + rtol |b| for finite numbers, Equal for others."""
    like = a if a.is_float else Value("", (), np.dtype(np.float64))
    left, right = graph.cast(a, like.dtype), graph.cast(b, like.dtype)
    distance = graph.node("Abs", graph.node("Sub", left, right))
    share = graph.node("Mul", graph.node("Abs", right), graph.number(rtol, like))
    close = graph.node("LessOrEqual", distance, graph.node("Add", share, graph.number(atol, like)))
    if a.is_float:
        both = graph.node("And", finite(graph, a), finite(graph, b))
        close = graph.node("Or", graph.node("And", close, both), graph.node("Equal", a, b))
    if equal_nan and a.is_float:
        nans = graph.node("And", graph.node("IsNaN", a), graph.node("IsNaN", b))
        close = graph.node("Or", close, nans)
    return close


@writes("isin")
def isin(graph: Graph, x: Value, among: Value) -> Any:
    """Whether Equal to one of them, by ReduceMax."""
    dtype = np.result_type(x.dtype, among.dtype)
    row = graph.node("Reshape", graph.cast(among, dtype), np.array([-1], np.int64))
    each = graph.node("Unsqueeze", graph.cast(x, dtype), np.array([-1], np.int64))
    equal = graph.cast(graph.node("Equal", each, row), np.dtype(np.int32), np.dtype(bool))
    return graph.cast(graph.axes("ReduceMax", equal, [-1], False), np.dtype(bool), np.dtype(np.int32))
