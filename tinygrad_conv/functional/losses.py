"""Losses."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import loss
from .signatures import Operand, documented_by

__all__ = [
    "mse_loss",
]


@documented_by(loss.mse_loss)
def mse_loss(input: Operand, target: Operand, reduction: str = "mean") -> Tensor:
    return loss.mse_loss(input, target, reduction=reduction)
