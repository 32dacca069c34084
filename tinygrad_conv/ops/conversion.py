"""Another dtype: `to`, and the dtypes that other ops compute in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import HALF, Array, get_default_dtype, no_dtype, promote
from ..engine.declare import primitive
from ..errors import DtypeError


@primitive
def to(x, *, dtype):
    """The same numbers in another dtype; the gradient comes back in the dtype of x.

    Raises DtypeError for what is no dtype, or one in another machine's byte order.
    """
    try:
        y = x.astype(dtype)
    except TypeError:
        raise no_dtype(dtype) from None
    if not y.dtype.isnative:
        raise DtypeError(f"to: {dtype!r} is in another byte order; write {y.dtype.name!r}")
    return y


@to.grad("x")
def to_dx(dy):
    """A change of dtype is the identity; the sweep casts back."""
    return dy


def floating(x: Array) -> Array:
    """Integers and bools as floats of the default dtype, for functions whose result is no integer."""
    return x if x.dtype.kind == "f" else x.astype(get_default_dtype())


def alike(*xs: Array) -> Sequence[Array]:
    """Arrays in one dtype, as in arithmetic: float32 and int64 as float32, of which NumPy makes float64."""
    dtype = xs[0].dtype
    for x in xs:
        if x.dtype is not dtype:
            return promote(list(xs), [False] * len(xs))
    return xs


def wide(x: Any) -> Any:
    """float16 as float32, to compute sums and exponentials in; other dtypes as they are. For Tensors too."""
    return to(x, dtype=np.dtype(np.float32)) if x.dtype == HALF else x
