"""Arithmetic of several tensors, element by element, by a mask, and as products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import KINDS, check_in_range
from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_array, show_shape
from ..ops import arithmetic, contraction, conversion, linalg
from ..ops.arguments.products import check_bmm
from ..options import OPERAND, checked, optional
from .arguments import Operand, documented_by
from .ordering import nonzero


@checked(input=OPERAND, other=OPERAND)
def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input + alpha · other."""
    return arithmetic.add(input, other if alpha == 1 else arithmetic.mul(other, alpha))


@checked(input=OPERAND, other=OPERAND)
def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """input - alpha · other."""
    return arithmetic.sub(input, other if alpha == 1 else arithmetic.mul(other, alpha))


@checked(input=optional(OPERAND), other=optional(OPERAND))
def where(condition: Operand, input: Operand | None = None, other: Operand | None = None) -> Any:
    """`input` where the condition holds, `other` elsewhere. Without these two, the places where it holds.

    Those as nonzero(condition, as_tuple=True) gives them.
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if isinstance(condition, Tensor) and input is not None and not is_any_tensor(input, other):
        input = Tensor(input)  # of two numbers, where(x > 0, 1.0, -1.0): an op on Tensors all the same
    return arithmetic.where(input, other, condition=condition)


def is_any_tensor(*values: Any) -> bool:
    """Whether one of these is a Tensor."""
    return any(isinstance(value, Tensor) for value in values)


@composite
@checked(input=OPERAND, min=optional(OPERAND), max=optional(OPERAND))
def clamp(input: Operand, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """`input`, but at least `min` and at most `max`: numbers or tensors, one of which may be None.

    max wins where min is larger. Raises ValueError where both are None.
    """
    if min is None and max is None:
        raise ValueError("clamp: pass min, max, or both")
    bounded = input if min is None else arithmetic.clamp_min(input, min)
    return bounded if max is None else arithmetic.clamp_max(bounded, max)


@composite
@checked(value=OPERAND)
def masked_fill(input: Operand, mask: Operand, value: Operand) -> Tensor:
    """`value`, a number or a tensor without dimensions, where the mask holds; `input` elsewhere.

    Input and mask broadcast. Raises ShapeError for a value with dimensions, DtypeError for a mask that is no
    bool, and a value that input cannot hold: OverflowError where it would be inf.
    """
    if getattr(value, "ndim", 0):
        wanted = "a number or a tensor without dimensions"
        raise ShapeError(f"masked_fill: value must be {wanted}, not {show_shape(value.shape)}")
    if mask.dtype != bool:
        raise DtypeError(f"masked_fill: mask must be bool, not {show_array(mask)}")
    dtype = np.dtype(getattr(value, "dtype", type(value)))
    if dtype.kind not in KINDS or KINDS[dtype.kind] > KINDS[input.dtype.kind]:
        raise DtypeError(f"masked_fill: input {show_array(input)} cannot hold the value {value!r}")
    if type(value) in (int, float) and input.dtype.kind == "f":
        check_in_range(value, input.dtype)
    return conversion.to(arithmetic.where(value, input, condition=mask), dtype=input.dtype)


@checked()
def bmm(input: Operand, mat2: Operand) -> Tensor:
    """A B for each matrix of a batch, [B, n, k] and [B, k, m] → [B, n, m].

    Raises ShapeError for any other shapes: `matmul` broadcasts, `bmm` does not.
    """
    check_bmm("bmm", input, mat2)
    return linalg.matmul(input, mat2)


@checked()
@documented_by(contraction.einsum)
def einsum(equation: str, *operands: Operand) -> Tensor:
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    return contraction.einsum(*tensors, equation=equation)
