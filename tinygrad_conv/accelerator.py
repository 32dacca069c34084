"""What scripts ask of `torch.accelerator`, whichever GPU there is: there is none."""

from __future__ import annotations

from typing import Any

from .devices import Device, absent
from .devices import device_count as device_count
from .devices import is_available as is_available


def current_accelerator(check_available: bool = False) -> Device | None:
    """The one in use: None."""
    return None


def __getattr__(name: str) -> Any:
    raise absent(__name__, name)
