"""Dropout layers: in training they drop, in evaluation they pass all. `tg.manual_seed` makes them repeat."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from .module import Module, shown


class DropoutBase(Module):
    """What dropout layers share: how likely an element, or a channel, is dropped."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return shown(self, "p", "inplace")


class Dropout(DropoutBase):
    """In training each element is 0 with probability p, the others are divided by 1 - p."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout(x, self.p, self.training, self.inplace)


class Dropout1d(DropoutBase):
    """In training each channel of x [N, C, L] is 0 with probability p, the others are divided by 1 - p."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout1d(x, self.p, self.training, self.inplace)


class Dropout2d(DropoutBase):
    """In training each channel of x [N, C, H, W] is 0 with probability p, the others are divided by 1 - p."""

    def forward(self, x: Any) -> Tensor:
        return F.dropout2d(x, self.p, self.training, self.inplace)
