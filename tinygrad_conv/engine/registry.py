"""Names → functions: where a lower floor of the house finds what an upper one provides, without importing it.

OPS          the ops, which `@primitive` enters
COMPOSITES   functions made of ops that are Tensor methods too (clamp, max, norm …), which `@composite` enters
DOORS        what a floor above the ops provides (`loss.record()`, the pictures in a notebook); that floor
             opens its doors itself, or the package opens them for it when somebody first goes through
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

OPS: dict[str, Any] = {}
COMPOSITES: dict[str, Callable[..., Any]] = {}
DOORS: dict[str, Callable[..., Any]] = {}


def composite(function: Function) -> Function:
    """Enter the decorated function among the composites, under its own name."""
    COMPOSITES[function.__name__] = function
    return function


def door(name: str) -> Callable[..., Any]:
    """What an upper floor provides under this name. Raises ImportError where that floor is not there."""
    if name not in DOORS:
        raise ImportError(f"{name}: the part of tinygrad_conv that provides it is not installed here")
    return DOORS[name]


def if_open(name: str, subject: Any) -> str | None:
    """What is behind a door for a subject, as a notebook's picture of it; None where no floor opened it."""
    return DOORS[name](subject) if name in DOORS else None
