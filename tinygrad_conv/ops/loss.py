"""Losses of single numbers: how far each prediction is from its target. Those of classes are in
classification.py.
"""

from __future__ import annotations

import math

import numpy as np

from ..dtypes import promote
from ..engine.declare import primitive
from ..errors import ShapeError, show_shape
from .activations import hardtanh, log_one_plus_exp, logsigmoid
from .arithmetic import clamp_min
from .functions import floating, log, sigmoid, sign, to
from .precision import wide


@primitive
def mse_loss(x, target, *, reduction="mean"):
    """(x - target)², as it is ('none'), summed ('sum') or averaged over all elements ('mean').

    Raises ShapeError unless x and target have the same shape: broadcasting them would average over pairs
    nobody meant.
    """
    difference, dtype = distance("mse_loss", x, target)
    return reduced("mse_loss", difference * difference, reduction, dtype)


@mse_loss.grad("x")
def mse_loss_dx(dy, x, target, reduction):
    """∂(x - t)²/∂x = 2 (x - t)."""
    share = averaged(dy, x.shape, reduction)
    return (share + share) * (
        x - target
    )  # nearly always `share` is one number, so that it is the cheaper one to double


@mse_loss.grad("target")
def mse_loss_dtarget(dy, x, target, reduction):
    """∂(x - t)²/∂t = -2 (x - t)."""
    share = averaged(dy, x.shape, reduction)
    return (share + share) * (target - x)


@primitive
def l1_loss(x, target, *, reduction="mean"):
    """|x - target|, as it is ('none'), summed ('sum') or averaged over all elements ('mean').

    Raises ShapeError unless x and target have the same shape.
    """
    difference, dtype = distance("l1_loss", x, target)
    return reduced("l1_loss", np.abs(difference), reduction, dtype)


@l1_loss.grad("x")
def l1_loss_dx(dy, x, target, reduction):
    """∂|x - t|/∂x = sign (x - t), 0 where they agree."""
    return averaged(dy, x.shape, reduction) * sign(x - target)


@l1_loss.grad("target")
def l1_loss_dtarget(dy, x, target, reduction):
    """∂|x - t|/∂t = -sign (x - t), 0 where they agree."""
    return averaged(dy, x.shape, reduction) * sign(target - x)


