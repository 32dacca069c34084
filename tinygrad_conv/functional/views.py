"""Dimensions moved, merged and parted, slices taken; tensors brought to as many dimensions, and joined."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..allocation import check_fits
from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import reduce, shape
from ..ops.arguments.dims import many_dims, one_dim
from ..ops.arguments.shapes import check_has_dims, check_joined
from ..options import INTEGER, INTEGERS, checked, is_sequence
from .arguments import Operand, documented_by
from .shapes import several

BYTES_OF_A_TENSOR = 500  # and more: what a part takes, be it empty


@checked(axis0=INTEGER, axis1=INTEGER)
def swapaxes(input: Operand, axis0: int, axis1: int) -> Tensor:
    """Two dimensions exchanged: transpose under NumPy's name."""
    return shape.transpose(input, dim0=axis0, dim1=axis1)


@checked()
def swapdims(input: Operand, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged: transpose under another name."""
    return shape.transpose(input, dim0=dim0, dim1=dim1)


@checked(source=INTEGERS, destination=INTEGERS)
def movedim(input: Operand, source: Any, destination: Any) -> Tensor:
    """The dimensions `source` moved to the places `destination`; the others keep their order.

    Both are an int or a tuple. Raises ShapeError unless there are as many of one as of the other.
    """
    origins, places = (many_dims("movedim", dims, input.ndim) for dims in (source, destination))
    if len(origins) != len(places):
        raise ShapeError(
            f"movedim: source {source} and destination {destination} must name the same number of dimensions"
        )
    order = [dim for dim in range(input.ndim) if dim not in origins]
    for place, origin in sorted(zip(places, origins)):
        order.insert(place, origin)
    return shape.permute(input, dims=tuple(order)) if input.ndim else shape.reshape(input, shape=())


@checked(source=INTEGERS, destination=INTEGERS)
@documented_by(movedim)
def moveaxis(input: Operand, source: Any, destination: Any) -> Tensor:
    return movedim(input, source, destination)


@checked()
def t(input: Operand) -> Tensor:
    """The transpose of a matrix; a row, or a number, as it is. Raises ShapeError for more dimensions."""
    if input.ndim > 2:
        raise ShapeError(f"t: input must be a matrix, not {show_shape(input.shape)}; use transpose")
    return shape.transpose(input, dim0=0, dim1=-1)


@checked()
def ravel(input: Operand) -> Tensor:
    """All the numbers in a row, in row-major order."""
    return shape.reshape(input, shape=(-1,) if 0 not in input.shape else (0,))


@checked(dim=INTEGER, sizes=INTEGERS)
def unflatten(input: Operand, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension as several, of these sizes, one of which may be -1: the inverse of `flatten`."""
    place = one_dim("unflatten", dim, input.ndim)
    check_has_dims("unflatten", input)
    return shape.reshape(input, shape=(*input.shape[:place], *sizes, *input.shape[place + 1 :]))


@checked(dim=INTEGER, index=INTEGER)
def select(input: Operand, dim: int, index: int) -> Tensor:
    """The slice at `index`, which may count from the end, along `dim`; without this dimension."""
    place = one_dim("select", dim, input.ndim)
    check_has_dims("select", input)
    if not -input.shape[place] <= index < input.shape[place]:
        size = f"{input.shape[place]} of dim={dim} of {show_shape(input.shape)}"
        raise IndexError(f"select: index {index} is out of range for the size {size}")
    return input[(slice(None),) * place + (index,)]


@checked(dim=INTEGER)
def narrow(input: Operand, dim: int, start: int, length: int) -> Tensor:
    """`length` slices along `dim`, beginning with `start`, which may count from the end.

    Raises ShapeError where there are not so many.
    """
    place = one_dim("narrow", dim, input.ndim)
    check_has_dims("narrow", input)
    size, first = input.shape[place], operator.index(start)
    first += size if first < 0 else 0
    if length < 0 or not 0 <= first <= size - length:
        given = f"start {start} and length {length}"
        raise ShapeError(
            f"narrow: {given} reach beyond the size {size} of dim={dim} of {show_shape(input.shape)}"
        )
    return input[(slice(None),) * place + (slice(first, first + length),)]


@checked(indices_or_sections=INTEGERS, dim=INTEGER)
def tensor_split(input: Operand, indices_or_sections: Any, dim: int = 0) -> Any:
    """Parts along `dim`: so many, of sizes that differ by one at most, or cut before the indices of a tuple.

    Raises ShapeError for fewer than one part.
    """
    check_has_dims("tensor_split", input)
    size = input.shape[one_dim("tensor_split", dim, input.ndim)]
    cuts = np.asarray(indices_or_sections)
    if not cuts.ndim and cuts < 1:
        raise ShapeError(f"tensor_split: needs at least one section, not {indices_or_sections}")
    if not cuts.ndim:
        check_fits("tensor_split", "indices_or_sections", cuts, (int(cuts),), BYTES_OF_A_TENSOR)
    if cuts.ndim:
        bounds = [0, *(slice(int(cut)).indices(size)[1] for cut in cuts), size]
    else:
        longer = size % int(cuts)
        bounds = [part * (size // int(cuts)) + min(part, longer) for part in range(int(cuts) + 1)]
    return tuple(narrow(input, dim, start, max(stop - start, 0)) for start, stop in zip(bounds, bounds[1:]))


@checked(size=INTEGERS)
@documented_by(reduce.expand)
def broadcast_to(input: Operand, size: Sequence[int]) -> Tensor:
    return reduce.expand(input, shape=tuple(size))


@checked()
def broadcast_tensors(*tensors: Operand) -> tuple[Tensor, ...]:
    """The tensors expanded to the one shape that they broadcast to. Raises ShapeError where there is none."""
    shapes = [tensor.shape for tensor in tensors]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        given = ", ".join(map(show_shape, shapes))
        raise ShapeError(f"broadcast_tensors: the shapes do not broadcast: {given}") from None
    return tuple(reduce.expand(tensor, shape=common) for tensor in tensors)


@composite
@checked(dims=INTEGERS)
def tile(input: Operand, dims: int | Sequence[int]) -> Tensor:
    """The tensor repeated dims[k] times along each dimension, counted from the last; fewer are 1 in front."""
    times = tuple(dims) if is_sequence(dims) else (dims,)
    return reduce.repeat(input, repeats=(1,) * (input.ndim - len(times)) + times)


@checked()
def meshgrid(*tensors: Operand, indexing: str = "ij") -> tuple[Tensor, ...]:
    """For rows [n], [m] … grids [n, m, …], in the k-th of which the numbers change along dimension k alone.

    indexing: 'ij', or 'xy' for [m, n, …], as images are addressed. Raises ShapeError for what is no row,
    ValueError for another indexing.
    """
    rows = several(
        "meshgrid", tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    )
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r}")
    if not rows or any(row.ndim > 1 for row in rows):
        given = ", ".join(show_shape(row.shape) for row in rows)
        raise ShapeError(f"meshgrid: pass rows [n], or numbers, not {given or 'nothing'}")
    sizes = [int(np.prod(row.shape)) for row in rows]
    grids = [
        reduce.expand(shape.reshape(row, shape=alone(place, len(rows))), shape=tuple(sizes))
        for place, row in enumerate(rows)
    ]
    if indexing == "xy" and len(rows) > 1:
        return tuple(shape.transpose(grid, dim0=0, dim1=1) for grid in grids)
    return tuple(grids)


def alone(place: int, count: int) -> tuple[int, ...]:
    """The shape of a row that lies along one of `count` dimensions."""
    return tuple(-1 if dim == place else 1 for dim in range(count))


def each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """What a function makes of a tensor, or of each of several, as a tuple."""
    if len(tensors) == 1 and not isinstance(tensors[0], (list, tuple)):
        return function(tensors[0])
    given = tensors[0] if len(tensors) == 1 else tensors
    return tuple(map(function, given))


@checked()
def atleast_1d(*tensors: Operand) -> Any:
    """Numbers as [1]; all else as it is. Of several tensors, or of a list, a tuple."""
    return each(lambda x: shape.reshape(x, shape=(1,)) if x.ndim < 1 else x, tensors)


@checked()
def atleast_2d(*tensors: Operand) -> Any:
    """Numbers as [1, 1], rows as [1, n]; all else as it is. Of several tensors, or of a list, a tuple."""
    return each(lambda x: shape.reshape(x, shape=(1, -1)) if x.ndim < 2 else x, tensors)


@checked()
def atleast_3d(*tensors: Operand) -> Any:
    """Numbers as [1, 1, 1], rows as [1, n, 1], matrices as [n, m, 1]. Of several, or of a list, a tuple."""
    return each(three_dims, tensors)


def three_dims(x: Operand) -> Operand:
    """A tensor of fewer than three dimensions as one of three."""
    return x if x.ndim > 2 else shape.reshape(x, shape=(1, -1, 1) if x.ndim < 2 else (*x.shape, 1))


@checked()
def hstack(tensors: Sequence[Operand]) -> Tensor:
    """The tensors side by side: along the second dimension, rows along their only one."""
    parts = [x if x.ndim else shape.reshape(x, shape=(1,)) for x in several("hstack", tensors)]
    return joined("hstack", parts, 0 if parts and parts[0].ndim == 1 else 1)


@checked()
def vstack(tensors: Sequence[Operand]) -> Tensor:
    """The tensors below each other: along the first dimension, rows as matrices of one row."""
    rows = [x if x.ndim > 1 else shape.reshape(x, shape=(1, -1)) for x in several("vstack", tensors)]
    return joined("vstack", rows, 0)


@checked()
def dstack(tensors: Sequence[Operand]) -> Tensor:
    """The tensors behind each other: along the third dimension, fewer as by `atleast_3d`."""
    return joined("dstack", [three_dims(x) for x in several("dstack", tensors)], 2)


@checked()
def column_stack(tensors: Sequence[Operand]) -> Tensor:
    """Rows as the columns of a matrix, beside matrices as they are."""
    columns = [shape.reshape(x, shape=(-1, 1)) if x.ndim < 2 else x for x in several("column_stack", tensors)]
    return joined("column_stack", columns, 1)


def joined(op: str, tensors: list[Operand], dim: int) -> Tensor:
    """The tensors one after another along a dimension, under the name of the function that asks for it."""
    check_joined(op, tuple(tensors), dim)
    return shape.cat(*tensors, dim=dim)


@checked()
def fliplr(input: Operand) -> Tensor:
    """The columns in reverse order: the second dimension. Raises ShapeError for fewer than two."""
    if input.ndim < 2:
        raise ShapeError(f"fliplr: input must have two dimensions or more, not {show_shape(input.shape)}")
    return shape.flip(input, dims=(1,))


@checked()
def flipud(input: Operand) -> Tensor:
    """The rows in reverse order: the first dimension. Raises ShapeError for a number."""
    check_has_dims("flipud", input)
    return shape.flip(input, dims=(0,))


@checked(k=INTEGER, dims=INTEGERS)
def rot90(input: Operand, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The tensor turned k times by 90° in the plane of two dimensions, from the first towards the second.

    Raises ShapeError for other than two different dimensions.
    """
    plane = many_dims("rot90", tuple(dims), input.ndim)
    if len(plane) != 2:
        raise ShapeError(f"rot90: dims must be two dimensions, not {tuple(dims)}")
    if k % 4 == 2:
        return shape.flip(input, dims=plane)
    turned = shape.transpose(input, dim0=plane[0], dim1=plane[1]) if k % 2 else shape.clone(input)
    return shape.flip(turned, dims=(plane[k % 4 == 3],)) if k % 2 else turned
