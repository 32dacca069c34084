"""Numbers looked up at places, and written there. An index is NumPy's; a Value in it is the graph's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .....dtypes import Array
from ..graph import Graph, Operand, Value, known_sizes
from ..sizes import OfBatch
from ..table import NotWritable, writes
from .comparisons import INT64
from .resampling import taken

FULL = slice(None)
LAST = np.iinfo(np.int64).max
BY_MASK = "a mask picks as many numbers as it holds for; tg.where keeps the shape"


def parts_of(index: Any, ndim: int) -> list[Any]:
    """An index with a part for each axis of x, and None for each new one."""
    parts = [as_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    parts = [place for part in parts for place in (np.nonzero(part) if is_mask(part) else (part,))]
    used = sum(part is not None and part is not Ellipsis for part in parts)
    at = next((place for place, part in enumerate(parts) if part is Ellipsis), len(parts))
    return [*parts[:at], *[FULL] * (ndim - used), *parts[at + 1 :]]


def as_part(part: Any) -> Any:
    """A part of an index, lists of numbers as arrays. Raises NotWritable for a mask of the graph's."""
    if isinstance(part, Value) and part.array is not None:
        part = part.array
    if isinstance(part, Value) and part.dtype == bool:
        raise NotWritable(BY_MASK)
    if isinstance(part, (bool, tuple)):
        part = np.asarray(part)
    return part


def is_mask(part: Any) -> bool:
    """Whether a part is a constant mask."""
    return isinstance(part, np.ndarray) and part.dtype == bool


def is_places(part: Any) -> bool:
    """Whether a part is an array of places."""
    return isinstance(part, (np.ndarray, Value))


@writes("getitem")
def getitem(graph: Graph, x: Value, *, index: Any) -> Any:
    """Slice, Gather of each number and Unsqueeze; Gather of an array of places, GatherND of several."""
    parts = parts_of(index, x.ndim)
    arrays = [part for part in parts if is_places(part)]
    numbers = [part for part in parts if isinstance(part, (int, OfBatch))]
    if not arrays or (len(arrays) == 1 and not numbers):
        return by_axes(graph, x, parts)
    if all(isinstance(part, np.ndarray) for part in arrays):
        return by_positions(graph, x, parts)
    return by_tuples(graph, x, parts)


def by_axes(graph: Graph, x: Value, parts: list[Any]) -> str:
    """Each axis by itself, the last one first."""
    y = sliced(graph, x, [part for part in parts if part is not None])
    axis = x.ndim
    for part in reversed(parts):
        axis -= part is not None
        if is_places(part) or isinstance(part, (int, OfBatch)):
            places = graph.cast(part, INT64) if is_places(part) else place(graph, part)
            y = str(graph.node("Gather", y, places, axis=axis))
    new = new_axes(parts)
    return str(graph.node("Unsqueeze", y, np.array(new, np.int64))) if new else graph.name(y)


def place(graph: Graph, number: Any) -> Operand:
    """One place, which may follow the batch."""
    if isinstance(number, OfBatch):
        return graph.reshape(graph.size(number), ())
    return np.asarray(number, np.int64)


def new_axes(parts: list[Any]) -> list[int]:
    """Where new axes are in the result."""
    axes, axis = [], 0
    for part in parts:
        if part is None:
            axes.append(axis)
        axis += part.ndim if is_places(part) else not isinstance(part, (int, OfBatch))
    return axes


def sliced(graph: Graph, x: Value, parts: list[Any]) -> Operand:
    """The slices among the parts."""
    axes = [axis for axis, part in enumerate(parts) if isinstance(part, slice) and part != FULL]
    if not axes:
        return x
    steps = [1 if parts[axis].step is None else parts[axis].step for axis in axes]
    starts = [bound(parts[axis].start, 0 if step > 0 else LAST) for axis, step in zip(axes, steps)]
    ends = [bound(parts[axis].stop, LAST if step > 0 else -LAST) for axis, step in zip(axes, steps)]
    bounds = [graph.ints(each) for each in (starts, ends, axes, steps)]
    return str(graph.node("Slice", x, *bounds))


