"""New tensors of another's dtype, `x.new_zeros(2, 3)`, and by the old names of types, `tg.LongTensor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .creation import empty, full, ones, shape_of, takes_size, tensor, zeros
from .engine.conversions import TENSOR_TYPES
from .engine.registry import composite
from .engine.tensor import Tensor
from .options import OPERAND, checked, is_integer


@composite
@takes_size
@checked()
def new_zeros(
    input: Any, *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All zeros, in the dtype of `input`."""
    return zeros(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@composite
@takes_size
@checked()
def new_ones(
    input: Any, *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All ones, in the dtype of `input`."""
    return ones(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@composite
@takes_size
@checked()
def new_empty(
    input: Any, *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Memory whose numbers mean nothing yet, in the dtype of `input`."""
    return empty(*size, dtype=dtype or input.dtype, requires_grad=requires_grad)


@composite
@checked(fill_value=OPERAND)
def new_full(
    input: Any,
    size: Any,
    fill_value: Any,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere, in the dtype of `input`."""
    return full(size, fill_value, dtype or input.dtype, requires_grad)


@composite
@checked()
def new_tensor(
    input: Any, data: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A leaf with a copy of the data, in the dtype of `input`."""
    return tensor(data, dtype or input.dtype, requires_grad)


class TensorType:
    """What `tg.FloatTensor` and its like are: `tg.FloatTensor([1, 2])` of data, `tg.FloatTensor(2, 3)` of a
    size, with numbers that mean nothing yet. `x.type(tg.FloatTensor)` is x in that dtype.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.__name__, self.dtype = TENSOR_TYPES[dtype], dtype

    def __call__(self, *given: Any) -> Tensor:
        if all(map(is_integer, given)) and not any(hasattr(value, "dtype") for value in given):
            return empty(shape_of(given or (0,), self.__name__, self.dtype), dtype=self.dtype)
        if len(given) != 1:
            raise TypeError(f"{self.__name__}: pass data, or sizes as ints, not {len(given)} arguments")
        return tensor(given[0], self.dtype)

    def __repr__(self) -> str:
        return f"tg.{self.__name__}"


FloatTensor, DoubleTensor, HalfTensor = [TensorType(np.dtype(code)) for code in "fde"]
LongTensor, IntTensor, ShortTensor, CharTensor = [TensorType(np.dtype(f"i{size}")) for size in (8, 4, 2, 1)]
ByteTensor, BoolTensor = [TensorType(np.dtype(code)) for code in "B?"]
