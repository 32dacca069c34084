"""Other shapes, other orders, parts and unions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.tensor import Tensor
from ..ops import index as indexing
from ..ops import shape as shaping
from .signatures import Dim, Operand, documented_by

__all__ = [
    "cat",
    "chunk",
    "clone",
    "flatten",
    "flip",
    "gather",
    "permute",
    "put_add",
    "reshape",
    "roll",
    "scatter_add",
    "split",
    "squeeze",
    "stack",
    "transpose",
    "unsqueeze",
]


@documented_by(shaping.reshape)
def reshape(input: Operand, shape: Sequence[int]) -> Tensor:
    return shaping.reshape(input, shape=tuple(shape))


@documented_by(shaping.permute)
def permute(input: Operand, dims: Sequence[int]) -> Tensor:
    return shaping.permute(input, dims=tuple(dims))


@documented_by(shaping.transpose)
def transpose(input: Operand, dim0: int, dim1: int) -> Tensor:
    return shaping.transpose(input, dim0=dim0, dim1=dim1)


@documented_by(shaping.flatten)
def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    return shaping.flatten(input, start_dim=start_dim, end_dim=end_dim)


@documented_by(shaping.squeeze)
def squeeze(input: Operand, dim: Dim = None) -> Tensor:
    return shaping.squeeze(input, dim=dim)


@documented_by(shaping.unsqueeze)
def unsqueeze(input: Operand, dim: int) -> Tensor:
    return shaping.unsqueeze(input, dim=dim)


@documented_by(shaping.flip)
def flip(input: Operand, dims: Sequence[int]) -> Tensor:
    return shaping.flip(input, dims=tuple(dims))


@documented_by(shaping.cat)
def cat(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shaping.cat(*several("cat", tensors), dim=dim)


@documented_by(shaping.stack)
def stack(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shaping.stack(*several("stack", tensors), dim=dim)


def several(name: str, tensors: Sequence[Operand]) -> Sequence[Operand]:
    """A list or tuple of tensors. Raises TypeError for a single one: its rows would be taken for the
    tensors.
    """
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}: pass a list or tuple of tensors, not {type(tensors).__name__}")
    return tensors


@documented_by(shaping.split)
def split(tensor: Operand, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    return shaping.split(tensor, size=split_size_or_sections, dim=dim)


@documented_by(shaping.chunk)
def chunk(input: Operand, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    return shaping.chunk(input, chunks=chunks, dim=dim)


@documented_by(shaping.roll)
def roll(input: Operand, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    return shaping.roll(input, shifts=shifts, dims=dims)


@documented_by(shaping.clone)
def clone(input: Operand) -> Tensor:
    return shaping.clone(input)


@documented_by(indexing.gather)
def gather(input: Operand, dim: int, index: Operand) -> Tensor:
    return indexing.gather(input, dim=dim, index=index)


@documented_by(indexing.scatter_add)
def scatter_add(input: Operand, dim: int, index: Operand, src: Operand) -> Tensor:
    return indexing.scatter_add(input, src, dim=dim, index=index)


def put_add(input: Operand, index: Any, shape: Sequence[int]) -> Tensor:
    """Zeros of `shape` with `input` added at the index: what indexing takes apart, put back."""
    return indexing.put_add(input, index=index, shape=tuple(shape))
