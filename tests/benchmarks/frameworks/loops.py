"""Calling an op many times in a row, each on the result of the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cases import CALLS


def unary_chain(op: Callable[[Any], Any], x: Any) -> Any:
    """op(op(… op(x)))."""
    for _ in range(CALLS):
        x = op(x)
    return x


def binary_chain(op: Callable[[Any, Any], Any], x: Any, w: Any) -> Any:
    """op(op(… op(x, w), w), w)."""
    for _ in range(CALLS):
        x = op(x, w)
    return x
