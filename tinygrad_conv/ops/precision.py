"""Where an op must compute in more digits than its inputs have, or may not take integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DtypeError, show_array
from .functions import to

HALF = np.dtype(np.float16)


def wide(x: Any) -> Any:
    """float16 as float32, for sums and exponentials; every other dtype as it is. For arrays and Tensors
    alike.
    """
    return to(x, dtype=np.dtype(np.float32)) if x.dtype == HALF else x


def check_float(op: str, **given: Any) -> None:
    """Refuse integers and bools, by the name of the argument, where PyTorch has no meaning for them
    either.
    """
    for name, array in given.items():
        if array is not None and array.dtype.kind != "f":
            raise DtypeError(
                f"{op}: {name} must be floating-point, not {show_array(array)}; use {name}.float()"
            )