def bound(given: Any, otherwise: int) -> Any:
    """A bound of a slice, where one was given."""
    return otherwise if given is None else given


def by_positions(graph: Graph, x: Value, parts: list[Any]) -> str:
    """Constant places in several axes at once: Gather of the flat x, or of each flat sample."""
    with_batch, positions = positions_of(x, parts)
    return taken(graph, flat(graph, x, with_batch), int(with_batch), positions)


def positions_of(x: Value, parts: list[Any]) -> tuple[bool, Array]:
    """Whether the batch is left out of it, and the places in the flat x, or in each flat sample.

    Raises NotWritable where an index reaches into a batch that may be of any size.
    """
    index = tuple(parts)
    sizes: list[Any] = [size for size in x.shape if not isinstance(size, OfBatch)]
    with_batch = len(sizes) < x.ndim
    if with_batch and not (len(sizes) == x.ndim - 1 and isinstance(x.shape[0], OfBatch) and stays(parts)):
        raise NotWritable("this index reaches into the batch; pass dynamic_batch=False, or leave it whole")
    if any(isinstance(part, (Value, OfBatch)) for part in parts):
        raise NotWritable("places that the graph computes are not written here; tg.gather may do")
    return with_batch, np.arange(math.prod(sizes)).reshape(sizes)[index[int(with_batch) :]]


def stays(parts: list[Any]) -> bool:
    """Whether the first axis is left whole, and stays the first."""
    arrays = [at for at, part in enumerate(parts) if is_places(part) or isinstance(part, int)]
    together = not arrays or arrays == list(range(arrays[0], arrays[-1] + 1))
    whole = bool(parts) and isinstance(parts[0], slice) and parts[0] == FULL
    return whole and (together or not any(map(is_places, parts)))


def flat(graph: Graph, x: Operand, with_batch: bool) -> str:
    """x as one row, or a row for each sample."""
    shape = [0, -1] if with_batch else [-1]
    return str(graph.node("Reshape", x, np.array(shape, np.int64)))


def by_tuples(graph: Graph, x: Value, parts: list[Any]) -> str:
    """Places in several axes at once, which the graph computes: GatherND."""
    if any(part is None for part in parts):
        raise NotWritable("new axes beside several arrays of places are not written; add them by unsqueeze")
    chosen = [axis for axis, part in enumerate(parts) if not isinstance(part, slice)]
    others = [axis for axis in range(x.ndim) if axis not in chosen]
    places = [part if is_places(part) else np.asarray(part) for part in (parts[axis] for axis in chosen)]
    shape = broadcast_shape([tuple(part.shape) for part in places])
    tuples = [
        graph.node("Unsqueeze", graph.node("Expand", graph.cast(part, INT64), graph.ints(shape)), LAST_AXIS)
        for part in places
    ]
    moved = graph.node("Transpose", sliced(graph, x, parts), perm=[*chosen, *others])
    y = graph.node("GatherND", moved, graph.node("Concat", *tuples, axis=-1))
    if chosen[-1] - chosen[0] + 1 > len(chosen) or not chosen[0]:
        return str(y)
    first, count = chosen[0], len(shape)
    order = [*range(count, count + first), *range(count), *range(count + first, count + len(others))]
    return str(graph.node("Transpose", y, perm=order))


LAST_AXIS = np.array([-1], np.int64)


def broadcast_shape(shapes: list[Any]) -> list[Any]:
    """The common shape of arrays of places."""
    ndim = max(map(len, shapes))
    aligned = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    return [next((size for size in sizes if size != 1), 1) for sizes in zip(*aligned)]


@writes("setitem")
def setitem(graph: Graph, x: Value, value: Value, *, index: Any) -> Any:
    """Where, of one number; of several Gather from what there was and these, side by side."""
    given = graph.cast(value, x.dtype)
    if isinstance(index, Value) and index.dtype == bool and index.array is None:
        return by_mask(graph, x, index, given, value.ndim)
    with_batch, positions = positions_of(x, parts_of(index, x.ndim))
    sizes = known_sizes(x.shape[int(with_batch) :])
    size = math.prod(sizes)
    if not positions.size:
        return graph.name(x)
    if not value.ndim:
        return graph.node("Where", holds_at(positions, sizes), given, x)
    source = np.arange(size)
    source[positions.reshape(-1)] = size + np.arange(positions.size)
    spread = spread_value(graph, given, x, positions, with_batch)
    both = graph.node("Concat", flat(graph, x, with_batch), spread, axis=int(with_batch))
    return graph.reshape(taken(graph, both, int(with_batch), source), x.shape)


