"""Losses of single numbers: how far each is from its target. Those of classes are in classification.py."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..dtypes import promote
from ..engine.declare import primitive
from .activations import hardtanh, log_one_plus_exp, logsigmoid
from .arguments.losses import (
    check_beta,
    check_delta,
    check_element_weight,
    check_probabilities,
    check_reduction,
    check_target,
)
from .arithmetic import clamp_min
from .conversion import floating, to, wide
from .elementary import log, sigmoid, sign


@primitive(names=("input",))
def mse_loss(x, target, *, reduction="mean"):
    """(x - target)², as it is ('none'), summed ('sum') or averaged over all elements ('mean').

    Raises ShapeError unless x and target have the same shape: broadcasting them would average over pairs
    nobody meant.
    """
    check_target("mse_loss", x, target)
    check_reduction("mse_loss", reduction)
    difference, dtype = distance(x, target)
    if reduction == "none":
        return np.asarray(difference * difference, dtype)
    return of_total(kernels.sum_of_squares(difference), difference.size, reduction, dtype)


@mse_loss.grad("x")
def mse_loss_dx(dy, x, target, reduction):
    """∂(x - t)²/∂x = 2 (x - t)."""
    share = share_of_elements(dy, x.shape, reduction)
    return (share + share) * (x - target)  # `share`, nearly always one number, is the cheaper to double


@mse_loss.grad("target")
def mse_loss_dtarget(dy, x, target, reduction):
    """∂(x - t)²/∂t = -2 (x - t)."""
    share = share_of_elements(dy, x.shape, reduction)
    return (share + share) * (target - x)


@primitive(names=("input",))
def l1_loss(x, target, *, reduction="mean"):
    """|x - target|, as it is ('none'), summed ('sum') or averaged over all elements ('mean').

    Raises ShapeError unless x and target have the same shape.
    """
    check_target("l1_loss", x, target)
    check_reduction("l1_loss", reduction)
    difference, dtype = distance(x, target)
    return reduced(np.abs(difference), reduction, dtype)


@l1_loss.grad("x")
def l1_loss_dx(dy, x, target, reduction):
    """∂|x - t|/∂x = sign (x - t), 0 where they agree."""
    return share_of_elements(dy, x.shape, reduction) * sign(x - target)


@l1_loss.grad("target")
def l1_loss_dtarget(dy, x, target, reduction):
    """∂|x - t|/∂t = -sign (x - t), 0 where they agree."""
    return share_of_elements(dy, x.shape, reduction) * sign(target - x)


@primitive(names=("input",))
def huber_loss(x, target, *, reduction="mean", delta=1.0):
    """½ d² up to δ, δ (d - ½ δ) beyond, for d = |x - target|: 'none', 'sum' or 'mean' of it (Huber 1964).

    Raises ShapeError unless x and target have the same shape, ValueError unless delta is positive.
    """
    check_delta("huber_loss", delta)
    check_target("huber_loss", x, target)
    check_reduction("huber_loss", reduction)
    difference, dtype = distance(x, target)
    return reduced(parabola_then_line(difference, delta), reduction, dtype)


@huber_loss.grad("x")
def huber_loss_dx(dy, x, target, reduction, delta):
    """x - t, but no further from 0 than δ."""
    return share_of_elements(dy, x.shape, reduction) * hardtanh(x - target, min_val=-delta, max_val=delta)


@huber_loss.grad("target")
def huber_loss_dtarget(dy, x, target, reduction, delta):
    """t - x, but no further from 0 than δ."""
    return share_of_elements(dy, x.shape, reduction) * hardtanh(target - x, min_val=-delta, max_val=delta)


@primitive(names=("input",))
def smooth_l1_loss(x, target, *, reduction="mean", beta=1.0):
    """½ d² / β up to β, d - ½ β beyond, for d = |x - target|: 'none', 'sum' or 'mean' of it.

    It is huber_loss / β, and for β = 0 l1_loss. Raises ShapeError unless x and target have the same shape,
    ValueError for a negative beta.
    """
    check_beta("smooth_l1_loss", beta)
    check_target("smooth_l1_loss", x, target)
    check_reduction("smooth_l1_loss", reduction)
    difference, dtype = distance(x, target)
    if beta == 0:
        return reduced(np.abs(difference), reduction, dtype)
    values = parabola_then_line(difference, beta) / difference.dtype.type(beta)
    return reduced(values, reduction, dtype)


@smooth_l1_loss.grad("x")
def smooth_l1_loss_dx(dy, x, target, reduction, beta):
    """(x - t) / β, but no further from 0 than 1; its sign where β = 0."""
    return share_of_elements(dy, x.shape, reduction) * scaled_to_one(x - target, beta)


@smooth_l1_loss.grad("target")
def smooth_l1_loss_dtarget(dy, x, target, reduction, beta):
    """(t - x) / β, but no further from 0 than 1; its sign where β = 0."""
    return share_of_elements(dy, x.shape, reduction) * scaled_to_one(target - x, beta)


def scaled_to_one(difference, beta):
    """d / β, but no further from 0 than 1: sign d in the limit β = 0."""
    return sign(difference) if beta == 0 else hardtanh(difference / beta)


def parabola_then_line(difference, delta):
    """½ d² up to δ, δ (d - ½ δ) beyond: with c the smaller of d and δ, c (d - ½ c) is both."""
    size = np.abs(difference)
    shorter = np.minimum(size, size.dtype.type(delta))
    return shorter * (size - shorter * size.dtype.type(0.5))


@primitive(names=("input",))
def binary_cross_entropy(x, target, *, weight=None, reduction="mean"):
    """-w (t ln x + (1 - t) ln(1 - x)): 'none', 'sum' or 'mean' of it.

    The logarithms are no lower than -100, as in PyTorch. x and target: probabilities, from 0 to 1. weight:
    broadcasts to the shape of x. Raises ShapeError unless x and target have the same shape, ValueError for
    numbers outside of [0, 1]. From logits, binary_cross_entropy_with_logits is more accurate.
    """
    check_target("binary_cross_entropy", x, target)
    check_probabilities("binary_cross_entropy", "input", x)
    check_probabilities("binary_cross_entropy", "target", target)
    check_element_weight("binary_cross_entropy", "weight", weight, x.shape)
    check_reduction("binary_cross_entropy", reduction)
    chance, wanted, dtype = pair_of_floats(x, target)
    lowest = chance.dtype.type(-100)
    with np.errstate(divide="ignore"):
        for_it, against = np.maximum(np.log(chance), lowest), np.maximum(np.log1p(-chance), lowest)
    values = (wanted - chance.dtype.type(1)) * against - wanted * for_it
    return reduced(weighted_values(weight, values), reduction, dtype)


@binary_cross_entropy.grad("x")
def binary_cross_entropy_dx(dy, x, target, weight, reduction):
    """w (x - t) / (x (1 - x)), the denominator no lower than 10⁻¹², as in PyTorch."""
    dy = weighted_gradient(share_of_elements(dy, x.shape, reduction), weight)
    x = wide(x)
    return dy * ((x - target) / clamp_min(x * (1 - x), 1e-12))


@binary_cross_entropy.grad("target")
def binary_cross_entropy_dtarget(dy, x, weight, reduction):
    """w (ln(1 - x) - ln x), logarithms no lower than -100."""
    dy = weighted_gradient(share_of_elements(dy, x.shape, reduction), weight)
    return dy * (clamp_min(log(1 - x), -100.0) - clamp_min(log(x), -100.0))


@primitive(names=("input",))
def binary_cross_entropy_with_logits(x, target, *, weight=None, reduction="mean", pos_weight=None):
    """-w (p t ln σ(x) + (1 - t) ln(1 - σ(x))): 'none', 'sum' or 'mean' of it; p is pos_weight.

    Computed as w ((1 - t) x + (1 + (p - 1) t) ln(1 + e⁻ˣ)), which overflows nowhere. weight and pos_weight
    broadcast to the shape of x. Raises ShapeError unless x and target have the same shape.
    """
    op = "binary_cross_entropy_with_logits"
    check_target(op, x, target)
    check_element_weight(op, "weight", weight, x.shape)
    check_element_weight(op, "pos_weight", pos_weight, x.shape)
    check_reduction(op, reduction)
    logit, wanted, dtype = pair_of_floats(x, target)
    unit = logit.dtype.type(1)
    share = unit if pos_weight is None else unit + weighted_values(pos_weight, wanted) - wanted
    values = (unit - wanted) * logit + share * log_one_plus_exp(-logit)
    return reduced(weighted_values(weight, values), reduction, dtype)


@binary_cross_entropy_with_logits.grad("x")
def binary_cross_entropy_with_logits_dx(dy, x, target, weight, reduction, pos_weight):
    """w (σ(x) - t), and with p = pos_weight w ((1 - t + p t) σ(x) - p t)."""
    dy = weighted_gradient(share_of_elements(dy, x.shape, reduction), weight)
    if pos_weight is None:
        return dy * (sigmoid(wide(x)) - target)
    wanted = target * to(pos_weight, dtype=x.dtype)
    return dy * ((1 - target + wanted) * sigmoid(wide(x)) - wanted)


@binary_cross_entropy_with_logits.grad("target")
def binary_cross_entropy_with_logits_dtarget(dy, x, weight, reduction, pos_weight):
    """w (-x - (p - 1) ln σ(x))."""
    dy = weighted_gradient(share_of_elements(dy, x.shape, reduction), weight)
    return dy * -x if pos_weight is None else dy * (-x - to(pos_weight - 1, dtype=x.dtype) * logsigmoid(x))


def distance(x, target):
    """x - target, and the dtype of the loss."""
    prediction, wanted, dtype = pair_of_floats(x, target)
    return np.asarray(prediction - wanted), dtype


def pair_of_floats(x, target):
    """x and target in one dtype, wide enough to compute in; and the dtype of the loss."""
    if x.dtype != target.dtype or x.dtype.kind != "f":
        x, target = map(floating, promote([x, target], [False, False]))
    dtype = x.dtype
    return (x, target, dtype) if dtype.itemsize > 2 else (wide(x), wide(target), dtype)


def weighted_values(weight, values):
    """The values times a weight, where there is one: an array that broadcasts to their shape."""
    return values if weight is None else values * np.broadcast_to(weight.astype(values.dtype), values.shape)


def weighted_gradient(dy, weight):
    """dY times the weight, where there is one."""
    return dy if weight is None else dy * to(weight, dtype=dy.dtype)


def reduced(values, reduction, dtype):
    """Losses of single elements as 'none', 'sum' or 'mean' of them; the mean of nothing is NaN."""
    if reduction == "none":
        return np.asarray(values, dtype)
    return of_total(kernels.sum_over(values), values.size, reduction, dtype)


def of_total(total, count, reduction, dtype):
    """The sum of `count` losses as 'sum' or 'mean' of them; the mean of nothing is NaN."""
    if reduction == "mean":
        total = total / total.dtype.type(count) if count else np.nan
    return np.asarray(total, dtype)


def share_of_elements(dy, shape, reduction):
    """The gradient that reaches each element's loss through the reduction."""
    if reduction != "mean":
        return dy
    dy = wide(dy)
    return dy / dy.dtype.type(max(math.prod(shape), 1))
