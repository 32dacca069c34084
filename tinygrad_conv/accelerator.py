"""What scripts ask of `torch.accelerator`, whichever GPU there is: there is none."""

from __future__ import annotations

from typing import Any

from .devices import Device, absent


def is_available() -> bool:
    """Whether there is any: no."""
    return False


def device_count() -> int:
    """How many there are: none."""
    return 0


def current_accelerator(check_available: bool = False) -> Device | None:
    """The one in use: None."""
    return None


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
