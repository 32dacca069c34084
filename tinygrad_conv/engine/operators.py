"""Tensor's operators, and its methods that work element by element. Names and arguments are PyTorch's.

Each finds its op in the registry; what it computes, and what is raised, stands in the op's docstring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import DTypeLike

from ..spellings import spelled_methods
from .function_methods import FunctionMethods, InPlaceFunctionMethods
from .in_place_methods import InPlace, scaled
from .registry import COMPOSITES, OPS

if TYPE_CHECKING:
    from typing_extensions import Self

Operand = Any  # a Tensor, an ndarray or a scalar


def in_dtype(tensor: Any, dtype: DTypeLike | None) -> Any:
    """A tensor in the dtype that a function is asked for, if any: what it computes with, or its result."""
    return tensor if dtype is None or tensor.dtype == dtype else OPS["to"](tensor, dtype=dtype)


@spelled_methods
class Operators(FunctionMethods, InPlaceFunctionMethods, InPlace):
    """Arithmetic, comparisons, and functions of one number."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Self:
        return OPS["add"](self, other)

    def __radd__(self, other: Operand) -> Self:
        return OPS["add"](other, self)

    def __sub__(self, other: Operand) -> Self:
        return OPS["sub"](self, other)

    def __rsub__(self, other: Operand) -> Self:
        return OPS["sub"](other, self)

    def __mul__(self, other: Operand) -> Self:
        return OPS["mul"](self, other)

    def __rmul__(self, other: Operand) -> Self:
        return OPS["mul"](other, self)

    def __truediv__(self, other: Operand) -> Self:
        return OPS["div"](self, other)

    def __rtruediv__(self, other: Operand) -> Self:
        return OPS["div"](other, self)

    def __floordiv__(self, other: Operand) -> Self:
        return OPS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Operand) -> Self:
        return OPS["floor_divide"](other, self)

    def __mod__(self, other: Operand) -> Self:
        return OPS["remainder"](self, other)

    def __rmod__(self, other: Operand) -> Self:
        return OPS["remainder"](other, self)

    def __pow__(self, other: Operand) -> Self:
        return OPS["pow"](self, other)

    def __rpow__(self, other: Operand) -> Self:
        return OPS["pow"](other, self)

    def __matmul__(self, other: Operand) -> Self:
        return OPS["matmul"](self, other)

    def __rmatmul__(self, other: Operand) -> Self:
        return OPS["matmul"](other, self)

    def __neg__(self) -> Self:
        return OPS["neg"](self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return OPS["abs"](self)

    def __eq__(self, other: Operand) -> Self:  # type: ignore[override]
        return OPS["eq"](self, other)

    def __ne__(self, other: Operand) -> Self:  # type: ignore[override]
        return OPS["ne"](self, other)

    def __lt__(self, other: Operand) -> Self:
        return OPS["lt"](self, other)

    def __le__(self, other: Operand) -> Self:
        return OPS["le"](self, other)

    def __gt__(self, other: Operand) -> Self:
        return OPS["gt"](self, other)

    def __ge__(self, other: Operand) -> Self:
        return OPS["ge"](self, other)

    def __and__(self, other: Operand) -> Self:
        return OPS["bitwise_and"](self, other)

    def __rand__(self, other: Operand) -> Self:
        return OPS["bitwise_and"](other, self)

    def __or__(self, other: Operand) -> Self:
        return OPS["bitwise_or"](self, other)

    def __ror__(self, other: Operand) -> Self:
        return OPS["bitwise_or"](other, self)

    def __xor__(self, other: Operand) -> Self:
        return OPS["bitwise_xor"](self, other)

    def __rxor__(self, other: Operand) -> Self:
        return OPS["bitwise_xor"](other, self)

    def __lshift__(self, other: Operand) -> Self:
        return OPS["bitwise_left_shift"](self, other)

    def __rlshift__(self, other: Operand) -> Self:
        return OPS["bitwise_left_shift"](other, self)

    def __rshift__(self, other: Operand) -> Self:
        return OPS["bitwise_right_shift"](self, other)

    def __rrshift__(self, other: Operand) -> Self:
        return OPS["bitwise_right_shift"](other, self)

    def __invert__(self) -> Self:
        return OPS["bitwise_not"](self)

    def eq(self, other: Operand) -> Self:
        return OPS["eq"](self, other)

    def ne(self, other: Operand) -> Self:
        return OPS["ne"](self, other)

    def lt(self, other: Operand) -> Self:
        return OPS["lt"](self, other)

    def le(self, other: Operand) -> Self:
        return OPS["le"](self, other)

    def gt(self, other: Operand) -> Self:
        return OPS["gt"](self, other)

    def ge(self, other: Operand) -> Self:
        return OPS["ge"](self, other)

    def add(self, other: Operand, *, alpha: Operand = 1) -> Self:
        return OPS["add"](self, scaled(other, alpha))

    def sub(self, other: Operand, *, alpha: Operand = 1) -> Self:
        return OPS["sub"](self, scaled(other, alpha))

    def mul(self, other: Operand) -> Self:
        return OPS["mul"](self, other)

    def div(self, other: Operand, *, rounding_mode: str | None = None) -> Self:
        if rounding_mode is not None:
            return COMPOSITES["div"](self, other, rounding_mode=rounding_mode)
        return OPS["div"](self, other)

    def neg(self) -> Self:
        return OPS["neg"](self)

    def matmul(self, other: Operand) -> Self:
        return OPS["matmul"](self, other)

    def maximum(self, other: Operand) -> Self:
        return OPS["maximum"](self, other)

    def minimum(self, other: Operand) -> Self:
        return OPS["minimum"](self, other)

    def clamp_min(self, min: Operand) -> Self:
        return OPS["clamp_min"](self, min)

    def clamp_max(self, max: Operand) -> Self:
        return OPS["clamp_max"](self, max)

    def pow(self, exponent: Operand) -> Self:
        return OPS["pow"](self, exponent)

    def exp(self) -> Self:
        return OPS["exp"](self)

    def log(self) -> Self:
        return OPS["log"](self)

    def sqrt(self) -> Self:
        return OPS["sqrt"](self)

    def abs(self) -> Self:
        return OPS["abs"](self)

    def sign(self) -> Self:
        return OPS["sign"](self)

    def sin(self) -> Self:
        return OPS["sin"](self)

    def cos(self) -> Self:
        return OPS["cos"](self)

    def tanh(self) -> Self:
        return OPS["tanh"](self)

    def sigmoid(self) -> Self:
        return OPS["sigmoid"](self)

    def relu(self) -> Self:
        return OPS["relu"](self)

    def softmax(self, dim: int, *, dtype: DTypeLike | None = None) -> Self:
        return OPS["softmax"](in_dtype(self, dtype), dim=dim)

    def log_softmax(self, dim: int, *, dtype: DTypeLike | None = None) -> Self:
        return OPS["log_softmax"](in_dtype(self, dtype), dim=dim)

    def clamp(self, min: Operand = None, max: Operand = None) -> Self:
        return COMPOSITES["clamp"](self, min, max)

    def masked_fill(self, mask: Operand, value: Operand) -> Self:
        return COMPOSITES["masked_fill"](self, mask, value)