@primitive
def huber_loss(x, target, *, reduction="mean", delta=1.0):
    """½ d² up to δ, δ (d - ½ δ) beyond, for d = |x - target|: 'none', 'sum' or 'mean' of it (Huber 1964).

    Raises ShapeError unless x and target have the same shape, ValueError unless delta is positive.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, not {delta}")
    difference, dtype = distance("huber_loss", x, target)
    return reduced("huber_loss", parabola_then_line(difference, delta), reduction, dtype)


@huber_loss.grad("x")
def huber_loss_dx(dy, x, target, reduction, delta):
    """x - t, but no further from 0 than δ."""
    return averaged(dy, x.shape, reduction) * hardtanh(x - target, min_val=-delta, max_val=delta)


@huber_loss.grad("target")
def huber_loss_dtarget(dy, x, target, reduction, delta):
    """t - x, but no further from 0 than δ."""
    return averaged(dy, x.shape, reduction) * hardtanh(target - x, min_val=-delta, max_val=delta)


@primitive
def smooth_l1_loss(x, target, *, reduction="mean", beta=1.0):
    """½ d² / β up to β, d - ½ β beyond, for d = |x - target|: 'none', 'sum' or 'mean' of it. It is huber_loss
    / β.

    Raises ShapeError unless x and target have the same shape, ValueError unless beta is positive.
    """
    if not beta > 0:
        raise ValueError(f"smooth_l1_loss: beta must be positive (or 0 for l1_loss), not {beta}")
    difference, dtype = distance("smooth_l1_loss", x, target)
    values = parabola_then_line(difference, beta) / difference.dtype.type(beta)
    return reduced("smooth_l1_loss", values, reduction, dtype)


@smooth_l1_loss.grad("x")
def smooth_l1_loss_dx(dy, x, target, reduction, beta):
    """(x - t) / β, but no further from 0 than 1."""
    return averaged(dy, x.shape, reduction) * hardtanh((x - target) / beta)


@smooth_l1_loss.grad("target")
def smooth_l1_loss_dtarget(dy, x, target, reduction, beta):
    """(t - x) / β, but no further from 0 than 1."""
    return averaged(dy, x.shape, reduction) * hardtanh((target - x) / beta)


def parabola_then_line(difference, delta):
    """½ d² up to δ, δ (d - ½ δ) beyond: with c the smaller of d and δ, c (d - ½ c) is both."""
    size = np.abs(difference)
    shorter = np.minimum(size, size.dtype.type(delta))
    return shorter * (size - shorter * size.dtype.type(0.5))


@primitive
def binary_cross_entropy(x, target, *, weight=None, reduction="mean"):
    """-w (t ln x + (1 - t) ln(1 - x)): 'none', 'sum' or 'mean' of it; logarithms no lower than -100, as in
    PyTorch.

    x: probabilities, from 0 to 1. weight: broadcasts to the shape of x. Raises ShapeError unless x and target
    have the same shape, ValueError for an x outside of [0, 1]. From logits, binary_cross_entropy_with_logits
    is more accurate.
    """
    op = "binary_cross_entropy"
    chance, wanted, dtype = pair_of_floats(op, x, target)
    if x.size and not (chance.min() >= 0 and chance.max() <= 1):
        raise ValueError(
            f"{op}: input must be probabilities, 0 to 1; it goes from {chance.min()} to {chance.max()}"
        )
    lowest = chance.dtype.type(-100)
    with np.errstate(divide="ignore"):
        for_it, against = np.maximum(np.log(chance), lowest), np.maximum(np.log1p(-chance), lowest)
    values = (wanted - chance.dtype.type(1)) * against - wanted * for_it
    return reduced(op, weighted(op, "weight", weight, values), reduction, dtype)


@binary_cross_entropy.grad("x")
def binary_cross_entropy_dx(dy, x, target, weight, reduction):
    """w (x - t) / (x (1 - x)), the denominator no lower than 10⁻¹², as in PyTorch."""
    dy = weighted_gradient(averaged(dy, x.shape, reduction), weight)
    x = wide(x)
    return dy * ((x - target) / clamp_min(x * (1 - x), 1e-12))


@binary_cross_entropy.grad("target")
def binary_cross_entropy_dtarget(dy, x, weight, reduction):
    """w (ln(1 - x) - ln x), logarithms no lower than -100."""
    dy = weighted_gradient(averaged(dy, x.shape, reduction), weight)
    return dy * (clamp_min(log(1 - x), -100.0) - clamp_min(log(x), -100.0))


@primitive
def binary_cross_entropy_with_logits(x, target, *, weight=None, reduction="mean", pos_weight=None):
    """-w (p t ln σ(x) + (1 - t) ln(1 - σ(x))): 'none', 'sum' or 'mean' of it; p is pos_weight.

    Computed as w ((1 - t) x + (1 + (p - 1) t) ln(1 + e⁻ˣ)), which overflows nowhere. weight and pos_weight
    broadcast to the shape of x. Raises ShapeError unless x and target have the same shape.
    """
    op = "binary_cross_entropy_with_logits"
    logit, wanted, dtype = pair_of_floats(op, x, target)
    one = logit.dtype.type(1)
    share = one if pos_weight is None else one + weighted(op, "pos_weight", pos_weight, wanted) - wanted
    values = (one - wanted) * logit + share * log_one_plus_exp(-logit)
    return reduced(op, weighted(op, "weight", weight, values), reduction, dtype)


@binary_cross_entropy_with_logits.grad("x")
def binary_cross_entropy_with_logits_dx(dy, x, target, weight, reduction, pos_weight):
    """w (σ(x) - t), and with p = pos_weight w ((1 - t + p t) σ(x) - p t)."""
    dy = weighted_gradient(averaged(dy, x.shape, reduction), weight)
    if pos_weight is None:
        return dy * (sigmoid(x) - target)
    wanted = target * to(pos_weight, dtype=x.dtype)
    return dy * ((1 - target + wanted) * sigmoid(x) - wanted)


@binary_cross_entropy_with_logits.grad("target")
def binary_cross_entropy_with_logits_dtarget(dy, x, weight, reduction, pos_weight):
    """w (-x - (p - 1) ln σ(x))."""
    dy = weighted_gradient(averaged(dy, x.shape, reduction), weight)
    return dy * -x if pos_weight is None else dy * (-x - to(pos_weight - 1, dtype=x.dtype) * logsigmoid(x))


def distance(op, x, target):
    """x - target, checked, and the dtype of the loss."""
    prediction, wanted, dtype = pair_of_floats(op, x, target)
    return np.asarray(prediction - wanted), dtype


def pair_of_floats(op, x, target):
    """x and target, checked, in one dtype wide enough to compute in; and the dtype of the loss."""
    check_target(op, x, target)
    if x.dtype != target.dtype or x.dtype.kind != "f":
        x, target = map(floating, promote([x, target], [False, False]))
    return wide(x), wide(target), x.dtype


def check_target(op, x, target):
    """Refuse a target of another shape, with the reshape that mends it."""
    if x.shape == target.shape:
        return
    mend = f"; reshape one, e.g. target.reshape{x.shape}" if x.size == target.size else ""
    shapes = f"input {show_shape(x.shape)} and target {show_shape(target.shape)}"
    raise ShapeError(f"{op}: {shapes} must have the same shape{mend}")


def weighted(op, name, weight, values):
    """The values times a weight, where there is one: an array that broadcasts to their shape."""
    if weight is None:
        return values
    if not isinstance(weight, np.ndarray):
        raise TypeError(f"{op}: {name} must be a Tensor or an ndarray, not {type(weight).__name__}")
    try:
        return values * np.broadcast_to(weight.astype(values.dtype), values.shape)
    except ValueError:
        shapes = f"{show_shape(weight.shape)} does not broadcast to input {show_shape(values.shape)}"
        raise ShapeError(f"{op}: {name} {shapes}") from None


def weighted_gradient(dy, weight):
    """dY times the weight, where there is one."""
    return dy if weight is None else dy * to(weight, dtype=dy.dtype)


def reduced(op, values, reduction, dtype):
    """Losses of single elements as 'none', 'sum' or 'mean' of them, in the loss's dtype. The mean of nothing
    is NaN.
    """
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"{op}: reduction must be 'none', 'sum' or 'mean', not {reduction!r}")
    if reduction == "none":
        return np.asarray(values, dtype)
    total = np.add.reduce(values, axis=None)  # np.sum, without its detours
    if reduction == "mean":
        total = total / values.dtype.type(values.size) if values.size else np.nan
    return np.asarray(total, dtype)


def averaged(dy, shape, reduction):
    """The gradient that reaches each element's loss through the reduction."""
    if reduction != "mean":
        return dy
    dy = wide(dy)
    return dy / dy.dtype.type(max(math.prod(shape), 1))
