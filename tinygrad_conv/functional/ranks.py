"""Where numbers stand among others in order, and which number stands at a share of the way."""

from __future__ import annotations

import numpy as np

from ..dtypes import HALF, Array, numeric_array
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_array, show_shape
from ..ops import arithmetic, conversion, counting, shape
from ..ops import index as indexing
from ..ops.arguments.dims import one_dim
from ..ops.arguments.values import check_float, check_integers
from ..options import ARRAY, OPERAND, checked, choice, optional, show_given
from .arguments import Operand, array_of
from .ordering import sort
from .views import movedim

INTERPOLATION = choice("linear", "lower", "higher", "midpoint", "nearest", at_once=True)
SIDE = choice("left", "right", at_once=True)


@checked(sorted_sequence=ARRAY, input=OPERAND, side=optional(SIDE), sorter=optional(ARRAY))
def searchsorted(
    sorted_sequence: Operand,
    input: Operand,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Operand | None = None,
) -> Tensor:
    """At which place in a sequence in order each number of `input` would stand: how many are below it.

    sorted_sequence: [n], for an input of any shape, or […, n] for an input […, m]: row by row. right, or
    side='right': how many are below it or equal. sorter: places that bring a sequence in order, as argsort
    says them. int64, or int32 with out_int32. NaN is larger than all. Raises ShapeError where shapes do not
    fit, ValueError where right and side contradict each other.
    """
    if side == "left" and right:
        raise ValueError("searchsorted: side='left' contradicts right=True; leave one of them out")
    if sorter is not None:
        check_sorter(sorted_sequence, sorter)
        sorted_sequence = indexing.gather(sorted_sequence, dim=-1, index=sorter)
    values = input if isinstance(input, Tensor) else numeric_array(input)
    places = counting.searchsorted(sorted_sequence, values, right=right or side == "right")
    return conversion.to(places, dtype=np.int32) if out_int32 else places


@checked(input=OPERAND, boundaries=ARRAY)
def bucketize(input: Operand, boundaries: Operand, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """In which bucket each number of `input` is: how many of the boundaries [n], in order, are below it.

    right: how many are below it or equal. int64, or int32 with out_int32. Raises ShapeError for boundaries of
    other than one dimension.
    """
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: boundaries must be [n], not {show_array(boundaries)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def check_sorter(sequence: Operand, sorter: Operand) -> None:
    """Refuse what does not say a place for each number of a sequence."""
    check_integers("searchsorted", "sorter", sorter)
    if sorter.shape != sequence.shape:
        shapes = f"{show_shape(sequence.shape)}, not {show_shape(sorter.shape)}"
        raise ShapeError(f"searchsorted: sorter must have the shape of sorted_sequence, {shapes}")
    places = np.asarray(sorter)
    if places.size and not 0 <= places.min() <= places.max() < sequence.shape[-1]:
        raise IndexError(
            f"searchsorted: sorter has places from {places.min()} to {places.max()}, but there "
            f"are {sequence.shape[-1]} numbers"
        )


@checked(q=OPERAND, interpolation=INTERPOLATION)
def quantile(
    input: Operand,
    q: Operand,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The number that stands a share q, from 0 to 1, of the way from the smallest to the largest.

    Of all numbers, or along dim; for several q [k] the result has k first. interpolation: what is taken
    between two neighbours: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'. NaN where there is a NaN.
    Raises DtypeError for integers, ShapeError where there are no numbers, ValueError for other q.
    """
    return at_share("quantile", input, q, dim, keepdim, interpolation, passes_nan=False)


@checked(q=OPERAND, interpolation=INTERPOLATION)
def nanquantile(
    input: Operand,
    q: Operand,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """As quantile, of the numbers that are not NaN; NaN where all are."""
    return at_share("nanquantile", input, q, dim, keepdim, interpolation, passes_nan=True)


def at_share(
    op: str, input: Operand, q: Operand, dim: int | None, keepdim: bool, interpolation: str, passes_nan: bool
) -> Tensor:
    """What both quantiles are."""
    if input.dtype == HALF:  # which does not hold the places of many numbers
        share = conversion.wide(q) if hasattr(q, "dtype") else q
        wide = at_share(op, conversion.wide(input), share, dim, keepdim, interpolation, passes_nan)
        return conversion.to(wide, dtype=HALF)
    shares = q if hasattr(q, "ndim") else np.asarray(q, input.dtype)
    check_shares(op, input, q, shares)
    if dim is not None:
        dim = one_dim(op, dim, input.ndim)
    rows = shape.reshape(input, shape=(-1,)) if dim is None or not input.ndim else movedim(input, dim, -1)
    if not rows.shape[-1]:
        raise ShapeError(f"{op}: there are no numbers along dim={dim} of {show_array(input)}")
    values = quantiles(sort(rows).values, shape.reshape(shares, shape=(-1,)), interpolation, passes_nan)
    sizes = kept_sizes(input, dim) if keepdim else rows.shape[:-1]
    first = movedim(values, -1, 0)
    return shape.reshape(first, shape=(*shares.shape, *sizes))


def check_shares(op: str, input: Operand, q: Operand, shares: Operand) -> None:
    """Refuse what is no share, and integers, between which there is nothing."""
    check_float(op, input=input, q=shares)
    if shares.ndim > 1:
        raise ShapeError(f"{op}: q must be a number or [k], not {show_array(shares)}")
    numbers = array_of(shares)
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise ValueError(f"{op}: q must lie in [0, 1], not {show_given(q)}")


def quantiles(ordered: Operand, shares: Operand, interpolation: str, passes_nan: bool) -> Tensor:
    """The quantiles […, k] of rows […, n] in order, for shares [k]."""
    numbers = array_of(ordered)
    counts = np.count_nonzero(~np.isnan(numbers), axis=-1, keepdims=True)
    whole, last = counts == numbers.shape[-1], numbers.shape[-1] - 1
    top = np.maximum(counts - 1, 0) if passes_nan else np.full_like(counts, last)
    ranks = arithmetic.mul(shares, top.astype(shares.dtype))
    at = array_of(ranks)
    if not passes_nan:
        at = np.where(whole, at, at.dtype.type(last))  # NaN stands last
    if interpolation == "nearest":
        at = np.rint(at)
    lower, upper = np.floor(at).astype(np.int64), np.ceil(at).astype(np.int64)
    below, above = (indexing.gather(ordered, dim=-1, index=places) for places in (lower, upper))
    if interpolation in ("lower", "nearest"):
        return below
    if interpolation == "higher":
        return above
    weight = 0.5 if interpolation == "midpoint" else arithmetic.sub(ranks, lower.astype(at.dtype))
    reach = endless(array_of(below), array_of(above))
    far, near = (arithmetic.where(0.0, each, condition=reach) for each in (above, below))
    return arithmetic.add(below, arithmetic.mul(arithmetic.sub(far, near), weight))


def endless(below: Array, above: Array) -> Array:
    """Where all between two neighbours, or on the way to the upper one, is as infinite as the lower one."""
    return np.isinf(below) & (np.isfinite(above) | (below == above))


def kept_sizes(input: Operand, dim: int | None) -> tuple[int, ...]:
    """The shape with a size of 1 for what was gone through."""
    if dim is None or not input.ndim:
        return (1,) * input.ndim
    return (*input.shape[:dim], 1, *input.shape[dim + 1 :])
