"""PyTorch with `torch.compile` for forward, loss and backward, in its default mode: steps and epochs.

It takes a C++ compiler. Its optimiser is the same as PyTorch's eager one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..cases import Chain, Convolution, LayerRun
from .base import NotOffered, Part
from .pytorch import PyTorch


class TorchCompile(PyTorch):
    def loss_of(self, model: torch.nn.Module) -> Callable[[Any, Any], Any]:
        return torch.compile(super().loss_of(model))

    def convolution(self, task: Convolution) -> dict[str, Part]:
        raise NotOffered

    def layer(self, task: LayerRun) -> dict[str, Part]:
        raise NotOffered

    def chain(self, task: Chain) -> dict[str, Part]:
        raise NotOffered


FRAMEWORK = TorchCompile