def holds_at(positions: Array, sizes: list[int]) -> Array:
    """A mask of these sizes that holds at the positions."""
    mask = np.zeros(math.prod(sizes), bool)
    mask[positions.reshape(-1)] = True
    return mask.reshape(sizes)


def by_mask(graph: Graph, x: Value, mask: Value, value: Operand, ndim: int) -> Any:
    """One number where the mask holds."""
    if ndim:
        raise NotWritable("several numbers at a mask are not written; choose with tg.where")
    missing = list(range(mask.ndim, x.ndim))
    whole = graph.node("Unsqueeze", mask, np.array(missing, np.int64)) if missing else mask
    return graph.node("Where", whole, value, x)


def spread_value(graph: Graph, value: Operand, x: Value, positions: Array, with_batch: bool) -> str:
    """A value with a number for each position, as rows like those of the flat x."""
    shape = (x.shape[0], *positions.shape) if with_batch else positions.shape
    return flat(graph, graph.node("Expand", value, graph.ints(shape)), with_batch)


@writes("put_add")
def put_add(graph: Graph, x: Value, *, index: Any, shape: Any) -> Any:
    """ScatterElements of zeros, which adds."""
    y = graph.y
    with_batch, positions = positions_of(y, parts_of(index, y.ndim))
    size = math.prod(known_sizes(y.shape[int(with_batch) :]))
    numbers = flat(graph, graph.node("Expand", x, graph.ints(expanded(y, positions, with_batch))), with_batch)
    zeros: Operand = np.zeros(size, y.dtype)
    places: Operand = positions.reshape(-1)
    if with_batch:
        zeros = graph.node("Expand", zeros, graph.ints((y.shape[0], size)))
        places = graph.node("Expand", places, graph.ints((y.shape[0], positions.size)))
    added = graph.node("ScatterElements", zeros, places, numbers, axis=int(with_batch), reduction="add")
    return graph.reshape(added, y.shape)


def expanded(y: Value, positions: Array, with_batch: bool) -> tuple[Any, ...]:
    """The shape of what is written to the positions of y."""
    return (y.shape[0], *positions.shape) if with_batch else positions.shape


@writes("gather")
def gather(graph: Graph, x: Value, *, dim: int, index: Value) -> Any:
    """GatherElements."""
    if not x.ndim:
        return graph.reshape(x, tuple(index.shape))
    return graph.node("GatherElements", x, graph.cast(index, INT64), axis=dim % x.ndim)


@writes("scatter_add")
def scatter_add(graph: Graph, x: Value, src: Value, *, dim: int, index: Value) -> Any:
    """ScatterElements, which adds."""
    if not x.ndim:
        return graph.node("Add", x, graph.reshape(src, ()))
    return scattered(graph, x, src, dim, index, "add")


@writes("scatter_extreme")
def scatter_extreme(
    graph: Graph, x: Value, src: Value, *, dim: int, index: Value, largest: bool, include_self: bool
) -> Any:
    """ScatterElements with max or min, from opset 18 on."""
    if graph.opset < 18 or not include_self or not x.ndim:
        raise NotWritable("it needs opset_version=18, include_self=True and a dimension")
    return scattered(graph, x, src, dim, index, "max" if largest else "min")


def scattered(graph: Graph, x: Value, src: Value, dim: int, index: Value, reduction: str) -> Any:
    """x with what of src has a place in it."""
    read = [slice(0, size) if size != given else FULL for size, given in zip(index.shape, src.shape)]
    numbers = sliced(graph, src, read)
    places = graph.cast(index, INT64)
    return graph.node("ScatterElements", x, places, numbers, axis=dim % x.ndim, reduction=reduction)
