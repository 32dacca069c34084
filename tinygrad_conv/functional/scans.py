"""What runs along a dimension: sums, products and extremes of everything up to each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ..engine.operators import in_dtype
from ..engine.tensor import Tensor
from ..ops import arithmetic, conversion, counting, reduce, shape
from ..ops import index as indexing
from ..ops.arguments.dims import one_dim
from ..ops.arguments.values import check_float
from ..options import checked
from .arguments import Operand, documented_by


class RunningExtremes(NamedTuple):
    """What is largest, or smallest, up to each place, and where that is."""

    values: Tensor
    indices: Tensor


@checked()
@documented_by(reduce.cumsum)
def cumsum(input: Operand, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    return in_dtype(reduce.cumsum(in_dtype(input, dtype), dim=dim), dtype)


@checked()
def cumprod(input: Operand, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """y[i] = x[0] · … · x[i] along `dim`; integers and bools have products of int64, unless a dtype is given.

    Products and slices alone, whose gradients hold at zeros too.
    """
    numbers = in_dtype(input, dtype)
    whole = numbers.dtype.kind in "biu"
    products = scan("cumprod", arithmetic.mul, in_dtype(numbers, np.int64 if whole else np.float64), dim)
    return in_dtype(products, dtype or (np.int64 if whole else numbers.dtype))


@checked()
def logcumsumexp(input: Operand, dim: int) -> Tensor:
    """y[i] = log(eˣ⁰ + … + eˣⁱ) along `dim`, without overflow. Raises DtypeError for integers."""
    check_float("logcumsumexp", input=input)
    return in_dtype(scan("logcumsumexp", arithmetic.logaddexp, input, dim), input.dtype)


def scan(op: str, combine: Callable[[Any, Any], Any], x: Any, dim: int) -> Any:
    """x[0], x[0] ∘ x[1], … for an associative ∘, along a dimension; float16 in float32.

    In log₂ n steps, each of which combines with what ends 1, 2, 4 … places before (Hillis & Steele 1986).
    """
    place, y = one_dim(op, dim, x.ndim), conversion.wide(x)
    before, step = (slice(None),) * place, 1
    while step < (y.shape[place] if y.ndim else 1):
        head, tail, earlier = slice(0, step), slice(step, None), slice(0, -step)
        combined = combine(y[before + (tail,)], y[before + (earlier,)])
        y = shape.cat(y[before + (head,)], combined, dim=place)
        step *= 2
    return shape.clone(y) if y is x else y


@checked()
def cummax(input: Operand, dim: int) -> RunningExtremes:
    """(values, indices): the largest number up to each place along `dim`, and where it is.

    Of several the last. NaN is larger than all.
    """
    return running(input, counting.running_argmax(input, dim=dim), dim)


@checked()
def cummin(input: Operand, dim: int) -> RunningExtremes:
    """(values, indices): the smallest number up to each place along `dim`, and where it is.

    Of several the last. NaN is smaller than all.
    """
    return running(input, counting.running_argmin(input, dim=dim), dim)


def running(input: Operand, indices: Any, dim: int) -> RunningExtremes:
    """(values, indices) of one place for each."""
    return RunningExtremes(indexing.gather(input, dim=dim, index=indices), indices)
