"""Arguments that must be floats, or integers."""

from __future__ import annotations

from typing import Any

from ...errors import DtypeError, show_array


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
