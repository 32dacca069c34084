"""Numbers looked up at places, written there, and sorted."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .... import functional as F
from ....allocation import check_fits
from ....engine.tensor import Tensor
from ....errors import ShapeError, show_shape
from ..reading.node import Node
from .reductions import in_dtype_of
from .table import Function, operator, plain
from .values import axis_of, integers, tensor_of, whole

REDUCTIONS = {"none": None, "add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@operator("Slice", (1, 10, 11, 13), constants=(1, 2, 3, 4))
def slice_(node: Node) -> Function:
    """Slices along axes: attributes at first, inputs from opset 10 on."""
    if node.version < 10:
        bounds = (node.get("starts"), node.get("ends"), node.get("axes"), None)
        return partial(sliced, bounds=bounds)
    return sliced_by_inputs


def sliced_by_inputs(
    x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None, steps: Tensor | None = None
) -> Tensor:
    names = ("starts", "ends", "axes", "steps")
    given = (starts, ends, axes, steps)
    return sliced(
        x,
        bounds=tuple(
            None if tensor is None else integers(name, tensor) for name, tensor in zip(names, given)
        ),
    )


def sliced(x: Tensor, *, bounds: tuple[Any, ...]) -> Tensor:
    starts, ends, axes, steps = bounds
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ShapeError(f"starts {starts}, ends {ends}, axes {axes}, steps {steps} do not fit together")
    for start, end, axis, step in zip(starts, ends, axes, steps):
        x = sliced_along(x, axis_of(axis, x.ndim), start, end, step)
    return x


def sliced_along(x: Tensor, axis: int, start: int, end: int, step: int) -> Tensor:
    """A slice along an axis; a negative step is a positive one, read backwards."""
    size = x.shape[axis]
    start, end = (bound + size if bound < 0 else bound for bound in (start, end))
    first, last = (0, size) if step > 0 else (-1, size - 1)
    places = range(min(max(start, first), last), min(max(end, first), last), step)
    ordered = places if step > 0 else places[::-1]
    chosen = slice(ordered.start, max(ordered.stop, ordered.start), ordered.step)
    y = x[(slice(None),) * axis + (chosen,)]
    return y if step > 0 else F.flip(y, dims=(axis,))


def looked_up(x: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    """The slices along an axis that indices of any shape name."""
    axis = axis_of(axis, x.ndim)
    return x[(slice(None),) * axis + (places_along(x, indices, axis),)]


plain("Gather", (1, 11, 13), looked_up, constants=(1,), axis="axis")


def places_along(x: Tensor, indices: Tensor, axis: int) -> Any:
    """Indices along an axis, counted from the front. Raises ShapeError for one that is too far."""
    size, places = x.shape[axis], indices.data
    if places.size and not -size <= places.min() <= places.max() < size:
        raise ShapeError(
            f"indices from {places.min()} to {places.max()} are beyond axis {axis} of {show_shape(x.shape)}"
        )
    return np.where(places < 0, places + size, places).astype(np.int64)


def element_looked_up(x: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    axis = axis_of(axis, x.ndim)
    return F.gather(x, dim=axis, index=places_along(x, indices, axis))


plain("GatherElements", (11, 13), element_looked_up, constants=(1,), axis="axis")


@operator("GatherND", (11, 12, 13), constants=(1,))
def gather_nd(node: Node) -> Function:
    """x at places, each a row of the indices; the first dimensions of both may be a batch."""
    return partial(looked_up_nd, batch_dims=node.get("batch_dims", 0))


def looked_up_nd(x: Tensor, indices: Tensor, *, batch_dims: int) -> Tensor:
    if not 0 <= batch_dims < min(x.ndim, indices.ndim):
        raise ShapeError(f"batch_dims {batch_dims} must be less than the dimensions of both inputs")
    places = rows_of_places(x, indices, batch_dims)
    batch = np.indices(indices.shape[:batch_dims]) if batch_dims else ()
    between = indices.ndim - 1 - batch_dims
    own = tuple(grid.reshape(*grid.shape, *(1,) * between) for grid in batch)
    return x[own + places]


def rows_of_places(x: Tensor, indices: Tensor, first: int = 0) -> tuple[Any, ...]:
    """The last dimension of indices as an index for each dimension of x from one on."""
    depth = indices.shape[-1]
    if not 0 < depth <= x.ndim - first:
        raise ShapeError(f"indices {show_shape(indices.shape)} do not name places in {show_shape(x.shape)}")
    return tuple(places_along(x, indices[..., part], first + part) for part in range(depth))


@operator("ScatterElements", (11, 13, 16, 18), constants=(1,))
def scatter_elements(node: Node) -> Function:
    return partial(element_written, axis=node.get("axis"), how=reduction_of(node))


@operator("Scatter", (9,), constants=(1,))
def scatter(node: Node) -> Function:
    return partial(element_written, axis=node.get("axis"), how=None)


def reduction_of(node: Node) -> str | None:
    """What becomes of a place that is written more than once, in PyTorch's word; None for anything."""
    return REDUCTIONS[node.word("reduction", tuple(REDUCTIONS), "none")]


def element_written(x: Tensor, indices: Tensor, updates: Tensor, *, axis: int, how: str | None) -> Tensor:
    axis = axis_of(axis, x.ndim)
    places = tensor_of(places_along(x, indices, axis))
    if how is None:
        return F.scatter(x, axis, places, updates)
    return F.scatter_reduce(x, axis, places, updates, how)


@operator("ScatterND", (11, 13, 16, 18), constants=(1,))
def scatter_nd(node: Node) -> Function:
    """x with updates written at places, each a row of the indices."""
    return partial(written_nd, how=reduction_of(node))


