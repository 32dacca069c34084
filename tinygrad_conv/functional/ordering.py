"""Numbers in order: sorted, the largest of them, the one in the middle, those that occur."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..dtypes import numeric_array
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, comparisons, conversion, counting, extremes, reduce, shape
from ..ops import index as indexing
from ..ops.arguments.dims import one_dim
from ..options import ARRAY, INTEGER, OPERAND, checked
from .arguments import Operand, array_of, documented_by


class Ordered(NamedTuple):
    """What an order along a dimension finds, and where."""

    values: Tensor
    indices: Tensor


@checked(dim=INTEGER)
def sort(input: Operand, dim: int = -1, descending: bool = False, stable: bool = False) -> Ordered:
    """(values, indices): the numbers along `dim` in order, and where each was.

    descending: the largest first. Numbers that are equal keep their order, with or without `stable`. NaN is
    larger than all.
    """
    indices = counting.argsort(input, dim=dim, descending=descending)
    return Ordered(indexing.gather(input, dim=dim, index=indices), indices)


@checked(dim=INTEGER)
def topk(input: Operand, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ordered:
    """(values, indices): the k largest along `dim`, in order, or the k smallest, and where each was.

    They are in order without `sorted` too. NaN is larger than all. Raises ShapeError where there are fewer
    than k.
    """
    size = size_along("topk", input, dim)
    if not 0 <= k <= size:
        raise ShapeError(f"topk: k must be from 0 to {size}, the size of dim={dim}, not {k}")
    indices = counting.argsort(input, dim=dim, descending=largest)
    if indices.ndim:
        indices = indices[(slice(None),) * one_dim("topk", dim, indices.ndim) + (slice(0, k),)]
    return Ordered(indexing.gather(input, dim=dim, index=indices), indices)


@checked(dim=INTEGER)
def kthvalue(input: Operand, k: int, dim: int = -1, keepdim: bool = False) -> Ordered:
    """(values, indices): the k-th smallest number along `dim`, counted from 1, and where it was.

    NaN is larger than all. Raises ShapeError where there are fewer than k.
    """
    size = size_along("kthvalue", input, dim)
    if not 1 <= k <= size:
        raise ShapeError(f"kthvalue: k must be from 1 to {size}, the size of dim={dim}, not {k}")
    return chosen(input, in_place_k(input, k, dim), dim, keepdim)


@checked()
def median(input: Operand, dim: int | None = None, keepdim: bool = False) -> Any:
    """The number in the middle of all of `input`; along a dimension (values, indices).

    Of an even number of elements it is the lower of the two in the middle, and NaN where there is one.
    Numbers that tie with the median of all share its gradient. Raises ShapeError for that of nothing along a
    dimension; the median of nothing at all is NaN.
    """
    if dim is None:
        return median_of_all(input)
    size = size_along("median", input, dim)
    if not size:
        raise ShapeError(f"median: nothing to choose from in dim={dim} of shape {show_shape(input.shape)}")
    middle = in_place_k(input, (size + 1) // 2, dim)
    unordered = counting.any(comparisons.isnan(input), dim=dim, keepdim=True)
    first_nan = extremes.argmax(input, dim=dim, keepdim=True)
    return chosen(input, arithmetic.where(first_nan, middle, condition=unordered), dim, keepdim)


def median_of_all(input: Operand) -> Tensor:
    """The largest of the numbers that are not above the middle one, for `amax` shares its gradient."""
    flat = shape.reshape(input, shape=(-1,))
    if not flat.shape[0]:
        nothing = conversion.to(reduce.sum(flat), dtype=flat.dtype)
        return arithmetic.add(nothing, np.nan) if flat.dtype.kind == "f" else nothing
    numbers = array_of(flat)
    middle = np.sort(numbers)[(len(numbers) - 1) // 2]
    if flat.dtype.kind != "f" or np.isnan(numbers).any():
        place = (
            int(np.isnan(numbers).argmax()) if np.isnan(numbers).any() else int((numbers == middle).argmax())
        )
        return flat[place]
    return extremes.amax(arithmetic.where(flat, -np.inf, condition=numbers <= middle))


def size_along(op: str, input: Operand, dim: int) -> int:
    """How many numbers there are along a dimension; a number alone is one."""
    place = one_dim(op, dim, input.ndim)
    return int(input.shape[place]) if input.ndim else 1


def in_place_k(input: Operand, k: int, dim: int) -> Any:
    """Where the k-th smallest numbers along `dim` are, which stays as a dimension of size 1."""
    indices = counting.argsort(input, dim=dim)
    return (
        indices[(slice(None),) * one_dim("argsort", dim, input.ndim) + (slice(k - 1, k),)]
        if input.ndim
        else indices
    )


def chosen(input: Operand, indices: Any, dim: int, keepdim: bool) -> Ordered:
    """(values, indices) of one place along `dim`."""
    values = indexing.gather(input, dim=dim, index=indices)
    if keepdim or not input.ndim:
        return Ordered(values, indices)
    return Ordered(shape.squeeze(values, dim=dim), shape.squeeze(indices, dim=dim))


@checked()
def unique(
    input: Operand,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """What is in `input`, each number once and in order; with dim, the slices along it.

    With return_inverse also which of them each element is, with return_counts how often each occurs:
    (values, inverse, counts). They are in order without `sorted` too. NaN is equal to nothing.
    """
    values, inverse, counts = counting.unique(input, dim=dim)
    wanted = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return tuple(wanted) if len(wanted) > 1 else values


@checked(elements=OPERAND, test_elements=OPERAND)
@documented_by(counting.isin)
def isin(
    elements: Operand, test_elements: Operand, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    given = (elements, test_elements)
    among = counting.isin(*(each if isinstance(each, Tensor) else numeric_array(each) for each in given))
    return comparisons.logical_not(among) if invert else among


@checked()
@documented_by(counting.nonzero)
def nonzero(input: Operand, *, as_tuple: bool = False) -> Any:
    if not as_tuple:
        return counting.nonzero(input)
    return shape.unbind(counting.nonzero(input if input.ndim else shape.reshape(input, shape=(1,))), dim=1)


@checked(input=ARRAY)
def argwhere(input: Operand) -> Tensor:
    """The places of the numbers that are other than 0, in row-major order → int64 [count, dimensions]."""
    return counting.nonzero(input)
