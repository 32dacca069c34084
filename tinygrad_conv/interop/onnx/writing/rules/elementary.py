"""Functions of one number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Graph, Operand, Value
from ..table import RULES, one_node, writes

OF_FLOATS = {
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "tanh": "Tanh",
    "asinh": "Asinh",
    "acosh": "Acosh",
    "atanh": "Atanh",
    "sigmoid": "Sigmoid",
    "erf": "Erf",
}
"""Ops that make floats of integers first."""
OF_NUMBERS = {"abs": "Abs", "neg": "Neg", "sign": "Sign"}
ROUNDED = {"floor": "Floor", "ceil": "Ceil"}


def of_floats(op_type: str) -> Callable[[Graph, Value], Any]:
    """The rule of a function whose result is a float."""

    def rule(graph: Graph, x: Value) -> Any:
        return graph.node(op_type, graph.cast(x, graph.y.dtype))

    rule.__doc__ = f"{op_type}."
    return rule


def rounded(op_type: str) -> Callable[[Graph, Value], Any]:
    """The rule of a rounding, which leaves integers as they are."""

    def rule(graph: Graph, x: Value) -> Any:
        return graph.node(op_type, x) if x.is_float else graph.name(x)

    rule.__doc__ = f"{op_type}."
    return rule


RULES.update({op: of_floats(op_type) for op, op_type in OF_FLOATS.items()})
RULES.update({op: one_node(op_type) for op, op_type in OF_NUMBERS.items()})
RULES.update({op: rounded(op_type) for op, op_type in ROUNDED.items()})


@writes("clone")
def clone(graph: Graph, x: Value) -> Any:
    """Nothing: values of a graph never change."""
    return graph.name(x)


@writes("to")
def to(graph: Graph, x: Value, *, dtype: Any) -> Any:
    """Cast."""
    return graph.name(graph.cast(x, np.dtype(dtype)))


@writes("trunc")
def trunc(graph: Graph, x: Value) -> Any:
    """Floor of |x|, with the sign of x."""
    if not x.is_float:
        return graph.name(x)
    return graph.node("Mul", graph.node("Floor", graph.node("Abs", x)), graph.node("Sign", x))


@writes("round")
def round_(graph: Graph, x: Value, *, decimals: int) -> Any:
    """Round, of x times a power of ten."""
    if not decimals:
        return graph.node("Round", x) if x.is_float else graph.name(x)
    scale = graph.number(10.0 ** abs(decimals), x)
    there, back = ("Mul", "Div") if decimals > 0 else ("Div", "Mul")
    return graph.node(back, graph.node("Round", graph.node(there, x, scale)), scale)


@writes("exp2")
def exp2(graph: Graph, x: Value) -> Any:
    """Pow of 2."""
    return graph.node("Pow", graph.number(2, graph.y), graph.cast(x, graph.y.dtype))


@writes("expm1")
def expm1(graph: Graph, x: Value) -> Any:
    """tanh(x / 2) (eˣ + 1), which is eˣ - 1 and accurate for small x."""
    x_float = graph.cast(x, graph.y.dtype)
    half = graph.node("Mul", x_float, graph.number(0.5, graph.y))
    sum_ = graph.node("Add", graph.node("Exp", x_float), graph.number(1, graph.y))
    return graph.node("Mul", graph.node("Tanh", half), sum_)


@writes("log1p")
def log1p(graph: Graph, x: Value) -> Any:
    """Log of u = 1 + x, times x / (u - 1): what rounding took from u it took from both (Kahan)."""
    return log_of_one_plus(graph, graph.cast(x, graph.y.dtype), graph.y)


def log_of_one_plus(graph: Graph, x: Operand, like: Value) -> Any:
    """ln(1 + x), accurate for small x."""
    one = graph.number(1, like)
    total = graph.node("Add", one, x)
    moved = graph.node("Sub", total, one)
    infinite = graph.node("IsInf", total, detect_negative=0)
    itself = graph.node("Or", graph.node("Equal", moved, graph.number(0, like)), infinite)
    part = graph.node("Where", itself, one, moved)
    corrected = graph.node("Mul", graph.node("Log", total), graph.node("Div", x, part))
    return graph.node("Where", itself, x, corrected)


def logarithm(base: float) -> Callable[[Graph, Value], Any]:
    """The rule of a logarithm to another base."""

    def rule(graph: Graph, x: Value) -> Any:
        """Log, divided by the logarithm of the base."""
        logarithm = graph.node("Log", graph.cast(x, graph.y.dtype))
        return graph.node("Div", logarithm, graph.number(math.log(base), graph.y))

    return rule


RULES.update({"log2": logarithm(2), "log10": logarithm(10)})


@writes("erfc")
def erfc(graph: Graph, x: Value) -> Any:
    """1 - Erf(x)."""
    return graph.node("Sub", graph.number(1, graph.y), graph.node("Erf", graph.cast(x, graph.y.dtype)))


@writes("normal_cdf")
def normal_cdf(graph: Graph, x: Value) -> Any:
    """½ (1 + Erf(x / √2))."""
    tail = graph.node("Erf", graph.node("Mul", x, graph.number(math.sqrt(0.5), x)))
    return graph.node("Mul", graph.node("Add", tail, graph.number(1, x)), graph.number(0.5, x))
