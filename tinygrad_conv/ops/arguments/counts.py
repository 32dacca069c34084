"""What can be counted."""

from __future__ import annotations

from typing import Any

from ...allocation import check_fits
from ...errors import ShapeError, show_array
from .dtypes import check_integers


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
