"""Numbers written to places: over what is there, added to it, or reduced with it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import numbers_in
from ..engine.tensor import Tensor
from ..ops import arithmetic, conversion, resample, shape
from ..ops import index as indexing
from ..ops.arguments.shapes import check_places, check_source
from ..ops.reduce import expand
from ..options import INTEGER, OPERAND, checked, choice, optional
from .arguments import Operand, array_of, documented_by, look_at
from .elementwise import div

REDUCTION = choice("sum", "prod", "mean", "amax", "amin", at_once=True)
OLD_NAMES = {"add": "sum", "multiply": "prod"}


@checked(dim=INTEGER, src=OPERAND, value=optional(OPERAND), reduce=optional(choice("add", "multiply")))
def scatter(
    input: Operand, dim: int, index: Operand, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """`input` with src[i, j, …] written to x[i, index[i, j, …], …] for dim=1, and so on; or with one number.

    index: integers, of as many dimensions as input, in the others no larger than it, and no larger than src;
    or one, of a row. What src has beyond it is not read. Of several that are written to one place the last
    remains, and has its gradient. reduce: 'add' or 'multiply' does that instead of writing, as
    `scatter_reduce`. Raises ShapeError for another shape, IndexError for an index that input has no place
    for.
    """
    written = value if src is None else src
    if written is None:
        raise TypeError("scatter: pass src, a tensor, or value, a number")
    look_at(index, partial(check_places, "scatter", tuple(input.shape), dim))
    if getattr(written, "ndim", 0):
        check_source("scatter", input, written, index)
        written = written[tuple(map(slice, index.shape))]
    number = written if hasattr(written, "ndim") else numbers_in(written, input.dtype)
    if reduce is not None:
        source = number if number.ndim else expand(number, shape=index.shape)
        return scatter_reduce(input, dim, index, source, OLD_NAMES[reduce])
    if not input.ndim and number.ndim:
        number = shape.reshape(number, shape=())
    return indexing.setitem(input, number, index=places_of(input, dim, index))


@checked()
@documented_by(indexing.scatter_add)
def scatter_add(input: Operand, dim: int, index: Operand, src: Operand) -> Tensor:
    return indexing.scatter_add(input, src, dim=dim, index=index)


@checked(dim=INTEGER, src=OPERAND, reduce=REDUCTION)
def scatter_reduce(
    input: Operand, dim: int, index: Operand, src: Operand, reduce: str, *, include_self: bool = True
) -> Tensor:
    """x[i, index[i, j, …], …] made one number with all src[i, j, …] that go there, for dim=1, and so on.

    reduce: 'sum', 'prod', 'mean', 'amax' or 'amin'. include_self: whether x counts among the numbers where
    something of src goes. index: as for `scatter`. The mean of integers is rounded down. Of several that are
    as extreme each has the same share of the gradient. Raises as `scatter` does.
    """
    if reduce in ("amax", "amin"):
        largest = reduce == "amax"
        return indexing.scatter_extreme(
            input, src, dim=dim, index=index, largest=largest, include_self=include_self
        )
    look_at(index, partial(check_places, "scatter_reduce", tuple(input.shape), dim))
    check_source("scatter_reduce", input, src, index)
    place, numbers = places_of(input, dim, index), src[tuple(map(slice, index.shape))]
    neutral = np.asarray(reduce == "prod", input.dtype)
    base = input if include_self else indexing.setitem(input, neutral, index=place)
    if reduce == "prod":
        product = multiplied_at(conversion.wide(base), conversion.wide(numbers), place)
        return conversion.to(product, dtype=input.dtype)
    if reduce == "sum":
        return indexing.scatter_add(base, numbers, dim=dim, index=index)
    is_float = input.dtype.kind == "f"
    base, numbers = (  # sums and counts may be more than a narrow dtype holds, where the mean is not
        conversion.wide(each) if is_float else conversion.to(each, dtype=np.int64) for each in (base, numbers)
    )
    counts = np.ones(input.shape, np.int64)
    counts[place] = include_self
    np.add.at(counts, place, 1)
    total = indexing.scatter_add(base, numbers, dim=dim, index=index)
    mean = div(total, counts, rounding_mode=None if is_float else "floor")
    return conversion.to(mean, dtype=input.dtype)


def places_of(input: Operand, dim: int, index: Operand) -> Any:
    """NumPy's index for `gather`'s."""
    return indexing.index_along(array_of(index), dim) if input.ndim else (...,)  # type: ignore[no-untyped-call]


def multiplied_at(base: Operand, numbers: Operand, place: Any) -> Tensor:
    """What is there, times each number that goes there: at first the first ones, then the second ones …"""
    sizes = tuple(base.shape)
    targets = np.arange(math.prod(sizes)).reshape(sizes)[place].reshape(-1)
    y, factors = shape.reshape(base, shape=(-1,)), shape.reshape(numbers, shape=(-1,))
    for entries in resample.each_target_once(targets):  # type: ignore[no-untyped-call]
        target = targets[entries]
        y = indexing.setitem(y, arithmetic.mul(y[target], factors[entries]), index=target)
    return shape.reshape(y, shape=sizes)
