"""Ops that rearrange."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .....ops.padding import borders
from ..graph import Graph, Operand, Value, known_sizes
from ..sizes import OfBatch
from ..table import NotWritable, writes
from .resampling import mixed_axes


@writes("reshape")
def reshape(graph: Graph, x: Value, *, shape: Any) -> Any:
    """Reshape."""
    return graph.reshape(x, graph.y.shape)


@writes("flatten")
def flatten(graph: Graph, x: Value, *, start_dim: int, end_dim: int) -> Any:
    """Flatten from dimension 1 on, Reshape otherwise."""
    start, end = (dim % max(x.ndim, 1) for dim in (start_dim, end_dim))
    if start == 1 and end == x.ndim - 1 and 0 not in x.shape:
        return graph.node("Flatten", x, axis=1)
    return graph.reshape(x, graph.y.shape)


@writes("flatten_input_grad")
def flatten_input_grad(graph: Graph, dy: Value, *, shape: Any) -> Any:
    """Reshape."""
    return graph.reshape(dy, graph.y.shape)


@writes("squeeze")
def squeeze(graph: Graph, x: Value, *, dim: Any) -> Any:
    """Squeeze."""
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    counted = [each % max(x.ndim, 1) for each in dims]
    if any(isinstance(x.shape[each], OfBatch) for each in counted if x.ndim):
        raise NotWritable("of a batch of one it would lose the batch; name the dimensions that it squeezes")
    axes = [each for each in counted if x.ndim and x.shape[each] == 1]
    return graph.node("Squeeze", x, np.array(axes, np.int64)) if axes else graph.name(x)


@writes("unsqueeze")
def unsqueeze(graph: Graph, x: Value, *, dim: int) -> Any:
    """Unsqueeze."""
    return graph.node("Unsqueeze", x, np.array([dim % (x.ndim + 1)], np.int64))


@writes("permute")
def permute(graph: Graph, x: Value, *, dims: Any) -> Any:
    """Transpose."""
    return graph.node("Transpose", x, perm=[dim % x.ndim for dim in dims]) if x.ndim else graph.name(x)


@writes("transpose")
def transpose(graph: Graph, x: Value, *, dim0: int, dim1: int) -> Any:
    """Transpose."""
    if not x.ndim:
        return graph.name(x)
    order, first, second = list(range(x.ndim)), dim0 % x.ndim, dim1 % x.ndim
    order[first], order[second] = second, first
    return graph.node("Transpose", x, perm=order)


@writes("flip")
def flip(graph: Graph, x: Value, *, dims: Any) -> Any:
    """Slice with a step of -1."""
    axes = [dim % max(x.ndim, 1) for dim in (dims if isinstance(dims, tuple) else (dims,))]
    if not axes or not x.ndim:
        return graph.name(x)
    last, before = [-1] * len(axes), [np.iinfo(np.int64).min] * len(axes)
    return graph.node("Slice", x, *(np.array(each, np.int64) for each in (last, before, axes, last)))


@writes("roll")
def roll(graph: Graph, x: Value, *, shifts: Any, dims: Any) -> Any:
    """Concat of two Slices, for each dimension; in flat order between two Reshapes."""
    moves = shifts if isinstance(shifts, tuple) else (shifts,)
    if dims is None or dims == ():
        moved = rolled(graph, graph.reshape(x, (-1,)), 0, moves[0], math.prod(known_sizes(x.shape)))
        return graph.reshape(moved, graph.y.shape)
    y: Operand = x
    for dim, shift in zip(dims if isinstance(dims, tuple) else (dims,), moves):
        y = rolled(graph, y, dim % x.ndim, shift, x.shape[dim])
    return graph.name(y)


def rolled(graph: Graph, x: Operand, axis: int, shift: int, size: Any) -> Operand:
    """x moved along an axis."""
    if isinstance(size, OfBatch):
        raise NotWritable("along the batch it depends on its size; pass dynamic_batch=False")
    cut = -shift % size if size else 0
    if not cut:
        return x
    parts = graph.slices(x, axis, cut, size), graph.slices(x, axis, 0, cut)
    moved: str = graph.node("Concat", *parts, axis=axis)
    return moved


@writes("cat")
def cat(graph: Graph, *xs: Value, dim: int) -> Any:
    """Concat."""
    parts = [graph.cast(x, graph.y.dtype) for x in xs if x.ndim == graph.y.ndim]
    return graph.node("Concat", *parts, axis=dim % graph.y.ndim)


@writes("stack")
def stack(graph: Graph, *xs: Value, dim: int) -> Any:
    """Concat of what Unsqueeze gives."""
    axis = dim % graph.y.ndim
    parts = [graph.node("Unsqueeze", graph.cast(x, graph.y.dtype), np.array([axis], np.int64)) for x in xs]
    return graph.node("Concat", *parts, axis=axis)


@writes("unbind")
def unbind(graph: Graph, x: Value, *, dim: int) -> Any:
    """Gather of each place."""
    return tuple(
        graph.node("Gather", x, np.asarray(place, np.int64), axis=dim % x.ndim)
        for place in range(len(graph.ys))
    )


@writes("split")
def split(graph: Graph, x: Value, *, split_size_or_sections: Any, dim: int) -> Any:
    """Split."""
    return pieces(graph, x, dim)


@writes("chunk")
def chunk(graph: Graph, x: Value, *, chunks: int, dim: int) -> Any:
    """Split."""
    return pieces(graph, x, dim)


def pieces(graph: Graph, x: Value, dim: int) -> Any:
    """The pieces of x that the op has made, by their sizes."""
    axis = dim % x.ndim
    names = graph.node(
        "Split", x, graph.ints([y.shape[axis] for y in graph.ys]), outputs=len(graph.ys), axis=axis
    )
    return names if isinstance(names, tuple) else (names,)


@writes("expand")
def expand(graph: Graph, x: Value, *, shape: Any) -> Any:
    """Expand."""
    if x.shape == graph.y.shape:
        return graph.name(x)
    return graph.node("Expand", x, graph.ints(graph.y.shape))


@writes("repeat")
def repeat(graph: Graph, x: Value, *, repeats: Any) -> Any:
    """Tile."""
    times = repeats if isinstance(repeats, tuple) else (repeats,)
    missing = len(times) - x.ndim
    whole: Operand = x if missing <= 0 else graph.reshape(x, (*(1,) * missing, *x.shape))
    return graph.node("Tile", whole, graph.ints((*(1,) * -missing, *times)))


@writes("pad")
def pad(graph: Graph, x: Value, *, sides: Any, mode: str, value: Any) -> Any:
    """Pad; Gather where it goes round, or cuts off what is inside."""
    pairs = list(zip(sides[::2], sides[1::2]))[::-1]
    if mode == "constant" or (mode in MODES and min(sides, default=0) >= 0):
        pads = np.zeros((2, x.ndim), np.int64)
        pads[:, x.ndim - len(pairs) :] = np.transpose(pairs)
        border = graph.number(value or 0, x) if mode == "constant" else None
        return graph.node("Pad", x, pads.reshape(-1), border, mode=MODES[mode])
    sizes = known_sizes(x.shape[x.ndim - len(pairs) :])
    return mixed_axes(graph, x, borders(sizes, sides, mode))  # type: ignore[no-untyped-call]


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}
"""ONNX's names for what a border is made of."""


@writes("pixel_shuffle")
def pixel_shuffle(graph: Graph, x: Value, *, upscale_factor: int) -> Any:
    """DepthToSpace by columns and rows."""
    *before, channels, rows, columns = x.shape
    images: Operand = x if x.ndim == 4 else graph.reshape(x, (-1, channels, rows, columns))
    y = graph.node("DepthToSpace", images, blocksize=upscale_factor, mode="CRD")
    return y if x.ndim == 4 else graph.reshape(y, graph.y.shape)


@writes("pixel_unshuffle")
def pixel_unshuffle(graph: Graph, x: Value, *, downscale_factor: int) -> Any:
    """Transpose between two Reshapes."""
    channels, rows, columns = known_sizes(x.shape[-3:])
    step = downscale_factor
    parts = graph.reshape(x, (-1, channels, rows // step, step, columns // step, step))
    return graph.reshape(graph.node("Transpose", parts, perm=[0, 1, 3, 5, 2, 4]), graph.y.shape)
