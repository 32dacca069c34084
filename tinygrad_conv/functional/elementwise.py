"""Functions of one number, and of two, that are made of others."""

from __future__ import annotations

import math

import numpy as np

from ..engine.registry import composite
from ..engine.tensor import Tensor
from ..errors import DtypeError, show_array
from ..ops import arithmetic, comparisons, elementary, rounding
from ..ops.arguments.values import check_float
from ..options import OPERAND, checked, choice, optional
from .arguments import Operand, as_tensor, rounded_once

ROUNDING = choice("floor", "trunc", at_once=True)


@checked()
def square(input: Operand) -> Tensor:
    """x²; of bools in int64, as x ** 2."""
    return arithmetic.mul(input, input) if input.dtype != bool else arithmetic.pow(input, 2)


@checked()
def rsqrt(input: Operand) -> Tensor:
    """1 / √x."""
    return arithmetic.div(1.0, elementary.sqrt(input))


@checked()
def reciprocal(input: Operand) -> Tensor:
    """1 / x."""
    return arithmetic.div(1.0, input)


@checked()
def frac(input: Operand) -> Tensor:
    """x - trunc(x), what stands behind the point. Raises DtypeError for integers."""
    check_float("frac", input=input)
    return arithmetic.sub(input, rounding.trunc(input))


@checked(nan=optional(OPERAND), posinf=optional(OPERAND), neginf=optional(OPERAND))
def nan_to_num(
    input: Operand, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """x with numbers in the place of NaN, ∞ and -∞; of these by default the dtype's largest and smallest."""
    if input.dtype.kind != "f":
        return arithmetic.where(input, input, condition=True)
    limits = np.finfo(input.dtype)
    y = arithmetic.where(0.0 if nan is None else nan, input, condition=comparisons.isnan(input))
    most, least = (float(limits.max), float(limits.min))
    y = arithmetic.where(most if posinf is None else posinf, y, condition=comparisons.eq(input, math.inf))
    return arithmetic.where(
        least if neginf is None else neginf, y, condition=comparisons.eq(input, -math.inf)
    )


@composite
@checked(input=OPERAND, other=OPERAND, rounding_mode=optional(ROUNDING))
def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """a / b, true division: integers give floats of the default dtype.

    rounding_mode: 'floor' or 'trunc' rounds the quotient down or towards 0; that of integers is an integer.
    Raises ZeroDivisionError for integers that are rounded and divided by 0.
    """
    if rounding_mode is None:
        return arithmetic.div(input, other)
    return (rounding.floor_divide if rounding_mode == "floor" else rounding.trunc_divide)(input, other)


@checked(input=OPERAND, other=OPERAND)
def xlogy(input: Operand, other: Operand) -> Tensor:
    """x · log y, and 0 where x is 0, whatever log y is; NaN where y is NaN.

    The slope of x is log y, at 0 too; but where y has no finite one, it is 0 there.
    """
    common = arithmetic.where(other, as_tensor(input).detach(), condition=True)  # in the dtype of the product
    unlogged = comparisons.logical_or(comparisons.le(common, 0), comparisons.isinf(common))
    vanishes = comparisons.logical_and(comparisons.eq(input, 0), unlogged)
    return arithmetic.mul(input, elementary.log(arithmetic.where(1.0, common, condition=vanishes)))


@checked(input=OPERAND, end=OPERAND, weight=OPERAND)
@rounded_once
def lerp(input: Operand, end: Operand, weight: Operand) -> Tensor:
    """input + weight · (end - input): `input` for a weight of 0, `end` for 1. All three broadcast.

    From a weight of ½ on it is written as end - (1 - weight) · (end - input), which is exactly `end` for 1.
    """
    base: Operand
    if isinstance(weight, (int, float)):
        base, share = (input, weight) if abs(weight) < 0.5 else (end, weight - 1)
    else:
        is_near = as_tensor(weight).detach().abs() < 0.5
        base = arithmetic.where(input, end, condition=is_near)
        share = arithmetic.where(weight, as_tensor(weight) - 1, condition=is_near)
    return arithmetic.add(base, arithmetic.mul(share, arithmetic.sub(end, input)))


@checked(tensor1=OPERAND, tensor2=OPERAND, value=OPERAND)
@rounded_once
def addcmul(input: Operand, tensor1: Operand, tensor2: Operand, *, value: float = 1) -> Tensor:
    """input + value · tensor1 · tensor2, elementwise."""
    first = tensor1 if value == 1 else arithmetic.mul(tensor1, value)  # the product may overflow without it
    return arithmetic.add(input, arithmetic.mul(first, tensor2))


@checked(tensor1=OPERAND, tensor2=OPERAND, value=OPERAND)
def addcdiv(input: Operand, tensor1: Operand, tensor2: Operand, *, value: float = 1) -> Tensor:
    """input + value · tensor1 / tensor2, elementwise. Raises DtypeError for integers alone."""
    if all(operand.dtype.kind in "biu" for operand in (tensor1, tensor2)):
        raise DtypeError(f"addcdiv: integers have no true quotient here: {show_array(tensor1)}; use .float()")
    return with_quotient(input, tensor1, tensor2, value)


@rounded_once
def with_quotient(input: Operand, tensor1: Operand, tensor2: Operand, value: float) -> Tensor:
    """input + value · tensor1 / tensor2."""
    quotient = arithmetic.div(tensor1, tensor2)
    return arithmetic.add(input, quotient if value == 1 else arithmetic.mul(quotient, value))


@checked(other=OPERAND, rtol=OPERAND, atol=OPERAND)
def allclose(
    input: Operand, other: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all |a - b| ≤ atol + rtol |b|. equal_nan: whether NaN is close to NaN."""
    close = comparisons.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return bool(np.all(np.asarray(close)))


@checked(other=OPERAND._replace(at_once=True))
def equal(input: Operand, other: Operand) -> bool:
    """Whether two tensors have the same shape and the same numbers; NaN is equal to nothing."""
    return np.shape(input) == np.shape(other) and bool(np.all(np.asarray(comparisons.eq(input, other))))


@checked()
def is_floating_point(input: Operand) -> bool:
    """Whether its dtype is float16, float32 or float64."""
    return bool(input.dtype.kind == "f")


@checked()
def numel(input: Operand) -> int:
    """How many elements it has."""
    return math.prod(input.shape)
