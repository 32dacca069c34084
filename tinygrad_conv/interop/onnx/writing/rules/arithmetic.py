"""Arithmetic of two numbers. Operands that the op brings to one dtype come in that dtype."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Graph, Operand, Value
from ..table import RULES, NotWritable, writes
from .comparisons import as_bool
from .elementary import log_of_one_plus

OF_BOOLS = {"Add": "Or", "Mul": "And", "Max": "Or", "Min": "And"}
"""What NumPy's arithmetic means for bools."""


def two_numbers(op_type: str) -> Callable[[Graph, Value, Value], Any]:
    """The rule of an op that ONNX has, for numbers and where it means something for bools."""

    def rule(graph: Graph, a: Value, b: Value) -> Any:
        if graph.y.dtype == bool:
            if op_type not in OF_BOOLS:
                raise NotWritable("it is not written for bools; cast them with .to(int64)")
            return graph.node(OF_BOOLS[op_type], a, b)
        return graph.node(op_type, a, b)

    rule.__doc__ = f"{op_type}."
    return rule


RULES.update(
    {
        "add": two_numbers("Add"),
        "sub": two_numbers("Sub"),
        "mul": two_numbers("Mul"),
        "pow": two_numbers("Pow"),
        "maximum": two_numbers("Max"),
        "minimum": two_numbers("Min"),
        "clamp_min": two_numbers("Max"),
        "clamp_max": two_numbers("Min"),
    }
)


@writes("div")
def div(graph: Graph, a: Value, b: Value) -> Any:
    """Div, of floats."""
    return graph.node("Div", graph.cast(a, graph.y.dtype), graph.cast(b, graph.y.dtype))


@writes("fmod")
def fmod(graph: Graph, a: Value, b: Value) -> Any:
    """Mod with fmod=1."""
    return graph.node("Mod", a, b, fmod=1)


@writes("remainder")
def remainder(graph: Graph, a: Value, b: Value) -> Any:
    """Mod; of floats with fmod=1, plus b where the signs differ."""
    if not a.is_float:
        return graph.node("Mod", a, b)
    rest, against = rest_of(graph, a, b)
    return graph.node("Where", against, graph.node("Add", rest, b), rest)


def rest_of(graph: Graph, a: Value, b: Value) -> tuple[Any, Any]:
    """What is left of floats that are divided, with the sign of a; and whether b has the other sign."""
    rest = graph.node("Mod", a, b, fmod=1)
    signs = graph.node("Mul", graph.node("Sign", rest), graph.node("Sign", b))
    return rest, graph.node("Less", signs, graph.number(0, a))


@writes("floor_divide")
def floor_divide(graph: Graph, a: Value, b: Value) -> Any:
    """(a - Mod) / b; of floats rounded, less 1 where the signs differ, and by 0 a / b."""
    if not a.is_float:
        return graph.node("Div", graph.node("Sub", a, graph.node("Mod", a, b)), b)
    rest, against = rest_of(graph, a, b)
    quotient = graph.node("Round", graph.node("Div", graph.node("Sub", a, rest), b))
    lower = graph.node("Where", against, graph.node("Sub", quotient, graph.number(1, a)), quotient)
    by_zero = graph.node("Equal", b, graph.number(0, a))
    return graph.node("Where", by_zero, graph.node("Div", a, b), lower)


@writes("trunc_divide")
def trunc_divide(graph: Graph, a: Value, b: Value) -> Any:
    """Div, which rounds integers towards 0; of floats Floor of its size, with its sign."""
    quotient = graph.node("Div", a, b)
    if not a.is_float:
        return quotient
    return graph.node("Mul", graph.node("Floor", graph.node("Abs", quotient)), graph.node("Sign", quotient))


@writes("logaddexp")
def logaddexp(graph: Graph, a: Value, b: Value) -> Any:
    """Max, plus ln(1 + e^-|a - b|); nothing is added where the two are one infinity."""
    most, y = graph.node("Max", a, b), graph.y
    distance = graph.node("Abs", graph.node("Sub", a, b))
    more = log_of_one_plus(graph, graph.node("Exp", graph.node("Neg", distance)), y)
    same = graph.node("Equal", a, b)
    return graph.node("Add", most, graph.node("Where", same, graph.number(math.log(2), y), more))


@writes("copysign")
def copysign(graph: Graph, a: Value, b: Value) -> Any:
    """|a|, or its negative where b has a sign."""
    dtype = graph.y.dtype
    size = graph.node("Abs", graph.cast(a, dtype))
    return graph.node("Where", has_sign(graph, b), graph.node("Neg", size), size)


@writes("signbit")
def signbit(graph: Graph, x: Value) -> Any:
    """x < 0 or 1 / x < 0, which -0 has; the sign of a NaN is not seen."""
    return has_sign(graph, x)


def has_sign(graph: Graph, x: Value) -> Any:
    """Whether x is below 0, or -0."""
    if x.dtype.kind in "ub":
        return graph.node("Less", graph.cast(x, np.dtype(np.int64)), np.asarray(0))
    below = graph.node("Less", x, graph.number(0, x))
    if not x.is_float:
        return below
    of_inverse = graph.node("Less", graph.node("Div", graph.number(1, x), x), graph.number(0, x))
    return graph.node("Or", below, of_inverse)


@writes("where")
def where(graph: Graph, a: Value, b: Value, *, condition: Value) -> Any:
    """Where."""
    return graph.node("Where", as_bool(graph, condition), a, b)


@writes("masked")
def masked(graph: Graph, x: Value, *, mask: Value) -> Any:
    """Where, with 0."""
    return graph.node("Where", as_bool(graph, mask), x, graph.number(0, x))


@writes("dropout")
def dropout(graph: Graph, x: Value, *, kept: Value, p: float) -> Any:
    """Where, with 0, of x / (1 - p)."""
    scaled: Operand = x if p in (0, 1) else graph.node("Mul", x, graph.number(1 / (1 - p), x))
    return graph.node("Where", as_bool(graph, kept), scaled, graph.number(0, x))
