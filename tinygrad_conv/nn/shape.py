"""Layers that rearrange."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from .module import Module


class Flatten(Module):
    """The dimensions from start_dim to end_dim, both included, as one: [N, C, H, W] → [N, C·H·W]."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Tensor:
        return F.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
