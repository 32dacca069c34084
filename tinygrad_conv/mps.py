"""What scripts ask of `torch.mps`, the GPU of a Mac: it is not used here."""

from __future__ import annotations

from typing import Any

from .devices import absent


def is_available() -> bool:
    """Whether this GPU is used: no."""
    return False


def device_count() -> int:
    """How many there are that are used: none."""
    return 0


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
