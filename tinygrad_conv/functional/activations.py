"""Activations, and softmax. PyTorch's `inplace` is refused: it would change what a rule reads."""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..engine.tensor import Tensor
from ..ops import activations, functions, softmaxes
from ..options import checked
from .arguments import Operand, cast, documented_by, refuse_inplace


@documented_by(functions.relu)
def relu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("relu", inplace)
    return functions.relu(input)


@documented_by(activations.leaky_relu)
def leaky_relu(input: Operand, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    refuse_inplace("leaky_relu", inplace)
    return activations.leaky_relu(input, negative_slope=negative_slope)


@documented_by(activations.elu)
def elu(input: Operand, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    refuse_inplace("elu", inplace)
    return activations.elu(input, alpha=alpha)


@documented_by(activations.selu)
def selu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("selu", inplace)
    return activations.selu(input)


@documented_by(activations.silu)
def silu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("silu", inplace)
    return activations.silu(input)


@documented_by(activations.hardtanh)
def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    refuse_inplace("hardtanh", inplace)
    return activations.hardtanh(input, min_val=min_val, max_val=max_val)


def relu6(input: Operand, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6): hardtanh from 0 to 6. Its gradient is 1 between them, 0 elsewhere."""
    refuse_inplace("relu6", inplace)
    return activations.hardtanh(input, min_val=0.0, max_val=6.0)


@checked()
@documented_by(softmaxes.softmax)
def softmax(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.softmax(cast(input, dtype), dim=dim)


@checked()
@documented_by(softmaxes.log_softmax)
def log_softmax(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.log_softmax(cast(input, dtype), dim=dim)
