"""Sums, means and extremes."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import reduce
from .signatures import Dim, Operand, documented_by

__all__ = [
    "amax",
    "mean",
    "sum",
]


@documented_by(reduce.sum)
def sum(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return reduce.sum(input, dim=dim, keepdim=keepdim)


@documented_by(reduce.mean)
def mean(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return reduce.mean(input, dim=dim, keepdim=keepdim)


@documented_by(reduce.amax)
def amax(input: Operand, dim: Dim = None, keepdim: bool = False) -> Tensor:
    return reduce.amax(input, dim=dim, keepdim=keepdim)
