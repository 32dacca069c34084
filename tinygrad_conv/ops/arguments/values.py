"""Arguments whose numbers must be floats or integers, in a range, or known words."""

from __future__ import annotations

from typing import Any

from ...allocation import check_fits
from ...errors import DtypeError, ShapeError, show_array


def check_float(op: str, **arrays: Any) -> None:
    """Refuse integers and bools, by the name of the argument, where PyTorch has no meaning for them."""
    for name, array in arrays.items():
        if array is not None and array.dtype.char not in "fde":
            raise DtypeError(
                f"{op}: {name} must be floating-point, not {show_array(array)}; use {name}.float()"
            )


def check_integers(op: str, name: str, array: Any) -> None:
    """Refuse floats and bools where numbers say places, or how often."""
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{op}: {name} must hold integers, not {show_array(array)}")


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


def check_counted(op: str, x: Any, weights: Any) -> None:
    """Refuse what is no row of integers from 0, or weights that are not one for each."""
    if x.ndim != 1 or (weights is not None and weights.shape != x.shape):
        given = show_array(x) + ("" if weights is None else f" with weights {show_array(weights)}")
        raise ShapeError(f"{op}: input must be a row [n], and weights, if any, [n] too; got {given}")
    check_integers(op, "input", x)
    if x.size and x.min() < 0:
        raise ValueError(f"{op}: input must hold integers from 0, not {x.min()}")


def check_minlength(op: str, x: Any, minlength: int) -> None:
    """Refuse a table of counts that is negative, or larger than memory."""
    if minlength < 0:
        raise ValueError(f"{op}: minlength must be at least 0, not {minlength}")
    check_fits(op, "minlength", minlength, (max(minlength, int(x.max(initial=0)) + 1),), 8)


def check_sequences(op: str, sequence: Any, values: Any) -> None:
    """Refuse sequences that are neither one for all values, nor one for each row of them."""
    rows = sequence.shape[:-1]
    if sequence.ndim == 0 or (rows and rows != values.shape[:-1]):
        raise ShapeError(
            f"{op}: the sequence must be [n], or […, n] for values […, m], not {show_array(sequence)} for "
            f"{show_array(values)}"
        )
