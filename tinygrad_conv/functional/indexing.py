"""Numbers looked up at places, and written there."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..allocation import check_fits
from ..dtypes import numbers_in
from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_array, show_shape
from ..ops import arithmetic, comparisons, shape
from ..ops import index as indexing
from ..ops.arguments.dims import one_dim
from ..ops.arguments.shapes import check_joined, check_row_of_places
from ..ops.arguments.values import check_integers
from ..options import ARRAY, INTEGER, OPERAND, checked, optional
from .arguments import Operand, array_of, as_places, common_shape, expanded, look_at


@checked(dim=INTEGER)
def index_select(input: Operand, dim: int, index: Operand) -> Tensor:
    """The slices along `dim` that `index`, a row of integers or one of them, names, in a row.

    Raises IndexError for one too far.
    """
    row = shape.reshape(index, shape=(1,)) if np.ndim(index) == 0 else index
    return input[along("index_select", input, dim, row)]


@checked(dim=INTEGER, source=OPERAND)
def index_add(input: Operand, dim: int, index: Operand, source: Operand, *, alpha: float = 1) -> Tensor:
    """`input` with alpha times the slices of source added to those that `index`, a row of integers, names.

    A slice that is named twice gets both. Raises IndexError for one too far, ShapeError where source has
    other sizes.
    """
    place = along("index_add", input, dim, index)
    wanted = input.shape[: len(place) - 1] + np.shape(index) + input.shape[len(place) :] if input.ndim else ()
    if tuple(source.shape) != wanted:
        given = f"source {show_shape(source.shape)} must be {show_shape(wanted)}"
        raise ShapeError(f"index_add: {given} for input {show_shape(input.shape)} and dim={dim}")
    share = source if alpha == 1 else arithmetic.mul(source, alpha)
    return arithmetic.add(input, indexing.put_add(share, index=place, shape=input.shape))


@checked(dim=INTEGER, value=OPERAND)
def index_fill(input: Operand, dim: int, index: Operand, value: Operand) -> Tensor:
    """`input` with a number in the slices along `dim` that `index`, a row of integers, names."""
    number = value if hasattr(value, "ndim") else numbers_in(value, input.dtype)
    return indexing.setitem(input, number, index=along("index_fill", input, dim, index))


def along(op: str, input: Operand, dim: int, index: Operand) -> tuple[Any, ...]:
    """NumPy's index for a row of slices along a dimension. Raises IndexError for one too far."""
    place = one_dim(op, dim, input.ndim)
    look_at(index, partial(check_row_of_places, op, tuple(input.shape), dim))
    return (slice(None),) * place + (as_places(index),) if input.ndim else (...,)


@checked(dim=optional(INTEGER))
def take_along_dim(input: Operand, indices: Operand, dim: int | None = None) -> Tensor:
    """y[i, j] = x[i, indices[i, j]] for dim=1, and so on: what argsort or argmax found; None: of the flat x.

    Beside `dim` input and indices broadcast against each other. Raises as `gather` does.
    """
    if dim is None:
        input, indices, dim = shape.reshape(input, shape=(-1,)), shape.reshape(indices, shape=(-1,)), 0
    place = one_dim("take_along_dim", dim, input.ndim)
    if indices.ndim != input.ndim:
        shapes = f"input {show_shape(input.shape)} and indices {show_shape(indices.shape)}"
        raise ShapeError(f"take_along_dim: {shapes} must have the same number of dimensions")
    try:
        beside = [(*x.shape[:place], 1, *x.shape[place + 1 :]) for x in (input, indices)]
        sizes = np.broadcast_shapes(*beside)
    except ValueError:
        shapes = f"input {show_shape(input.shape)} and indices {show_shape(indices.shape)}"
        raise ShapeError(f"take_along_dim: {shapes} do not broadcast beside dim={dim}") from None
    sources, places = (
        expanded(tensor, sizes[:place] + tensor.shape[place : place + 1] + sizes[place + 1 :])
        for tensor in (input, indices)
    )
    size = sources.shape[place] if input.ndim else 1
    return indexing.gather(sources, dim=place, index=from_the_front("take_along_dim", places, size))


def from_the_front(op: str, index: Operand, size: int) -> Operand:
    """Places counted from the front, where negative ones are from the end."""
    check_integers(op, "indices", index)
    return arithmetic.where(index + size, index, condition=index < 0)


