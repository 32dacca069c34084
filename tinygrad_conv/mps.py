"""What scripts ask of `torch.mps`, the GPU of a Mac: it is not used here."""

from __future__ import annotations

from typing import Any

from .devices import absent
from .devices import device_count as device_count
from .devices import is_available as is_available


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
