"""Normalisations, and dropout."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .... import functional as F
from ....engine.modes import no_grad
from ....engine.tensor import Tensor
from ....errors import OnnxError, ShapeError, show_shape
from ..reading.node import Node
from .table import Function, operator, plain
from .values import axes_of, axis_of, scalar, tensor_of

LONG_TRAINING = 14
"""From this opset on a batch norm says by an attribute whether it trains, before by its outputs."""


def eps_of(node: Node) -> float:
    """What is added to a variance, so that nothing is divided by 0."""
    eps = node.get("epsilon")
    if not 0 <= eps < math.inf:
        node.refuse("epsilon", eps, "finite numbers from 0")
    return float(eps)


@operator("BatchNormalization", (7, 9, 14, 15), statistics={3: 1, 4: 2}, trains=True)
def batch_normalization(node: Node) -> Function:
    """Each channel normalised by the running statistics, or, where the node trains, by those of its batch."""
    if not node.flag("spatial", True):
        node.refuse("spatial", 0, "1")
    written_for_training = node.flag("training_mode")
    if node.version < LONG_TRAINING and any(node.outputs[1:]):
        raise OnnxError(f"{node}: it trains as opsets before 14 write it; export it with opset 14 or later")
    if not written_for_training and any(node.outputs[1:]):
        raise OnnxError(f"{node}: it has statistics among its outputs, and training_mode is 0")
    function = training_batch_norm if written_for_training else resting_batch_norm
    return partial(function, eps=eps_of(node), kept=node.get("momentum"))


def resting_batch_norm(
    x: Tensor, scale: Tensor, b: Tensor, mean: Tensor, var: Tensor, *, eps: float, kept: float, training: bool
) -> Tensor:
    return F.batch_norm(x, not_learned(mean), not_learned(var), scale, b, False, eps=eps)


def not_learned(statistic: Tensor) -> Tensor:
    """A statistic as it is: exporters keep equal tensors once, and so it may be a parameter elsewhere."""
    return statistic.detach() if statistic.requires_grad else statistic


def training_batch_norm(
    x: Tensor, scale: Tensor, b: Tensor, mean: Tensor, var: Tensor, *, eps: float, kept: float, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """y, and what the running statistics become. They keep the share `kept`, and take the rest from the
    batch, whose variance is the biased one, unlike in PyTorch.
    """
    if not training:
        resting = resting_batch_norm(x, scale, b, mean, var, eps=eps, kept=kept, training=training)
        return resting, mean, var
    if mean.shape != scale.shape or var.shape != scale.shape:
        given = f"{show_shape(mean.shape)} and {show_shape(var.shape)}"
        raise ShapeError(f"mean and var are {given}, but scale is {show_shape(scale.shape)}")
    y = F.batch_norm(x, None, None, scale, b, True, eps=eps)
    with no_grad():
        variance, average = F.var_mean(x, (0, *range(2, x.ndim)), correction=0)
        return y, mean * kept + average * (1 - kept), var * kept + variance * (1 - kept)


@operator("InstanceNormalization", (6, 22))
def instance_normalization(node: Node) -> Function:
    return partial(instance_normalized, eps=eps_of(node))


def instance_normalized(x: Tensor, scale: Tensor, b: Tensor, *, eps: float) -> Tensor:
    return F.instance_norm(x, None, None, scale, b, eps=eps)


@operator("GroupNormalization", (18, 21))
def group_normalization(node: Node) -> Function:
    """Groups of channels normalised, with a scale and a bias for each channel, at first for each group."""
    groups = node.get("num_groups")
    if groups < 1:
        node.refuse("num_groups", groups, "integers of at least 1")
    return partial(group_normalized, groups=groups, eps=eps_of(node), by_group=node.version < 21)


def group_normalized(
    x: Tensor, scale: Tensor, b: Tensor, *, groups: int, eps: float, by_group: bool
) -> Tensor:
    if by_group:
        times = x.shape[1] // groups
        scale, b = F.repeat_interleave(scale, times), F.repeat_interleave(b, times)
    return F.group_norm(x, groups, scale, b, eps)


@operator("LayerNormalization", (17,))
def layer_normalization(node: Node) -> Function:
    """Everything from an axis on normalised; with its mean and 1 / deviation where they are asked for."""
    return partial(
        layer_normalized, axis=node.get("axis"), eps=eps_of(node), statistics=node.makes(1) or node.makes(2)
    )


def layer_normalized(
    x: Tensor, scale: Tensor, b: Tensor | None = None, *, axis: int, eps: float, statistics: bool
) -> Any:
    axes = tuple(range(axis_of(axis, x.ndim), x.ndim))
    y = F.layer_norm(x, x.shape[axes[0] :], None, None, eps) * scale
    y = y if b is None else y + b
    if not statistics:
        return y
    variance, mean = F.var_mean(x, axes, keepdim=True, correction=0)
    return y, mean, F.rsqrt(variance + eps)


@operator("RMSNormalization", (23,))
def rms_normalization(node: Node) -> Function:
    """Everything from an axis on, divided by the root of its mean square, times a scale."""
    return partial(rms_normalized, axis=node.get("axis"), eps=eps_of(node))


def rms_normalized(x: Tensor, scale: Tensor, *, axis: int, eps: float) -> Tensor:
    axes = tuple(range(axis_of(axis, x.ndim), x.ndim))
    return x * F.rsqrt(F.mean(x * x, axes, keepdim=True) + eps) * scale


@operator("LRN", (1, 13))
def lrn(node: Node) -> Function:
    """x / (bias + α mean(x²))^β, the mean over neighbouring channels."""
    size = node.get("size")
    if size < 1 or size % 2 == 0:
        node.refuse("size", size, "odd integers: of an even one ONNX has the middle elsewhere than PyTorch")
    return partial(
        F.local_response_norm, size=size, alpha=node.get("alpha"), beta=node.get("beta"), k=node.get("bias")
    )


@operator("LpNormalization", (1, 22))
def lp_normalization(node: Node) -> Function:
    """x divided by its norm along an axis; by 1 where that is 0."""
    p = node.get("p")
    if p not in (1, 2):
        node.refuse("p", p, "1 and 2")
    return partial(lp_normalized, axis=node.get("axis"), p=p)


def lp_normalized(x: Tensor, *, axis: int, p: int) -> Tensor:
    norms = F.norm(x, p, axis, keepdim=True)
    return x / F.where(norms == 0, F.mul(norms, 0) + 1, norms)


def standardized(x: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    """(x - mean) / deviation over axes, with 1e-9 beside the deviation, as ONNX defines it."""
    variance, mean = F.var_mean(x, axes_of(axes, x.ndim), keepdim=True, correction=0)
    return (x - mean) / (F.sqrt(variance) + 1e-9)


plain("MeanVarianceNormalization", (9, 13), standardized, axes="axes")


@operator("Dropout", (7, 10, 12, 13, 22), constants=(1, 2), trains=True)
def dropout(node: Node) -> Function:
    """Dropout in training mode; before opset 12 in all of it, since then where the node says so."""
    if node.version < 12:
        ratio = node.get("ratio")
        if not 0 <= ratio < 1:
            node.refuse("ratio", ratio, "from 0 to less than 1")
        return partial(always_dropped, p=ratio, mask=node.makes(1))
    return partial(dropped, mask=node.makes(1))


def always_dropped(x: Tensor, *, p: float, mask: bool, training: bool) -> Any:
    return dropped_with_mask(x, p, training) if mask else F.dropout(x, p, training)


def dropped(
    x: Tensor, ratio: Tensor | None = None, training_mode: Tensor | None = None, *, mask: bool, training: bool
) -> Any:
    p = 0.5 if ratio is None else scalar("ratio", ratio)
    active = training and training_mode is not None and bool(scalar("training_mode", training_mode))
    return always_dropped(x, p=p, mask=mask, training=active)


def dropped_with_mask(x: Tensor, p: float, training: bool) -> tuple[Tensor, Tensor]:
    """x after dropout, and where it was kept."""
    factors = F.dropout(tensor_of(np.ones(x.shape), x.dtype), p, training)
    return x * factors, tensor_of(factors.data != 0)
