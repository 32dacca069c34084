"""Activations, and softmax."""

from __future__ import annotations

import math
from typing import Any

from ..graph import Graph, Operand, Value
from ..table import RULES, one_node, writes

RULES.update({"relu": one_node("Relu"), "selu": one_node("Selu"), "hardswish": one_node("HardSwish")})


@writes("leaky_relu")
def leaky_relu(graph: Graph, x: Value, *, negative_slope: float) -> Any:
    """LeakyRelu."""
    return graph.node("LeakyRelu", x, alpha=float(negative_slope))


@writes("prelu")
def prelu(graph: Graph, x: Value, w: Value) -> Any:
    """PRelu, the slopes beside the channels."""
    if w.shape == (1,) or not w.ndim:
        return graph.node("PRelu", x, graph.reshape(w, ()) if w.ndim else w)
    after = (1,) * (x.ndim - 2)
    return graph.node("PRelu", x, graph.reshape(w, (*w.shape, *after)) if after else w)


@writes("elu")
def elu(graph: Graph, x: Value, *, alpha: float) -> Any:
    """Elu."""
    return graph.node("Elu", x, alpha=float(alpha))


@writes("hardtanh")
def hardtanh(graph: Graph, x: Value, *, min_val: float, max_val: float) -> Any:
    """Clip."""
    return graph.node("Clip", x, graph.number(min_val, x), graph.number(max_val, x))


@writes("silu")
def silu(graph: Graph, x: Value) -> Any:
    """x times Sigmoid."""
    return graph.node("Mul", x, graph.node("Sigmoid", x))


@writes("softplus")
def softplus(graph: Graph, x: Value, *, beta: float, threshold: float) -> Any:
    """Softplus of βx, divided by β, or x itself beyond the threshold."""
    scaled: Operand = x if beta == 1 else graph.node("Mul", x, graph.number(beta, x))
    y = graph.node("Softplus", scaled)
    y = y if beta == 1 else graph.node("Div", y, graph.number(beta, x))
    return graph.node("Where", graph.node("Greater", scaled, graph.number(threshold, x)), x, y)


@writes("logsigmoid")
def logsigmoid(graph: Graph, x: Value) -> Any:
    """Softplus, negative twice."""
    return graph.node("Neg", graph.node("Softplus", graph.node("Neg", x)))


@writes("softsign")
def softsign(graph: Graph, x: Value) -> Any:
    """Softsign."""
    return graph.node("Softsign", x)


@writes("mish")
def mish(graph: Graph, x: Value) -> Any:
    """Mish, before opset 18 x times Tanh of Softplus."""
    if graph.opset >= 18:
        return graph.node("Mish", x)
    return graph.node("Mul", x, graph.node("Tanh", graph.node("Softplus", x)))


@writes("gelu")
def gelu(graph: Graph, x: Value, *, approximate: str) -> Any:
    """Gelu, before opset 20 its formula."""
    if graph.opset >= 20:
        return graph.node("Gelu", x, approximate=approximate)
    if approximate == "none":
        inner = graph.node("Erf", graph.node("Mul", x, graph.number(math.sqrt(0.5), x)))
    else:
        cube = graph.node("Mul", graph.node("Mul", x, x), x)
        bent = graph.node("Add", x, graph.node("Mul", cube, graph.number(0.044715, x)))
        inner = graph.node("Tanh", graph.node("Mul", bent, graph.number(math.sqrt(2 / math.pi), x)))
    share = graph.node("Mul", graph.node("Add", inner, graph.number(1, x)), graph.number(0.5, x))
    return graph.node("Mul", x, share)


@writes("softmax")
def softmax(graph: Graph, x: Value, *, dim: int) -> Any:
    """Softmax."""
    return along(graph, "Softmax", x, dim)


@writes("log_softmax")
def log_softmax(graph: Graph, x: Value, *, dim: int) -> Any:
    """LogSoftmax."""
    return along(graph, "LogSoftmax", x, dim)


def along(graph: Graph, op_type: str, x: Value, dim: int) -> Any:
    """An op along a dimension, which a number alone has not got in ONNX."""
    if x.ndim:
        return graph.node(op_type, x, axis=dim % x.ndim)
    return graph.reshape(graph.node(op_type, graph.reshape(x, (1,)), axis=0), ())
