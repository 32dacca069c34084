"""Options and bounds that are single numbers or words."""

from __future__ import annotations

from typing import Any


def check_approximation(op: str, approximate: str) -> None:
    """Refuse an approximation that is not known."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"{op}: approximate must be 'none' or 'tanh', not {approximate!r}")


def check_bounds(op: str, min_val: float, max_val: float) -> None:
    """Refuse bounds that leave nothing between them."""
    if min_val > max_val:
        raise ValueError(f"{op}: min_val {min_val} must not be greater than max_val {max_val}")


def check_power(op: str, a: Any, b: Any) -> None:
    """Refuse negative powers of integers."""
    if b.dtype.kind in "iu" and a.dtype.kind in "iu" and (b < 0).any():
        raise ValueError(
            f"{op}: integers have no negative integer powers; make a floating-point, e.g. a.to(np.float32)"
        )


def check_divisor(op: str, divisor_override: int | None) -> None:
    """Refuse to divide by 0."""
    if divisor_override is not None and not divisor_override:
        raise ValueError(f"{op}: divisor_override must not be 0")


def check_norm_order(op: str, p: Any) -> None:
    """Refuse names of norms that are not known."""
    if isinstance(p, str):
        raise ValueError(f"{op}: p must be a number or 'fro', not {p!r}")


def check_integer_divisor(op: str, b: Any) -> None:
    """Refuse to divide integers by 0; floats have Inf and NaN for it."""
    if b.dtype.kind in "biu" and not b.all():
        raise ZeroDivisionError(f"{op}: integers cannot be divided by 0; use floats, e.g. other.float()")
