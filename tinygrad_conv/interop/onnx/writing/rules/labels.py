"""Class labels: as vectors, and how much each sample weighs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, Operand, Value
from ..table import writes
from .comparisons import INT64


@writes("label_vectors")
def label_vectors(
    graph: Graph,
    target: Value,
    *,
    classes: int,
    dtype: Any,
    weight: Value | None,
    ignore_index: int,
    label_smoothing: float,
) -> Any:
    """Where the label is Equal to the class, smoothed, times the weights; 0 for what is ignored."""
    like, axis = Value("", (), np.dtype(dtype)), min(target.ndim, 1)
    after = (1,) * (target.ndim - axis)
    labels = graph.node("Unsqueeze", graph.cast(target, INT64), np.array([axis], np.int64))
    is_label = graph.node("Equal", labels, np.arange(classes).reshape(-1, *after))
    miss = label_smoothing / max(classes, 1)
    hit = graph.number(miss + 1 - label_smoothing, like)
    vectors = graph.node("Where", is_label, hit, graph.number(miss, like))
    if weight is not None:
        row = graph.reshape(weight, (*weight.shape, *after)) if after else weight
        vectors = graph.node("Mul", vectors, graph.cast(row, like.dtype, weight.dtype))
    return graph.node("Where", is_ignored(graph, labels, ignore_index), graph.number(0, like), vectors)


@writes("label_weights")
def label_weights(graph: Graph, target: Value, *, dtype: Any, weight: Value | None, ignore_index: int) -> Any:
    """Gather of the weights; 0 for what is ignored."""
    like, labels = Value("", (), np.dtype(dtype)), graph.cast(target, INT64)
    ignored = is_ignored(graph, labels, ignore_index)
    own: Operand = graph.number(1, like)
    if weight is not None:
        places = graph.node("Where", ignored, np.asarray(0, np.int64), labels)
        own = graph.node("Gather", graph.cast(weight, like.dtype), places, axis=0)
    return graph.node("Where", ignored, graph.number(0, like), own)


def is_ignored(graph: Graph, labels: Operand, ignore_index: int) -> Any:
    """Which labels do not count."""
    return graph.node("Equal", labels, np.asarray(ignore_index, np.int64))
