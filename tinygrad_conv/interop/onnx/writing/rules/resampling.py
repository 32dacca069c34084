"""What is linear along an axis: places taken, matrices along it, and ONNX's Resize."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....dtypes import Array
from .....ops.resample import Entries, resizing
from ..graph import Graph, Operand, Value, known_sizes
from ..sizes import OfBatch
from ..table import NotWritable, writes


def taken(graph: Graph, x: Operand, axis: int, places: Any) -> str:
    """x[places] along an axis."""
    read: str = graph.node("Gather", x, np.asarray(places, np.int64), axis=axis)
    return read


def mixed(graph: Graph, x: Operand, ndim: int, axis: int, old: Any, entries: Entries, dtype: Any) -> Operand:
    """x times a matrix along an axis, or places taken where each reads one."""
    if isinstance(old, OfBatch):
        raise NotWritable("along the batch it depends on its size; pass dynamic_batch=False")
    if is_choice(entries):
        places = np.zeros(entries.size, np.int64)
        places[entries.target] = entries.source
        return x if np.array_equal(places, np.arange(old)) else taken(graph, x, axis, places)
    matrix = dense(entries, old, dtype)
    if axis == ndim - 1:
        return str(graph.node("MatMul", x, matrix.T))
    order = [*(place for place in range(ndim) if place != axis), axis]
    mixed_last = graph.node("MatMul", graph.node("Transpose", x, perm=order), matrix.T)
    return str(graph.node("Transpose", mixed_last, perm=[order.index(place) for place in range(ndim)]))


def is_choice(entries: Entries) -> bool:
    """Whether each place of the result reads one place, as it is."""
    once = np.array_equal(np.sort(entries.target), np.arange(entries.size))
    return once and (entries.weight is None or bool((entries.weight == 1).all()))


def dense(entries: Entries, old: int, dtype: Any) -> Array:
    """The matrix [new, old] of these entries."""
    matrix = np.zeros((entries.size, old))
    np.add.at(matrix, (entries.target, entries.source), 1 if entries.weight is None else entries.weight)
    return np.ascontiguousarray(matrix, dtype)


def mixed_axes(graph: Graph, x: Value, matrices: Sequence[Entries]) -> str:
    """x with a matrix along each of its last axes."""
    y: Operand = x
    for axis, entries in enumerate(matrices, x.ndim - len(matrices)):
        y = mixed(graph, y, x.ndim, axis, x.shape[axis], entries, x.dtype)
    return graph.name(y)


@writes("mix")
def mix(
    graph: Graph, x: Value, *, dim: int, size: int, target: Value, source: Value, weight: Value | None
) -> Any:
    """Gather, or MatMul with a matrix."""
    if target.array is None or source.array is None or (weight is not None and weight.array is None):
        raise NotWritable("its matrix must be constant")
    axis = dim % x.ndim
    entries = Entries(size, target.array, source.array, None if weight is None else weight.array)
    return graph.name(mixed(graph, x, x.ndim, axis, x.shape[axis], entries, x.dtype))


@writes("interpolate")
def interpolate(graph: Graph, x: Value, *, size: Any, mode: str, align_corners: bool, scale: Any) -> Any:
    """Resize by whole factors and by align_corners, otherwise Gather or MatMul with a matrix."""
    old, size = known_sizes(x.shape[2:]), known_sizes(size)
    whole = all(new % before == 0 for new, before in zip(size, old))
    factors = [new // before for new, before in zip(size, old)]
    as_given = scale is None or all(float(each) == factor for each, factor in zip(scale, factors) if each)
    if x.is_float and 0 not in x.shape and whole and as_given and len(old) <= 2:
        return resized(graph, x, mode, align_corners, factors)
    matrices = resizing((1, 1, *old), size, mode, align_corners, scale, x.dtype)
    return mixed_axes(graph, x, matrices)


def resized(graph: Graph, x: Value, mode: str, align_corners: bool, factors: list[int]) -> Any:
    """Resize by whole factors."""
    scales = np.array([1, 1, *factors], np.float32)
    if mode != "linear":
        return graph.node(
            "Resize",
            x,
            None,
            scales,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
    corners = "align_corners" if align_corners else "half_pixel"
    return graph.node("Resize", x, None, scales, mode="linear", coordinate_transformation_mode=corners)
