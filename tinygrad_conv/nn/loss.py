"""Losses as layers."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from .module import Module


class MSELoss(Module):
    """(x - target)²: 'mean' or 'sum' over all elements, or 'none'. Raises ShapeError unless the shapes are the same."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.mse_loss(x, target, self.reduction)
