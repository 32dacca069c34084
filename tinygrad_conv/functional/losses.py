"""Losses. PyTorch's deprecated `size_average` and `reduce` are left out, so what came after them is given by
name.
"""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import classification, labels, loss
from .signatures import Operand, documented_by

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "smooth_l1_loss",
]


@documented_by(loss.mse_loss)
def mse_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Tensor:
    return loss.mse_loss(input, target, reduction=reduction)


@documented_by(loss.l1_loss)
def l1_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Tensor:
    return loss.l1_loss(input, target, reduction=reduction)


@documented_by(loss.smooth_l1_loss)
def smooth_l1_loss(input: Operand, target: Operand, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    if beta == 0:
        return loss.l1_loss(input, target, reduction=reduction)
    return loss.smooth_l1_loss(input, target, reduction=reduction, beta=beta)


@documented_by(loss.huber_loss)
def huber_loss(input: Operand, target: Operand, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    return loss.huber_loss(input, target, reduction=reduction, delta=delta)


@documented_by(loss.binary_cross_entropy)
def binary_cross_entropy(
    input: Operand, target: Operand, weight: Operand | None = None, *, reduction: str = "mean"
) -> Tensor:
    return loss.binary_cross_entropy(input, target, weight=weight, reduction=reduction)


@documented_by(loss.binary_cross_entropy_with_logits)
def binary_cross_entropy_with_logits(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Operand | None = None,
) -> Tensor:
    return loss.binary_cross_entropy_with_logits(
        input, target, weight=weight, reduction=reduction, pos_weight=pos_weight
    )


@documented_by(classification.nll_loss)
def nll_loss(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    return classification.nll_loss(
        input, target, weight=weight, ignore_index=ignore_index, reduction=reduction
    )


@documented_by(classification.cross_entropy)
def cross_entropy(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    return classification.cross_entropy(
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


@documented_by(labels.one_hot)
def one_hot(input: Operand, num_classes: int = -1) -> Tensor:
    return labels.one_hot(input, num_classes=num_classes)