@checked()
def take(input: Operand, index: Operand) -> Tensor:
    """The numbers at places of the flat `input`, in the shape of `index`; -1 is the last place.

    Raises IndexError for a place that there is not, DtypeError for what is no integer.
    """
    check_integers("take", "index", index)
    return shape.reshape(input, shape=(-1,))[index]


@checked()
def masked_select(input: Operand, mask: Operand) -> Tensor:
    """The numbers where the mask holds, in row-major order → [count]. Both broadcast.

    Raises DtypeError for a mask that is no bool, ShapeError where they do not broadcast.
    """
    if mask.dtype != bool:
        raise DtypeError(f"masked_select: mask must be bool, not {show_array(mask)}")
    sizes = common_shape("masked_select", input=input, mask=mask)
    numbers, chosen = (shape.reshape(expanded(x, sizes), shape=(-1,)) for x in (input, mask))
    return numbers[chosen]


@checked(repeats=OPERAND, dim=optional(INTEGER))
def repeat_interleave(
    input: Operand, repeats: Any, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along `dim` as often as `repeats`, a number or one for each, says; None: of the flat input.

    Raises ShapeError where repeats has another length, ValueError for negative ones.
    """
    if dim is None:
        input, dim = shape.reshape(input, shape=(-1,)), 0
    elif not input.ndim:
        input = shape.reshape(input, shape=(1,))
    counts = array_of(repeats)
    place = one_dim("repeat_interleave", dim, input.ndim)
    size = input.shape[place]
    check_integers("repeat_interleave", "repeats", counts)
    if counts.ndim > 1 or counts.size not in (1, size):
        given = f"repeats {show_shape(counts.shape)} must be one number, or {size}"
        raise ShapeError(f"repeat_interleave: {given}, one for each slice along dim={dim}")
    if counts.size and counts.min() < 0:
        raise ValueError(f"repeat_interleave: repeats must not be negative, not {counts.min()}")
    most = int(counts.max(initial=0))
    check_fits("repeat_interleave", "repeats", most, (most, *input.shape), 8)
    return input[(slice(None),) * place + (np.repeat(np.arange(size), counts),)]


@checked(prepend=optional(ARRAY), append=optional(ARRAY))
def diff(
    input: Operand, n: int = 1, dim: int = -1, prepend: Operand | None = None, append: Operand | None = None
) -> Tensor:
    """x[i + 1] - x[i] along `dim`, n times over, after `prepend` and `append` were joined to the ends of x.

    Raises ShapeError for a number, or a negative n.
    """
    place = one_dim("diff", dim, input.ndim)
    if not input.ndim or n < 0:
        raise ShapeError(
            f"diff: input {show_shape(input.shape)} must have dimensions, and n={n} not be negative"
        )
    if not n:
        return shape.clone(input)
    parts = [part for part in (prepend, input, append) if part is not None]
    check_joined("diff", tuple(parts), place)
    y, before = shape.cat(*parts, dim=place), (slice(None),) * place
    subtract = comparisons.ne if y.dtype == bool else arithmetic.sub
    for _ in range(min(n, y.shape[place])):
        y = subtract(y[before + (slice(1, None),)], y[before + (slice(None, -1),)])
    return y


@composite
@checked(dimension=INTEGER, size=INTEGER, step=INTEGER)
def sliding_windows(input: Operand, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` numbers along a dimension, each `step` behind the one before → a copy, which stands
    for PyTorch's view: neither it nor, while it is in use, the input can be changed in place.

    They are a new dimension, the last: PyTorch's `Tensor.unfold`. Raises ShapeError for windows that do
    not fit in, ValueError for a step that leads nowhere.
    """
    place = one_dim("unfold", dimension, input.ndim)
    length = input.shape[place] if input.ndim else 1
    if not 0 <= size <= length:
        raise ShapeError(f"unfold: size must be from 0 to {length}, the size of dim={dimension}, not {size}")
    if step < 1:
        raise ValueError(f"unfold: step must be at least 1, not {step}")
    if not input.ndim:
        return shape.reshape(input, shape=(1,))[:size]
    index = np.arange(0, length - size + 1, step)[:, None] + np.arange(size)
    windows = input[(slice(None),) * place + (index,)]
    order = [*range(place + 1), *range(place + 2, windows.ndim), place + 1]
    windows = shape.permute(windows, dims=tuple(order))
    if isinstance(input, Tensor):
        windows.join(input, copied=True, stands_in=True)
    return windows
