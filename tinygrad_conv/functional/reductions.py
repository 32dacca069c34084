"""Sums, means, products, norms and extremes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..dtypes import check_float_dtype
from ..engine.operators import in_dtype
from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..ops import arithmetic, counting, extremes, reduce, roots
from ..options import ANY, checked
from .arguments import Dim, Operand, documented_by


class Extremes(NamedTuple):
    """What `max` and `min` along a dimension find, and where."""

    values: Tensor
    indices: Tensor


@checked()
@documented_by(reduce.sum)
def sum(input: Operand, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    return in_dtype(reduce.sum(in_dtype(input, dtype), dim=dim, keepdim=keepdim), dtype)


@checked()
@documented_by(reduce.mean)
def mean(input: Operand, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    check_float_dtype("mean", dtype)
    return reduce.mean(in_dtype(input, dtype), dim=dim, keepdim=keepdim)


@checked()
@documented_by(reduce.prod)
def prod(
    input: Operand, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    return in_dtype(reduce.prod(in_dtype(input, dtype), dim=dim, keepdim=keepdim), dtype)


@checked()
@documented_by(counting.all)
def all(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return counting.all(input, dim=dim, keepdim=keepdim)


@checked()
@documented_by(counting.any)
def any(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return counting.any(input, dim=dim, keepdim=keepdim)


@composite
@checked(dim=ANY)
@documented_by(reduce.var)
def var(
    input: Operand,
    dim: Dim | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    dim, correction = corrected(dim, unbiased, correction)
    return reduce.var(input, dim=dim, correction=correction, keepdim=keepdim)


@composite
@checked(dim=ANY)
@documented_by(roots.std)
def std(
    input: Operand,
    dim: Dim | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    dim, correction = corrected(dim, unbiased, correction)
    return roots.std(input, dim=dim, correction=correction, keepdim=keepdim)


@checked(dim=ANY)
def std_mean(
    input: Operand,
    dim: Dim | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `dim`, as `std` and `mean` have them."""
    over = None if isinstance(dim, bool) else dim
    deviation = std(input, dim, unbiased, keepdim, correction=correction)
    return deviation, reduce.mean(input, dim=over, keepdim=keepdim)


@checked(dim=ANY)
def var_mean(
    input: Operand,
    dim: Dim | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `dim`, as `var` and `mean` have them."""
    over = None if isinstance(dim, bool) else dim
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    return variance, reduce.mean(input, dim=over, keepdim=keepdim)


def corrected(dim: Dim | bool, unbiased: bool, correction: float | None) -> tuple[Dim, float]:
    """`var(x, dim, correction=0)`, `var(x, dim, unbiased=False)` and `var(x, False)` alike."""
    if isinstance(dim, bool):
        return None, int(dim)
    return dim, int(unbiased) if correction is None else correction


@composite
@checked(p=ANY._replace(numeric=True))
def norm(
    input: Operand,
    p: float | str = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """‖x‖ = (Σ |x|ᵖ)^(1/p) over `dim`.

    For p = 0 it is the number of elements that aren't 0, for p = ±∞ the largest or smallest |x|. 'fro' is p =
    2. Raises ValueError for other names, DtypeError for integers, ShapeError for the extreme of nothing.
    """
    order = 2 if isinstance(p, str) and p == "fro" else p  # a Tensor has an == of its own
    return roots.vector_norm(in_dtype(input, dtype), p=order, dim=dim, keepdim=keepdim)


@composite
@checked(dim=ANY)
def max(input: Operand, dim: Operand = None, keepdim: bool = False) -> Tensor | Extremes:
    """The maximum of all of `input`; along a dimension (values, indices); of two tensors, of each pair.

    Elements that tie share the gradient of the first form and of the last; along a dimension the first of
    them has it all.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return arithmetic.maximum(input, dim)
    return extremes.amax(input) if dim is None else Extremes(*extremes.max(input, dim=dim, keepdim=keepdim))


@composite
@checked(dim=ANY)
def min(input: Operand, dim: Operand = None, keepdim: bool = False) -> Tensor | Extremes:
    """The minimum of all of `input`; along a dimension (values, indices); of two tensors, of each pair.

    Elements that tie share the gradient of the first form and of the last; along a dimension the first of
    them has it all.
    """
    if isinstance(dim, (Tensor, np.ndarray)):
        return arithmetic.minimum(input, dim)
    return extremes.amin(input) if dim is None else Extremes(*extremes.min(input, dim=dim, keepdim=keepdim))
