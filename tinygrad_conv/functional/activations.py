"""Activations, and softmax.

With inplace=True, and in the functions with an underscore at the end, the input becomes what is returned.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..engine.location import warn_user
from ..engine.operators import in_dtype
from ..engine.tensor import Tensor
from ..ops import activations, softmaxes
from ..options import checked
from ..spellings import spelled
from .arguments import Operand, documented_by, in_place


@spelled
@documented_by(activations.relu)
def relu(input: Operand, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(relu, inplace, input)
    return activations.relu(input)


@spelled
@documented_by(activations.leaky_relu)
def leaky_relu(input: Operand, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(leaky_relu, inplace, input, negative_slope)
    return activations.leaky_relu(input, negative_slope=negative_slope)


@spelled
@documented_by(activations.elu)
def elu(input: Operand, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(elu, inplace, input, alpha)
    return activations.elu(input, alpha=alpha)


@spelled
@documented_by(activations.selu)
def selu(input: Operand, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(selu, inplace, input)
    return activations.selu(input)


@spelled
@documented_by(activations.silu)
def silu(input: Operand, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(silu, inplace, input)
    return activations.silu(input)


@spelled
@documented_by(activations.hardswish)
def hardswish(input: Operand, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(hardswish, inplace, input)
    return activations.hardswish(input)


@spelled
@documented_by(activations.mish)
def mish(input: Operand, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(mish, inplace, input)
    return activations.mish(input)


@spelled
@documented_by(activations.hardtanh)
def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    if inplace is not False:
        return in_place(hardtanh, inplace, input, min_val, max_val)
    return activations.hardtanh(input, min_val=min_val, max_val=max_val)


@spelled
def relu6(input: Operand, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6): hardtanh from 0 to 6. Its gradient is 1 between them, 0 elsewhere."""
    if inplace is not False:
        return in_place(relu6, inplace, input)
    return activations.hardtanh(input, min_val=0.0, max_val=6.0)


@spelled
def relu_(input: Operand) -> Tensor:
    """As relu, in place."""
    return relu(input, inplace=True)


@spelled
def leaky_relu_(input: Operand, negative_slope: float = 0.01) -> Tensor:
    """As leaky_relu, in place."""
    return leaky_relu(input, negative_slope, inplace=True)


@spelled
def elu_(input: Operand, alpha: float = 1.0) -> Tensor:
    """As elu, in place."""
    return elu(input, alpha, inplace=True)


@spelled
def selu_(input: Operand) -> Tensor:
    """As selu, in place."""
    return selu(input, inplace=True)


@spelled
def hardtanh_(input: Operand, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """As hardtanh, in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


@checked()
@documented_by(softmaxes.softmax)
def softmax(input: Operand, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.softmax(in_dtype(input, dtype), dim=implied_dim("softmax", dim, input))


@checked()
@documented_by(softmaxes.log_softmax)
def log_softmax(input: Operand, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.log_softmax(in_dtype(input, dtype), dim=implied_dim("log_softmax", dim, input))


def implied_dim(function: str, dim: int | None, input: Operand) -> int:
    """The dim that is given, or the one that PyTorch takes: 1, but 0 for 0, 1 and 3 dimensions."""
    if dim is not None:
        return dim
    ndim = input.ndim
    implied = 0 if ndim in (0, 1, 3) else 1
    warn_user(
        f"{function}: without dim it runs along dim {implied} of {ndim}; write dim={implied}, "
        "or the one that is meant"
    )
    return implied