def written_nd(x: Tensor, indices: Tensor, updates: Tensor, *, how: str | None) -> Tensor:
    """As elements of the flat x: the numbers of each place are next to each other."""
    places = np.broadcast_arrays(*rows_of_places(x, indices))
    depth = len(places)
    width = math.prod(x.shape[depth:])
    rows = np.ravel_multi_index(places, x.shape[:depth]) if x.numel() else places[0]
    flat = (rows.reshape(-1, 1) * width + np.arange(width)).reshape(-1)
    if tuple(updates.shape) != (*indices.shape[:-1], *x.shape[depth:]):
        raise ShapeError(f"updates {show_shape(updates.shape)} do not fit the places that indices name")
    written = element_written(x.reshape(-1), tensor_of(flat), updates.reshape(-1), axis=0, how=how)
    return written.reshape(x.shape)


def marked(indices: Tensor, depth: Tensor, values: Tensor, *, axis: int) -> Tensor:
    """One number at the place that an index names along a new axis, another elsewhere."""
    count = whole("depth", depth)
    if count < 1 or values.data.size != 2:
        raise ShapeError(f"depth {count} must be at least 1, and values two numbers")
    check_fits("OneHot", "depth", count, (*indices.shape, count), max(values.dtype.itemsize, 8))
    off, on = values.data.reshape(-1)
    axis = axis_of(axis, indices.ndim + 1)
    places = np.expand_dims(indices.data, axis)
    steps = np.arange(count).reshape([-1 if dim == axis else 1 for dim in range(places.ndim)])
    wanted = np.where(places < 0, places + count, places)
    return tensor_of(np.where(wanted == steps, on, off), values.dtype)


plain("OneHot", (9, 11, 28), marked, constants=(0, 1, 2), axis="axis")


def nonzero(x: Tensor) -> Tensor:
    """The places of what is not 0, a column for each."""
    return tensor_of(np.stack(np.nonzero(x.data)) if x.ndim else np.zeros((0, int(x.data != 0))), np.int64)


plain("NonZero", (9, 13), nonzero)


def kept(x: Tensor, condition: Tensor, *, axis: int | None) -> Tensor:
    """The slices along an axis, or the elements, for which a condition holds."""
    places = np.flatnonzero(condition.data)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return looked_up(x, tensor_of(places), axis=axis)


plain("Compress", (9, 11, 28), kept, constants=(1,), axis="axis")


@operator("TopK", (1, 10, 11, 24), constants=(1,))
def top_k(node: Node) -> Function:
    """The largest, or smallest, numbers along an axis, and their places; the first of equals comes first."""
    return partial(extremes, count=node.get("k"), axis=node.get("axis"), largest=node.flag("largest", True))


def extremes(
    x: Tensor, k: Tensor | None = None, *, count: int | None, axis: int, largest: bool
) -> tuple[Tensor, Tensor]:
    wanted = count if k is None else whole("k", k)
    axis = axis_of(axis, x.ndim)
    if wanted is None or not 0 <= wanted <= x.shape[axis]:
        raise ShapeError(f"k {wanted} must be from 0 to {x.shape[axis]}, the size of axis {axis}")
    places = F.argsort(x.detach(), dim=axis, descending=largest, stable=True)
    chosen = F.narrow(places, axis, 0, wanted)
    return F.gather(x, dim=axis, index=chosen), chosen


def accumulation(node: Node, function: Function) -> Function:
    """Sums or products of all up to each place along an axis, or without it (exclusive), or from the end."""
    return partial(
        accumulated, function=function, exclusive=node.flag("exclusive"), backwards=node.flag("reverse")
    )


def accumulated(x: Tensor, axis: Tensor, *, function: Function, exclusive: bool, backwards: bool) -> Tensor:
    place = axis_of(whole("axis", axis), x.ndim)
    ordered = F.flip(x, dims=(place,)) if backwards else x
    if exclusive and x.shape[place]:
        neutral = 0.0 if function is F.cumsum else 1.0
        before = [0, 0] * (x.ndim - 1 - place) + [1, 0]
        ordered = F.pad(F.narrow(ordered, place, 0, x.shape[place] - 1), before, value=neutral)
    y = in_dtype_of(x, function(ordered, place))
    return F.flip(y, dims=(place,)) if backwards else y


operator("CumSum", (11, 14), constants=(1,))(partial(accumulation, function=F.cumsum))
operator("CumProd", (26,), constants=(1,))(partial(accumulation, function=F.cumprod))


@operator("ReverseSequence", (10, 28), constants=(1,))
def reverse_sequence(node: Node) -> Function:
    """The first steps of each sequence of a batch in reverse order, as many as its length says."""
    axes = {name: node.get(name) for name in ("batch_axis", "time_axis")}
    if sorted(axes.values()) != [0, 1]:
        node.refuse("batch_axis and time_axis", axes, "0 and 1, and 1 and 0")
    return partial(sequences_reversed, time_axis=axes["time_axis"])


def sequences_reversed(x: Tensor, lengths: Tensor, *, time_axis: int) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"the input must be [T, N, …] or [N, T, …], not {show_shape(x.shape)}")
    steps, sizes = x.shape[time_axis], np.array(integers("sequence_lens", lengths))
    within = not sizes.size or 0 <= sizes.min() <= sizes.max() <= steps
    if sizes.shape != (x.shape[1 - time_axis],) or not within:
        raise ShapeError(f"sequence_lens {sizes} must be a length up to {steps} for each sample")
    times = np.arange(steps)[:, None]
    places = np.where(times < sizes, sizes - 1 - times, times)
    samples = np.broadcast_to(np.arange(sizes.size), places.shape)
    return x[places, samples] if time_axis == 0 else x[samples.T, places.T]
