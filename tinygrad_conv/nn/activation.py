"""Activations as layers. `inplace` is accepted for PyTorch's sake: nothing on the tape is overwritten."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from .module import Module


class ReLU(Module):
    """max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    def forward(self, x: Any) -> Tensor:
        return F.relu(x)


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Tensor:
        return F.sigmoid(x)


class Tanh(Module):
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)
