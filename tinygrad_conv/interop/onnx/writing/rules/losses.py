"""Losses, and class labels: as vectors, and how much each sample weighs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....ops.arguments.losses import class_dim
from ..graph import Graph, Operand, Value, known_sizes
from ..table import writes
from .comparisons import INT64
from .elementary import log_of_one_plus


def reduced(graph: Graph, values: Operand, reduction: str, ndim: int) -> Any:
    """Losses of single elements, their sum or their mean."""
    if reduction == "none" or not ndim:
        return graph.name(values)
    return graph.axes(f"Reduce{reduction.capitalize()}", values, list(range(ndim)), False)


def distance(graph: Graph, x: Value, target: Value) -> Any:
    """x - target."""
    return graph.node("Sub", x, graph.cast(target, x.dtype))


@writes("mse_loss")
def mse_loss(graph: Graph, x: Value, target: Value, *, reduction: str) -> Any:
    """The reduction of (x - target)²."""
    difference = distance(graph, x, target)
    return reduced(graph, graph.node("Mul", difference, difference), reduction, x.ndim)


@writes("l1_loss")
def l1_loss(graph: Graph, x: Value, target: Value, *, reduction: str) -> Any:
    """The reduction of Abs of x - target."""
    return reduced(graph, graph.node("Abs", distance(graph, x, target)), reduction, x.ndim)


@writes("huber_loss")
def huber_loss(graph: Graph, x: Value, target: Value, *, reduction: str, delta: float) -> Any:
    """The reduction of c (|d| - ½ c), c the smaller of |d| and δ."""
    return reduced(graph, parabola_then_line(graph, x, target, delta), reduction, x.ndim)


@writes("smooth_l1_loss")
def smooth_l1_loss(graph: Graph, x: Value, target: Value, *, reduction: str, beta: float) -> Any:
    """As huber_loss, divided by β; as l1_loss for β = 0."""
    if beta == 0:
        return l1_loss(graph, x, target, reduction=reduction)
    values = parabola_then_line(graph, x, target, beta)
    return reduced(graph, graph.node("Div", values, graph.number(beta, x)), reduction, x.ndim)


def parabola_then_line(graph: Graph, x: Value, target: Value, delta: float) -> Any:
    """½ d² up to δ, δ (d - ½ δ) beyond."""
    size = graph.node("Abs", distance(graph, x, target))
    shorter = graph.node("Min", size, graph.number(delta, x))
    half = graph.node("Mul", shorter, graph.number(0.5, x))
    return graph.node("Mul", shorter, graph.node("Sub", size, half))


@writes("binary_cross_entropy")
def binary_cross_entropy(
    graph: Graph, x: Value, target: Value, *, weight: Value | None, reduction: str
) -> Any:
    """The reduction of -w (t ln x + (1 - t) ln(1 - x)), logarithms no lower than -100."""
    lowest, one = graph.number(-100, x), graph.number(1, x)
    wanted = graph.cast(target, x.dtype)
    for_it = graph.node("Max", graph.node("Log", x), lowest)
    against = graph.node("Max", log_of_one_plus(graph, graph.node("Neg", x), x), lowest)
    other = graph.node("Mul", graph.node("Sub", wanted, one), against)
    values = graph.node("Sub", other, graph.node("Mul", wanted, for_it))
    return reduced(graph, weighted(graph, weight, values, x), reduction, x.ndim)


@writes("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    graph: Graph, x: Value, target: Value, *, weight: Value | None, reduction: str, pos_weight: Value | None
) -> Any:
    """The reduction of w ((1 - t) x + (1 + (p - 1) t) Softplus(-x))."""
    one, wanted = graph.number(1, x), graph.cast(target, x.dtype)
    rest = graph.node("Sub", one, wanted)
    soft = graph.node("Softplus", graph.node("Neg", x))
    if pos_weight is not None:
        soft = graph.node("Mul", soft, graph.node("Add", rest, weighted(graph, pos_weight, wanted, x)))
    values = graph.node("Add", graph.node("Mul", rest, x), soft)
    return reduced(graph, weighted(graph, weight, values, x), reduction, x.ndim)


def weighted(graph: Graph, weight: Value | None, values: Operand, like: Value) -> Operand:
    """The values times a weight, where there is one."""
    if weight is None:
        return values
    product: str = graph.node("Mul", values, graph.cast(weight, like.dtype))
    return product


@writes("nll_loss")
def nll_loss(
    graph: Graph, x: Value, target: Value, *, weight: Value | None, reduction: str, ignore_index: int
) -> Any:
    """NegativeLogLikelihoodLoss."""
    scores, labels = in_batch(graph, x, target)
    y = graph.node(
        "NegativeLogLikelihoodLoss", scores, labels, weight, reduction=reduction, ignore_index=ignore_index
    )
    return y if x.ndim > 1 or reduction != "none" else graph.reshape(y, ())


@writes("cross_entropy")
def cross_entropy(
    graph: Graph,
    x: Value,
    target: Value,
    *,
    weight: Value | None,
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> Any:
    """SoftmaxCrossEntropyLoss of labels; of probabilities, or smoothed, the products with LogSoftmax."""
    if target.is_float:
        return of_probabilities(graph, x, target, weight, reduction, label_smoothing)
    if label_smoothing:
        return smoothed(graph, x, target, weight, reduction, ignore_index, label_smoothing)
    scores, labels = in_batch(graph, x, target)
    y = graph.node(
        "SoftmaxCrossEntropyLoss", scores, labels, weight, reduction=reduction, ignore_index=ignore_index
    )
    return y if x.ndim > 1 or reduction != "none" else graph.reshape(y, ())


def smoothed(
    graph: Graph,
    x: Value,
    target: Value,
    weight: Value | None,
    reduction: str,
    ignore_index: int,
    label_smoothing: float,
) -> Any:
    """-Σ of the labels' vectors times LogSoftmax(x), whose mean is over the labels' weights."""
    dim = class_dim(x.shape)  # type: ignore[arg-type]
    (classes,) = known_sizes(x.shape[dim : dim + 1])
    options: dict[str, Any] = {"dtype": x.dtype, "weight": weight, "ignore_index": ignore_index}
    wanted = label_vectors(graph, target, classes=classes, label_smoothing=label_smoothing, **options)
    scores = graph.node("LogSoftmax", x, axis=dim)
    losses = graph.node("Neg", graph.axes("ReduceSum", graph.node("Mul", wanted, scores), [dim], False))
    if reduction != "mean":
        return reduced(graph, losses, reduction, x.ndim - 1)
    weights = label_weights(graph, target, **options)
    total, share = (reduced(graph, each, "sum", x.ndim - 1) for each in (losses, weights))
    return graph.node("Div", total, share)


def in_batch(graph: Graph, x: Value, target: Value) -> tuple[Operand, Operand]:
    """Scores and labels, those of one sample as a batch of one."""
    labels = graph.cast(target, INT64)
    if x.ndim > 1:
        return x, labels
    first = np.array([0], np.int64)
    return graph.node("Unsqueeze", x, first), graph.node("Unsqueeze", labels, first)


def of_probabilities(
    graph: Graph, x: Value, target: Value, weight: Value | None, reduction: str, smoothing: float
) -> Any:
    """-Σ w q LogSoftmax(x) over the classes, reduced; the mean is over the samples."""
    dim = class_dim(x.shape)  # type: ignore[arg-type]
    scores = graph.node("LogSoftmax", x, axis=dim)
    wanted: Operand = graph.cast(target, x.dtype)
    if smoothing:
        classes: Any = x.shape[dim]
        kept = graph.node("Mul", wanted, graph.number(1 - smoothing, x))
        wanted = graph.node("Add", kept, graph.number(smoothing / max(classes, 1), x))
    if weight is not None:
        after = (1,) * (x.ndim - 1 - dim)
        beside = graph.reshape(weight, (*weight.shape, *after)) if after else weight
        wanted = graph.node("Mul", wanted, graph.cast(beside, x.dtype, weight.dtype))
    losses = graph.node("Neg", graph.axes("ReduceSum", graph.node("Mul", wanted, scores), [dim], False))
    return reduced(graph, losses, reduction, x.ndim - 1)


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
