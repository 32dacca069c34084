"""Losses: how far a prediction is from its target."""

from __future__ import annotations

import numpy as np

from ..engine.op import primitive
from ..errors import ShapeError, show_shape
from .elementwise import floating


@primitive
def mse_loss(x, target, *, reduction="mean"):
    """(x - target)², as it is ('none'), summed ('sum') or averaged over all elements ('mean').

    Raises ShapeError unless x and target have the same shape: broadcasting them would average over pairs nobody meant.
    """
    check_target("mse_loss", x, target)
    difference = floating(x) - target
    return reduced("mse_loss", difference * difference, reduction)


@mse_loss.grad("x")
def mse_loss_dx(dy, x, target, reduction):
    """∂(x - t)²/∂x = 2 (x - t)."""
    return averaged(dy, x.shape, reduction) * (2 * (x - target))


@mse_loss.grad("target")
def mse_loss_dtarget(dy, x, target, reduction):
    """∂(x - t)²/∂t = -2 (x - t)."""
    return averaged(dy, x.shape, reduction) * (2 * (target - x))


def check_target(op, x, target):
    """Refuse a target of another shape, with the reshape that mends it."""
    if x.shape == target.shape:
        return
    mend = f"; reshape one, e.g. target.reshape{x.shape}" if x.size == target.size else ""
    raise ShapeError(f"{op}: input {show_shape(x.shape)} and target {show_shape(target.shape)} must have the same shape{mend}")


def reduced(op, values, reduction):
    """Losses of single elements as 'none', 'sum' or 'mean' of them."""
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"{op}: reduction must be 'none', 'sum' or 'mean', not {reduction!r}")
    return values if reduction == "none" else np.sum(values) if reduction == "sum" else np.mean(values)


def averaged(dy, shape, reduction):
    """The gradient that reaches each element's loss through the reduction."""
    return dy / max(int(np.prod(shape)), 1) if reduction == "mean" else dy
