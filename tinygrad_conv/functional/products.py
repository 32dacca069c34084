"""Matrix products."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import linalg
from .signatures import Operand, documented_by

__all__ = [
    "linear",
    "matmul",
]


@documented_by(linalg.matmul)
def matmul(input: Operand, other: Operand) -> Tensor:
    return linalg.matmul(input, other)


@documented_by(linalg.linear)
def linear(input: Operand, weight: Operand, bias: Operand | None = None) -> Tensor:
    return linalg.linear(input, weight, bias)
