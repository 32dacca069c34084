"""Ops that gradient rules are made of: they are in the graph of a recorded backward."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .....ops.arguments.windows import pool_window
from .....ops.pool import places_of
from ..graph import Graph, Operand, Value, known_sizes
from ..table import NotWritable, writes
from .convolutions import in_batch, out_of_batch, transposed


@writes("deviation_dot")
def deviation_dot(graph: Graph, dy: Value, x: Value, center: Value) -> Any:
    """ReduceSum of dy (x - center) over what the center was stretched."""
    products = graph.node("Mul", dy, graph.node("Sub", x, center))
    axes = [axis for axis, size in enumerate(center.shape) if size == 1 and x.shape[axis] != 1]
    return graph.axes("ReduceSum", products, axes, True) if axes else products


@writes("deviation_removed")
def deviation_removed(
    graph: Graph, dy: Value, mean: Value, x: Value, center: Value, along: Value, factor: Value
) -> Any:
    """(dy - mean - (x - center) · along) · factor."""
    part = graph.node("Mul", graph.node("Sub", x, center), along)
    return graph.node("Mul", graph.node("Sub", graph.node("Sub", dy, mean), part), factor)


@writes("spread_windows")
def spread_windows(
    graph: Graph, dy: Value, *, size: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool
) -> Any:
    """ConvTranspose with ones, for each channel by itself."""
    window = pool_window("spread_windows", tuple(size), kernel_size, stride, padding, 1, ceil_mode)
    (channels,) = known_sizes(dy.shape[-3:-2])
    ones = np.ones((channels, 1, *window.kernel), dy.dtype)
    return out_of_batch(graph, transposed(graph, in_batch(graph, dy), ones, window, channels, dy), dy.ndim)


@writes("scatter_taps")
def scatter_taps(
    graph: Graph,
    dy: Value,
    *,
    tap: Value,
    size: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Any:
    """ScatterElements of zeros, which adds."""
    if tap.array is None:
        raise NotWritable("its taps must be constant")
    window = pool_window("scatter_taps", tuple(size), kernel_size, stride, padding, dilation, ceil_mode)
    samples = known_sizes(dy.shape[:-2])
    places = places_of(tap.array, window).reshape(*samples, -1)  # type: ignore[no-untyped-call]
    zeros: Operand = np.zeros((*samples, math.prod(window.size)), dy.dtype)
    numbers = graph.reshape(dy, places.shape)
    added = graph.node("ScatterElements", zeros, places, numbers, axis=len(samples), reduction="add")
    return graph.reshape(added, graph.y.shape)
