"""What scripts set in `torch.backends` before they train: accepted, and without any effect."""

from __future__ import annotations

from typing import Any

from ..devices import absent
from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
