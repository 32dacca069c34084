"""Activations that are made of others; those that are ops of their own are in activations.py.

A branch that does not count gets numbers for which its gradient is finite: 0 times ∞ would be NaN.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..dtypes import check_in_range
from ..engine.operators import in_dtype
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import activations, arithmetic, elementary, masking, softmaxes
from ..ops.arguments.dims import one_dim
from ..ops.arguments.values import check_float
from ..options import INTEGER, checked, optional
from .activations import implied_dim
from .arguments import Operand, in_place, rounded_once


@checked()
def hardsigmoid(input: Operand, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6, in place of the sigmoid. Raises DtypeError for integers."""
    if inplace:
        return in_place(hardsigmoid, inplace, input)
    check_float("hardsigmoid", input=input)
    return share_of_six(input)


@rounded_once
def share_of_six(x: Operand) -> Tensor:
    """min(max(x + 3, 0), 6) / 6; float16 would round x + 3 up to 6, and lose the slope."""
    return arithmetic.div(activations.hardtanh(x + 3, min_val=0.0, max_val=6.0), 6)


@checked()
def celu(input: Operand, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, α (e^(x/α) - 1) elsewhere (Barron 2017).

    Raises DtypeError for integers, ZeroDivisionError for an alpha of 0.
    """
    if inplace:
        return in_place(celu, inplace, input, alpha)
    check_float("celu", input=input)
    if alpha == 0:
        raise ZeroDivisionError("celu: alpha must not be 0")
    return scaled_elu(input, alpha)


@rounded_once
def scaled_elu(x: Operand, alpha: float) -> Tensor:
    """α elu(x / α), and x itself above 0. For a negative α x / α is above 0 below, where elu is no curve."""
    above = x > 0
    if alpha > 0:
        curve = activations.elu(x / alpha)
    else:
        curve = elementary.expm1(masking.masked(x, mask=~above) / alpha)
    return arithmetic.where(x, curve * alpha, condition=above)


@checked()
def tanhshrink(input: Operand) -> Tensor:
    """x - tanh x."""
    return arithmetic.sub(input, elementary.tanh(input))


@checked()
def hardshrink(input: Operand, lambd: float = 0.5) -> Tensor:
    """x, but 0 where |x| ≤ lambd. Raises DtypeError for integers."""
    check_float("hardshrink", input=input)
    return arithmetic.where(0.0, input, condition=(input >= -lambd) & (input <= lambd))


@checked()
def softshrink(input: Operand, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, and 0 where |x| ≤ lambd.

    Raises DtypeError for integers, ValueError for a negative lambd.
    """
    check_float("softshrink", input=input)
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd must be at least 0, not {lambd}")
    moved = arithmetic.where(input - lambd, input + lambd, condition=input > 0)
    return arithmetic.where(0.0, moved, condition=(input >= -lambd) & (input <= lambd))


@checked()
def threshold(input: Operand, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, `value` elsewhere, which its dtype must hold."""
    if inplace:
        return in_place(_threshold, inplace, input, threshold, value)
    if input.dtype.kind == "f" and type(value) in (int, float):
        check_in_range(value, input.dtype)
    return arithmetic.where(value, input, condition=input <= threshold)


_threshold = threshold  # whose own argument has its name


@checked(dim=INTEGER)
def glu(input: Operand, dim: int = -1) -> Tensor:
    """a σ(b), where a and b are the halves of `input` along `dim` (Dauphin et al. 2017).

    Raises ShapeError where it has no halves, DtypeError for integers.
    """
    check_float("glu", input=input)
    place = one_dim("glu", dim, input.ndim)
    if not input.ndim or input.shape[place] % 2:
        given = f"not {show_shape(input.shape)} in dim={dim}"
        raise ShapeError(f"glu: the size that is halved must be even, {given}")
    half, before = input.shape[place] // 2, (slice(None),) * place
    gate = elementary.sigmoid(input[before + (slice(half, None),)])
    return arithmetic.mul(input[before + (slice(0, half),)], gate)


@checked(dim=optional(INTEGER))
def softmin(input: Operand, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """e⁻ˣ / Σ e⁻ˣ along `dim`: softmax of -x. Raises DtypeError for integers."""
    check_float("softmin", input=in_dtype(input, dtype))
    return softmaxes.softmax(-in_dtype(input, dtype), dim=implied_dim("softmin", dim, input))
