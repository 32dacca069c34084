"""Parameters: what they are, how layers make them, and hold their inputs to the same dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..allocation import check_fits
from ..dtypes import FLOATS, get_default_dtype
from ..engine.tensor import Tensor
from ..errors import DtypeError


class Parameter(Tensor):
    """A leaf that an optimiser may change; as an attribute of a Module it is one of the module's parameters.

    Shares the memory of `data`, unless that is the read-only result of an op. `.name` comes from the module
    tree.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)
        if not self._data.flags.writeable:
            self._data, self._memory = self._data.copy(), None

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles begin without a gradient, as PyTorch's do."""
        make, arguments, (state, slots) = super().__reduce__()
        return make, arguments, (state, {**slots, "grad": None})


def full_parameter(
    layer: Any, name: str, shape: tuple[int, ...], value: Any, dtype: DTypeLike | None
) -> Parameter:
    """A parameter of one value everywhere. Raises SizeError for one that no memory holds."""
    chosen = np.dtype(dtype or get_default_dtype())
    check_fits(type(layer).__name__, name, list(shape), shape, chosen.itemsize)
    return Parameter(np.full(shape, value, chosen))


def check_dtype(layer: Any, x: Any, param: Tensor | None) -> None:
    """Refuse an input in another floating dtype than a layer's parameters: all after it would have it too."""
    if isinstance(x, Tensor) and param is not None and x._data.dtype is param._data.dtype:
        return  # nearly always
    dtype = getattr(x, "dtype", None)
    if param is None or dtype is None or dtype is param.dtype:  # None is float64 to NumPy
        return
    if dtype not in FLOATS or dtype == param.dtype:
        return
    names = {"float16": "half", "float32": "float", "float64": "double"}
    raise DtypeError(
        f"{type(layer).__name__}: x is {dtype}, but the parameters are {param.dtype}. Convert the input, "
        f"x.{names[param.dtype.name]}(), or the net, net.{names[np.dtype(dtype).name]}()"
    )
