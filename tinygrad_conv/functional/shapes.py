"""Other shapes, other orders, parts and unions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.tensor import Tensor
from ..ops import index as indexing
from ..ops import shape
from .signatures import Dim, Operand, documented_by

__all__ = [
    "cat",
    "flatten",
    "flip",
    "permute",
    "put_add",
    "reshape",
    "squeeze",
    "stack",
    "transpose",
    "unsqueeze",
]


@documented_by(shape.reshape)
def reshape(input: Operand, shape: Sequence[int]) -> Tensor:
    return shape.reshape(input, shape=tuple(shape))


@documented_by(shape.permute)
def permute(input: Operand, dims: Sequence[int]) -> Tensor:
    return shape.permute(input, dims=tuple(dims))


@documented_by(shape.transpose)
def transpose(input: Operand, dim0: int, dim1: int) -> Tensor:
    return shape.transpose(input, dim0=dim0, dim1=dim1)


@documented_by(shape.flatten)
def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return shape.flatten(input, start_dim=start_dim, end_dim=end_dim)


@documented_by(shape.squeeze)
def squeeze(input: Operand, dim: Dim = None) -> Tensor:
    return shape.squeeze(input, dim=dim)


@documented_by(shape.unsqueeze)
def unsqueeze(input: Operand, dim: int) -> Tensor:
    return shape.unsqueeze(input, dim=dim)


@documented_by(shape.flip)
def flip(input: Operand, dims: Sequence[int]) -> Tensor:
    return shape.flip(input, dims=tuple(dims))


@documented_by(shape.cat)
def cat(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shape.cat(*tensors, dim=dim)


@documented_by(shape.stack)
def stack(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shape.stack(*tensors, dim=dim)


def put_add(input: Operand, index: Any, shape: Sequence[int]) -> Tensor:
    """Zeros of `shape` with `input` added at the index: what indexing takes apart, put back."""
    return indexing.put_add(input, index=index, shape=tuple(shape))
