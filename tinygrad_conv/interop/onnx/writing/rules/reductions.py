"""Sums, means, extremes, orders and counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .....ops.arguments.dims import reduced_dims
from ..graph import Graph, Operand, Value
from ..sizes import OfBatch
from ..table import NotWritable, writes
from .comparisons import INT64, as_bool

INT32 = np.dtype(np.int32)


def dims_of(x: Value, dim: Any) -> list[int]:
    """The axes that a reduction runs over."""
    return sorted(reduced_dims("reduction", dim, x.ndim))


def reduced(graph: Graph, op_type: str, x: Operand, axes: Sequence[int], keepdim: bool) -> Operand:
    """A reduction over axes; a number alone has none, and is its own."""
    return graph.axes(op_type, x, axes, keepdim) if axes else x


@writes("sum")
def sum_(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceSum."""
    return graph.name(reduced(graph, "ReduceSum", graph.cast(x, graph.y.dtype), dims_of(x, dim), keepdim))


@writes("mean")
def mean(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceMean."""
    return graph.name(reduced(graph, "ReduceMean", graph.cast(x, graph.y.dtype), dims_of(x, dim), keepdim))


@writes("prod")
def prod(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceProd."""
    return graph.name(reduced(graph, "ReduceProd", graph.cast(x, graph.y.dtype), dims_of(x, dim), keepdim))


@writes("amax")
def amax(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceMax."""
    return extreme(graph, "ReduceMax", x, dims_of(x, dim), keepdim)


@writes("amin")
def amin(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceMin."""
    return extreme(graph, "ReduceMin", x, dims_of(x, dim), keepdim)


def extreme(graph: Graph, op_type: str, x: Value, axes: Sequence[int], keepdim: bool) -> str:
    """The extreme over axes, of bools as integers."""
    if x.dtype != bool:
        return graph.name(reduced(graph, op_type, x, axes, keepdim))
    most = reduced(graph, op_type, graph.cast(x, INT32), axes, keepdim)
    return graph.name(graph.cast(most, x.dtype, INT32))


@writes("max")
def max_(graph: Graph, x: Value, *, dim: int, keepdim: bool) -> Any:
    """ReduceMax and ArgMax."""
    axes = dims_of(x, dim)
    return extreme(graph, "ReduceMax", x, axes, keepdim), place_of(graph, "ArgMax", x, axes, keepdim)


@writes("min")
def min_(graph: Graph, x: Value, *, dim: int, keepdim: bool) -> Any:
    """ReduceMin and ArgMin."""
    axes = dims_of(x, dim)
    return extreme(graph, "ReduceMin", x, axes, keepdim), place_of(graph, "ArgMin", x, axes, keepdim)


@writes("argmax")
def argmax(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ArgMax, of the flat x without dim."""
    return place_among(graph, "ArgMax", x, dim, keepdim)


@writes("argmin")
def argmin(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ArgMin, of the flat x without dim."""
    return place_among(graph, "ArgMin", x, dim, keepdim)


def place_among(graph: Graph, op_type: str, x: Value, dim: Any, keepdim: bool) -> Any:
    """Where the extreme is, along a dimension or in flat order."""
    if dim is not None and x.ndim:
        return place_of(graph, op_type, x, dims_of(x, dim), keepdim)
    flat = graph.reshape(ordered(graph, x), (-1,))
    return graph.reshape(graph.node(op_type, flat, axis=0, keepdims=0), graph.y.shape)


def place_of(graph: Graph, op_type: str, x: Value, axes: Sequence[int], keepdim: bool) -> str:
    """Where the extreme is along an axis, the first of several."""
    if not axes:
        return graph.constant(np.zeros((), np.int64))
    place: str = graph.node(op_type, ordered(graph, x), axis=axes[0], keepdims=int(keepdim))
    return place


def ordered(graph: Graph, x: Value) -> Operand:
    """x in a dtype that is ordered: bools as integers."""
    return graph.cast(x, INT32) if x.dtype == bool else x


@writes("argsort")
def argsort(graph: Graph, x: Value, *, dim: int, descending: bool, stable: bool) -> Any:
    """TopK of all, which keeps the order of equal ones."""
    if not x.ndim:
        return graph.constant(np.zeros((), np.int64))
    axis = dim % x.ndim
    count = graph.ints([x.shape[axis]])
    _, places = graph.node(
        "TopK", ordered(graph, x), count, outputs=2, axis=axis, largest=int(descending), sorted=1
    )
    return places


@writes("cumsum")
def cumsum(graph: Graph, x: Value, *, dim: int) -> Any:
    """CumSum."""
    if not x.ndim:
        return graph.name(graph.cast(x, graph.y.dtype))
    return graph.node("CumSum", graph.cast(x, graph.y.dtype), np.asarray(dim % x.ndim, np.int64))


@writes("logsumexp")
def logsumexp(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """The maximum m, plus Log of ReduceSum of Exp of x - m; an infinite m is not subtracted."""
    dtype, axes = graph.y.dtype, dims_of(x, dim)
    x_float = graph.cast(x, dtype)
    if not axes:
        return graph.name(x_float)
    most = graph.axes("ReduceMax", x_float, axes, True)
    most = graph.node("Where", graph.node("IsInf", most), graph.number(0, graph.y), most)
    powers = graph.node("Exp", graph.node("Sub", x_float, most))
    y = graph.node("Add", graph.node("Log", graph.axes("ReduceSum", powers, axes, True)), most)
    return y if keepdim else graph.node("Squeeze", y, np.array(axes, np.int64))


@writes("all")
def all_(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceMin of what is other than 0."""
    return truth(graph, "ReduceMin", x, dims_of(x, dim), keepdim)


@writes("any")
def any_(graph: Graph, x: Value, *, dim: Any, keepdim: bool) -> Any:
    """ReduceMax of what is other than 0."""
    return truth(graph, "ReduceMax", x, dims_of(x, dim), keepdim)


def truth(graph: Graph, op_type: str, x: Value, axes: Sequence[int], keepdim: bool) -> str:
    """Whether all, or some, of x are other than 0."""
    holds = graph.cast(as_bool(graph, x), INT32, np.dtype(bool))
    answer = reduced(graph, op_type, holds, axes, keepdim)
    return graph.name(graph.cast(answer, graph.y.dtype, INT32))


@writes("count_nonzero")
def count_nonzero(graph: Graph, x: Value, *, dim: Any) -> Any:
    """ReduceSum of what is other than 0."""
    holds = graph.cast(as_bool(graph, x), INT64, np.dtype(bool))
    return graph.name(reduced(graph, "ReduceSum", holds, dims_of(x, dim), False))


@writes("var")
def var(graph: Graph, x: Value, *, dim: Any, correction: float, keepdim: bool) -> Any:
    """ReduceSum of (x - mean)², divided by n - correction."""
    return variance(graph, x, dims_of(x, dim), correction, keepdim)


@writes("std")
def std(graph: Graph, x: Value, *, dim: Any, correction: float, keepdim: bool) -> Any:
    """Sqrt of the variance."""
    return graph.node("Sqrt", variance(graph, x, dims_of(x, dim), correction, keepdim))


def variance(graph: Graph, x: Value, axes: list[int], correction: float, keepdim: bool) -> Any:
    """The variance over axes."""
    if not axes:
        return graph.node("Div", graph.node("Sub", x, x), graph.number(max(1 - correction, 0), x))
    deviation = graph.node("Sub", x, graph.axes("ReduceMean", x, axes, True))
    total = graph.axes("ReduceSum", graph.node("Mul", deviation, deviation), axes, keepdim)
    freedom = graph.node("Sub", graph.count(x, axes, x.dtype), graph.number(correction, x))
    return graph.node("Div", total, graph.node("Max", freedom, graph.number(0, x)))


@writes("vector_norm")
def vector_norm(graph: Graph, x: Value, *, p: float, dim: Any, keepdim: bool) -> Any:
    """ReduceL1, ReduceL2, the extreme of Abs, or the root of powers."""
    axes = dims_of(x, dim)
    if not axes:
        return graph.node("Abs", x) if p else graph.name(graph.cast(as_bool(graph, x), x.dtype, bool))
    if p in (1, 2):
        return graph.axes(f"ReduceL{p:g}", x, axes, keepdim)
    if math.isinf(p):
        return graph.axes("ReduceMax" if p > 0 else "ReduceMin", graph.node("Abs", x), axes, keepdim)
    if p == 0:
        return graph.axes("ReduceSum", graph.cast(as_bool(graph, x), x.dtype, bool), axes, keepdim)
    powers = graph.node("Pow", graph.node("Abs", x), graph.number(p, x))
    return graph.node("Pow", graph.axes("ReduceSum", powers, axes, keepdim), graph.number(1 / p, x))


@writes("sum_to")
def sum_to(graph: Graph, x: Value, *, shape: Any) -> Any:
    """ReduceSum over what was broadcast."""
    extra = x.ndim - len(shape)
    stretched = [axis + extra for axis, size in enumerate(shape) if size == 1 and x.shape[axis + extra] != 1]
    axes = [*range(extra), *stretched]
    if not axes:
        return graph.name(x)
    return graph.reshape(graph.axes("ReduceSum", x, axes, True), graph.y.shape)


@writes("one_hot")
def one_hot(graph: Graph, x: Value, *, num_classes: int) -> Any:
    """OneHot."""
    if isinstance(num_classes, OfBatch) or num_classes < 0:
        raise NotWritable("how many classes there are follows from the labels; pass num_classes")
    depth, values = np.asarray(num_classes, np.int64), np.array([0, 1], np.int64)
    labels = graph.cast(x, INT64) if x.ndim else graph.reshape(graph.cast(x, INT64), (1,))
    vectors = graph.node("OneHot", labels, depth, values, axis=-1)
    return vectors if x.ndim else graph.reshape(vectors, graph.y.shape)
