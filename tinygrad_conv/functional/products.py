"""Products of matrices, and over indices."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import contraction, linalg
from .signatures import Operand, documented_by

__all__ = [
    "bmm",
    "einsum",
    "linear",
    "matmul",
]


@documented_by(linalg.matmul)
def matmul(input: Operand, other: Operand) -> Tensor:
    return linalg.matmul(input, other)


def bmm(input: Operand, mat2: Operand) -> Tensor:
    """A B for each matrix of a batch, [B, n, k] and [B, k, m] → [B, n, m]. Raises ShapeError for any other
    shapes: `matmul` broadcasts, `bmm` does not.
    """
    if (
        input.ndim != 3
        or mat2.ndim != 3
        or input.shape[0] != mat2.shape[0]
        or input.shape[2] != mat2.shape[1]
    ):
        shapes = f"input {show_shape(input.shape)} and mat2 {show_shape(mat2.shape)}"
        raise ShapeError(f"bmm: {shapes} must be [B, n, k] and [B, k, m]")
    return linalg.matmul(input, mat2)


@documented_by(contraction.einsum)
def einsum(equation: str, *operands: Operand) -> Tensor:
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    return contraction.einsum(*tensors, equation=equation)


@documented_by(linalg.linear)
def linear(input: Operand, weight: Operand, bias: Operand | None = None) -> Tensor:
    return linalg.linear(input, weight, bias)
