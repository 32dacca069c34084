"""Products of matrices."""

from __future__ import annotations

from typing import Any

from ..graph import Graph, Operand, Value
from ..table import writes


@writes("matmul")
def matmul(graph: Graph, a: Value, b: Value) -> Any:
    """MatMul."""
    return graph.node("MatMul", graph.cast(a, graph.y.dtype), graph.cast(b, graph.y.dtype))


@writes("linear")
def linear(graph: Graph, x: Value, w: Value, b: Value | None) -> Any:
    """Gemm of a matrix, MatMul with the transposed weight otherwise."""
    if x.ndim == 2 and x.is_float:
        return graph.node("Gemm", x, w, b, transB=1)
    y = graph.node("MatMul", x, graph.node("Transpose", w, perm=[1, 0]))
    return y if b is None else graph.node("Add", y, b)


@writes("transposed_matmul")
def transposed_matmul(graph: Graph, a: Value, b: Value) -> Any:
    """MatMul of the transposed first, leading dimensions as rows."""
    return graph.node("MatMul", graph.node("Transpose", rows(graph, a), perm=[1, 0]), rows(graph, b))


def rows(graph: Graph, x: Value) -> Operand:
    """[..., n] as the rows of a matrix."""
    return x if x.ndim == 2 else graph.reshape(x, (-1, x.shape[-1]))


@writes("einsum")
def einsum(graph: Graph, *xs: Value, equation: str) -> Any:
    """Einsum."""
    return graph.node("Einsum", *(graph.cast(x, graph.y.dtype) for x in xs), equation=equation)
