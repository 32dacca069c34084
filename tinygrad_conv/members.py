"""What is one value, or a tuple of several: an op's outputs, a variadic argument, the gradients of either."""

from __future__ import annotations

from typing import Any


def members_of(value: Any) -> tuple[Any, ...]:
    """The values one by one; whatever is no plain tuple, a named one too, is a value by itself."""
    return value if type(value) is tuple else (value,)
