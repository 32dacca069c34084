"""Softmax and its variants as layers, along one dimension."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from .module import Module, shown


class AlongDim(Module):
    """What the layers share: a dim. Without one it is PyTorch's, and a warning says which."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return shown(self, "dim")


class Softmax(AlongDim):
    """eˣ / Σ eˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, self.dim)


class LogSoftmax(AlongDim):
    """x - ln Σ eˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.log_softmax(x, self.dim)


class Softmin(AlongDim):
    """e⁻ˣ / Σ e⁻ˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.softmin(x, self.dim)


class Softmax2d(Module):
    """Softmax over the channels at each place of x [N, C, H, W] or [C, H, W]."""

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: x must be [N, C, H, W] or [C, H, W], not {show_shape(x.shape)}")
        return F.softmax(x, -3)
