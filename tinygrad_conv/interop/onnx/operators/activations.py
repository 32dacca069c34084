"""Activations, and softmax."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from .... import functional as F
from ....engine.tensor import Tensor
from ..reading.node import Node
from .table import Function, operator, plain
from .values import axis_of

COERCED = 13
"""Before this opset a softmax took its input as a matrix, parted at the axis."""

plain("Relu", (6, 13, 14), F.relu)
plain("Sigmoid", (6, 13), F.sigmoid)
plain("Tanh", (6, 13), F.tanh)
plain("Softplus", (1, 22), F.softplus)
plain("Softsign", (1, 22), F.softsign)
plain("Mish", (18, 22), F.mish)
plain("HardSwish", (14, 22), F.hardswish)
plain("LeakyRelu", (6, 16), F.leaky_relu, negative_slope="alpha")
plain("Elu", (6, 22), F.elu, alpha="alpha")
plain("ThresholdedRelu", (10, 22), partial(F.threshold, value=0.0), threshold="alpha")


@operator("Celu", (12, 28))
def celu(node: Node) -> Function:
    alpha = node.get("alpha")
    if alpha == 0:
        node.refuse("alpha", alpha, "any other number")
    return partial(F.celu, alpha=alpha)


def scaled_elu(x: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """γ x where x > 0, γ α (eˣ - 1) elsewhere."""
    return F.elu(x, alpha) * gamma


plain("Selu", (6, 22), scaled_elu, alpha="alpha", gamma="gamma")


@operator("Gelu", (20,))
def gelu(node: Node) -> Function:
    return partial(F.gelu, approximate=node.word("approximate", ("none", "tanh"), "none"))


def clamped_line(x: Tensor, *, alpha: float, beta: float) -> Tensor:
    """α x + β, but at least 0 and at most 1."""
    return F.hardtanh(x * alpha + beta, 0.0, 1.0)


plain("HardSigmoid", (6, 22), clamped_line, alpha="alpha", beta="beta")


def self_gated(x: Tensor, *, alpha: float) -> Tensor:
    """x σ(α x)."""
    return F.silu(x) if alpha == 1 else x * F.sigmoid(x * alpha)


plain("Swish", (24,), self_gated, alpha="alpha")


def shrunk(x: Tensor, *, lambd: float, bias: float) -> Tensor:
    """x moved towards 0 by `bias` where |x| > lambd, and 0 elsewhere."""
    positive = F.where(x > lambd, x - bias, F.mul(x, 0))
    return F.where(x < -lambd, x + bias, positive)


plain("Shrink", (9,), shrunk, lambd="lambd", bias="bias")


def parametric_relu(x: Tensor, slope: Tensor) -> Tensor:
    """x where x > 0, the slope times x elsewhere. The slope broadcasts to x."""
    if is_per_channel(x, slope):
        return F.prelu(x, slope.reshape(-1))
    return F.relu(x) - slope * F.relu(-x)


def is_per_channel(x: Tensor, slope: Tensor) -> bool:
    """Whether a slope is a number for all channels of x [N, C, …], or for each of them."""
    single = slope.numel() == 1 and slope.ndim <= x.ndim
    return single or (x.ndim > 1 and tuple(slope.shape) == (x.shape[1], *(1,) * (x.ndim - 2)))


plain("PRelu", (7, 9, 16), parametric_relu)


def first_largest(x: Tensor, dim: int) -> Tensor:
    """1 at the first of the largest numbers along a dimension, 0 elsewhere."""
    places = F.argmax(x, dim=dim, keepdim=True)
    return F.scatter(F.mul(x.detach(), 0), dim, places, value=1.0)


def along_axis(node: Node, function: Any) -> Function:
    """A function along the axis of a node, or, as older opsets say, along all axes from there on."""
    coerced = node.version < COERCED
    return partial(as_a_matrix if coerced else along, function=function, axis=node.get("axis"))


def along(x: Tensor, *, function: Any, axis: int) -> Tensor:
    return function(x, axis)


def as_a_matrix(x: Tensor, *, function: Any, axis: int) -> Tensor:
    """The function along the rows of a matrix, whose rows are all that x has before the axis."""
    rows = math.prod(x.shape[: x.ndim if axis == x.ndim else axis_of(axis, x.ndim)])
    return function(x.reshape(rows, -1), 1).reshape(x.shape) if x.numel() else x


operator("Softmax", (1, 11, 13))(partial(along_axis, function=F.softmax))
operator("LogSoftmax", (1, 11, 13))(partial(along_axis, function=F.log_softmax))
operator("Hardmax", (1, 11, 13))(partial(along_axis, function=first_largest))
