"""Normalisations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Graph, Operand, Value, known_sizes
from ..table import writes


@writes("batch_norm")
def batch_norm(
    graph: Graph,
    x: Value,
    w: Value | None,
    b: Value | None,
    *,
    running_mean: Value,
    running_var: Value,
    training: bool,
    eps: float,
) -> Any:
    """BatchNormalization; of the batch's own statistics by their formula."""
    (channels,), after = known_sizes(x.shape[1:2]), (1,) * (x.ndim - 2)
    if training:
        y = normalized(graph, x, x, [0, *range(2, x.ndim)], eps)
        return scaled(graph, y, w, b, after)
    scale = np.ones(channels, x.dtype) if w is None else w
    shift = np.zeros(channels, x.dtype) if b is None else b
    return graph.node("BatchNormalization", x, scale, shift, running_mean, running_var, epsilon=float(eps))


def normalized(graph: Graph, x: Operand, like: Value, axes: Sequence[int], eps: float) -> str:
    """(x - mean) / √(variance + eps) over axes."""
    deviation = graph.node("Sub", x, graph.axes("ReduceMean", x, axes, True))
    variance = graph.axes("ReduceMean", graph.node("Mul", deviation, deviation), axes, True)
    root = graph.node("Sqrt", graph.node("Add", variance, graph.number(eps, like)))
    y: str = graph.node("Div", deviation, root)
    return y


def scaled(graph: Graph, y: Any, w: Value | None, b: Value | None, after: tuple[int, ...]) -> Any:
    """y times the weights of its channels, plus their biases; after: as many ones as dimensions follow."""
    if w is not None:
        y = graph.node("Mul", y, graph.reshape(w, (*w.shape, *after)) if after else w)
    if b is not None:
        y = graph.node("Add", y, graph.reshape(b, (*b.shape, *after)) if after else b)
    return y


@writes("layer_norm")
def layer_norm(
    graph: Graph, x: Value, w: Value | None, b: Value | None, *, normalized_shape: Any, eps: float
) -> Any:
    """LayerNormalization."""
    scale = np.ones(normalized_shape, x.dtype) if w is None else w
    axis = -len(normalized_shape)
    return graph.node("LayerNormalization", x, scale, b, axis=axis, epsilon=float(eps))


@writes("group_norm")
def group_norm(
    graph: Graph, x: Value, w: Value | None, b: Value | None, *, num_groups: int, eps: float
) -> Any:
    """InstanceNormalization; of groups between two Reshapes, before Mul and Add."""
    ones, zeros = np.ones(num_groups, x.dtype), np.zeros(num_groups, x.dtype)
    if num_groups == x.shape[1] and x.ndim > 2:
        scale, shift = ones if w is None else w, zeros if b is None else b
        return graph.node("InstanceNormalization", x, scale, shift, epsilon=float(eps))
    groups = graph.node("Reshape", x, np.array([0, num_groups, -1], np.int64))
    y = graph.node("InstanceNormalization", groups, ones, zeros, epsilon=float(eps))
    return scaled(graph, graph.reshape(y, x.shape), w, b, (1,) * (x.ndim - 2))
