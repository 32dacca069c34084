"""Tensor's methods that change it in place (in_place.py): after `x.add_(y)`, x is what `x + y` returns.

Names and arguments are PyTorch's. Those that are a function, such as `x.relu_()`, are in function_methods.py.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import numbers_in, numeric_array
from ..errors import DtypeError
from .in_place import change, leave_tape
from .index_order import in_pytorchs_order
from .registry import COMPOSITES, OPS

if TYPE_CHECKING:
    from typing_extensions import Self

Operand = Any  # a Tensor, an ndarray or a scalar


def as_value(value: Any, what: str, x: Any) -> Any:
    """What is assigned to an item of x: a Tensor as it is, anything else as an array."""
    if isinstance(value, InPlace):
        return value
    try:
        return numeric_array(value) if hasattr(value, "dtype") else numbers_in(value, x.dtype)
    except (OverflowError, DtypeError) as error:
        raise type(error)(f"{what}: {error}") from None


def scaled(other: Operand, alpha: Operand) -> Operand:
    """What is added: alpha times the other."""
    return other if isinstance(alpha, int) and alpha == 1 else OPS["mul"](other, alpha)


class InPlace:
    """`x += y`, `x[0] = y`, and their like as methods."""

    __slots__ = ()

    def __iadd__(self, other: Operand) -> Self:
        return change(self, "x += …", OPS["add"], other)

    def __isub__(self, other: Operand) -> Self:
        return change(self, "x -= …", OPS["sub"], other)

    def __imul__(self, other: Operand) -> Self:
        return change(self, "x *= …", OPS["mul"], other)

    def __itruediv__(self, other: Operand) -> Self:
        return change(self, "x /= …", OPS["div"], other)

    def __ipow__(self, other: Operand) -> Self:
        return change(self, "x **= …", OPS["pow"], other)

    def __iand__(self, other: Operand) -> Self:
        return change(self, "x &= …", OPS["bitwise_and"], other)

    def __ior__(self, other: Operand) -> Self:
        return change(self, "x |= …", OPS["bitwise_or"], other)

    def __ixor__(self, other: Operand) -> Self:
        return change(self, "x ^= …", OPS["bitwise_xor"], other)

    def __setitem__(self, index: Any, value: Operand) -> None:
        index = in_pytorchs_order(index, self.shape)  # type: ignore[attr-defined]
        written = as_value(value, "x[…] = …", self)
        change(self, "x[…] = …", partial(OPS["setitem"], index=index), written, part=index)

    def add_(self, other: Operand, *, alpha: Operand = 1) -> Self:
        return change(self, "x.add_(…)", OPS["add"], scaled(other, alpha))

    def sub_(self, other: Operand, *, alpha: Operand = 1) -> Self:
        return change(self, "x.sub_(…)", OPS["sub"], scaled(other, alpha))

    def mul_(self, other: Operand) -> Self:
        return change(self, "x.mul_(…)", OPS["mul"], other)

    def div_(self, other: Operand, *, rounding_mode: str | None = None) -> Self:
        if rounding_mode is not None:
            return change(self, "x.div_(…)", partial(COMPOSITES["div"], rounding_mode=rounding_mode), other)
        return change(self, "x.div_(…)", OPS["div"], other)

    def copy_(self, source: Operand, non_blocking: bool = False) -> Self:
        written = as_value(source, "x.copy_(…)", self)
        return change(self, "x.copy_(…)", partial(OPS["setitem"], index=...), written)

    def fill_(self, value: Operand) -> Self:
        written = as_value(value, "x.fill_(…)", self)
        return change(self, "x.fill_(…)", partial(OPS["setitem"], index=...), written)

    def zero_(self) -> Self:
        return change(self, "x.zero_()", partial(OPS["setitem"], index=...), np.asarray(0))

    def normal_(self, mean: Operand = 0, std: Operand = 1, *, generator: Any = None) -> Self:
        return COMPOSITES["normal_"](self, mean, std, generator=generator)

    def uniform_(self, low: Operand = 0, high: Operand = 1, *, generator: Any = None) -> Self:
        return COMPOSITES["uniform_"](self, low, high, generator=generator)

    def bernoulli_(self, p: Operand = 0.5, *, generator: Any = None) -> Self:
        return COMPOSITES["bernoulli_"](self, p, generator=generator)

    def exponential_(self, lambd: Operand = 1, *, generator: Any = None) -> Self:
        return COMPOSITES["exponential_"](self, lambd, generator=generator)

    def detach_(self) -> Self:
        leave_tape(self)
        return self
