"""Activations, and softmax. PyTorch's `inplace` is refused: it would change what a rule reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..engine.tensor import Tensor
from ..errors import MutationError
from ..ops import activations, functions, softmaxes
from .signatures import Operand, documented_by

__all__ = [
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softmax",
    "softplus",
]


@documented_by(functions.relu)
def relu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("relu", inplace)
    return functions.relu(input)


@documented_by(activations.leaky_relu)
def leaky_relu(input: Operand, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    refuse_inplace("leaky_relu", inplace)
    return activations.leaky_relu(input, negative_slope=negative_slope)


@documented_by(activations.prelu)
def prelu(input: Operand, weight: Operand) -> Tensor:
    return activations.prelu(input, weight)


@documented_by(activations.elu)
def elu(input: Operand, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    refuse_inplace("elu", inplace)
    return activations.elu(input, alpha=alpha)


@documented_by(activations.selu)
def selu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("selu", inplace)
    return activations.selu(input)


@documented_by(activations.gelu)
def gelu(input: Operand, approximate: str = "none") -> Tensor:
    return activations.gelu(input, approximate=approximate)


@documented_by(activations.silu)
def silu(input: Operand, inplace: bool = False) -> Tensor:
    refuse_inplace("silu", inplace)
    return activations.silu(input)


@documented_by(activations.softplus)
def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    return activations.softplus(input, beta=beta, threshold=threshold)


@documented_by(activations.logsigmoid)
def logsigmoid(input: Operand) -> Tensor:
    return activations.logsigmoid(input)


@documented_by(activations.hardtanh)
def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    refuse_inplace("hardtanh", inplace)
    return activations.hardtanh(input, min_val=min_val, max_val=max_val)


def relu6(input: Operand, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6): hardtanh from 0 to 6. Its gradient is 1 between them, 0 elsewhere."""
    refuse_inplace("relu6", inplace)
    return activations.hardtanh(input, min_val=0.0, max_val=6.0)


@documented_by(softmaxes.softmax)
def softmax(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.softmax(cast(input, dtype), dim=dim)


@documented_by(softmaxes.log_softmax)
def log_softmax(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    return softmaxes.log_softmax(cast(input, dtype), dim=dim)


def cast(input: Operand, dtype: DTypeLike | None) -> Operand:
    """The input in another dtype, where one is asked for."""
    return input if dtype is None else functions.to(input, dtype=np.dtype(dtype))


def refuse_inplace(op: str, inplace: bool) -> None:
    """Say what to write instead of inplace=True."""
    if inplace:
        raise MutationError(
            f"{op}: inplace=True would change the input behind the tape; leave it out, use the result"
        )
