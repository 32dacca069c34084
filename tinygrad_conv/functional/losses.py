"""Losses that are made of other functions. Most are ops: ops/loss.py and ops/classification.py have them."""

from __future__ import annotations

import math

import numpy as np

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_array
from ..ops import activations, arithmetic, comparisons, elementary, reduce
from ..ops.arguments.values import check_float
from ..options import ARRAY, NUMBER, OPTIONS, check_option, checked, choice
from .arguments import Operand, common_shape, rounded_once
from .distances import cosine_similarity, pairwise_distance


@checked(target=ARRAY, reduction=choice("none", "batchmean", "sum", "mean"))
def kl_div(input: Operand, target: Operand, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (ln t - x), for x = ln q the divergence of q from t (Kullback & Leibler 1951), 0 where t is.

    reduction: 'none', 'sum', 'mean' over all elements, or 'batchmean', the sum divided by the number of
    samples, which is the divergence. log_target: target holds ln t. Raises ShapeError where input and target
    do not broadcast, DtypeError for integers.
    """
    check_float("kl_div", input=input, target=target)
    common_shape("kl_div", input=input, target=target)
    if log_target:
        values = elementary.exp(target) * (target - input)
    else:
        logarithm = elementary.log(arithmetic.where(target, 1.0, condition=target != 0))
        counts = comparisons.logical_or(target != 0, comparisons.isfinite(input))  # 0 · ∞ is 0 here
        scores = arithmetic.where(input, 0.0, condition=counts)
        values = arithmetic.sub(arithmetic.mul(target, logarithm), arithmetic.mul(target, scores))
    if reduction != "batchmean":
        return reduced(values, reduction)
    if not values.ndim:
        raise ShapeError("kl_div: 'batchmean' needs a batch, not a number; use 'sum'")
    return arithmetic.div(reduce.sum(values), input.shape[0] if input.ndim else 1)


@checked(target=ARRAY)
def margin_ranking_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - t (x₁ - x₂)): where the target is 1 x₁ should be the larger, where it is -1 x₂.

    Raises ShapeError where they do not broadcast, DtypeError for integers.
    """
    check_float("margin_ranking_loss", input1=input1, input2=input2)
    common_shape("margin_ranking_loss", input1=input1, input2=input2)
    common_shape("margin_ranking_loss", input1=input1, target=target)
    return reduced(hinge(margin, arithmetic.mul(arithmetic.sub(input1, input2), target)), reduction)


@checked(target=ARRAY)
def hinge_embedding_loss(
    input: Operand, target: Operand, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """x, a distance, where the target is 1, and max(0, margin - x) where it is -1; elsewhere both.

    Raises ShapeError where they do not broadcast, DtypeError for integers.
    """
    check_float("hinge_embedding_loss", input=input)
    common_shape("hinge_embedding_loss", input=input, target=target)
    attracted = arithmetic.where(input, 0.0, condition=target != -1)
    repelled = arithmetic.where(hinge(margin, input), 0.0, condition=target != 1)
    return reduced(arithmetic.add(attracted, repelled), reduction)


@checked(target=ARRAY)
def cosine_embedding_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) - margin) where it is -1, and 0 elsewhere.

    input1, input2: vectors [N, D], or one [D]; target [N], or a number. Raises as cosine_similarity does.
    """
    cosine = cosine_similarity(input1, input2, dim=-1)
    common_shape("cosine_embedding_loss", cosine=cosine, target=target)
    apart = arithmetic.where(hinge(-margin, arithmetic.neg(cosine)), 0, condition=target == -1)
    return reduced(arithmetic.where(arithmetic.sub(1, cosine), apart, condition=target == 1), reduction)


@checked(p=NUMBER)
def triplet_margin_loss(
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d = pairwise_distance of order p.

    swap: the negative's distance from the positive counts instead where it is smaller (Balntas et al. 2016).
    Raises as pairwise_distance does, and ValueError for a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"triplet_margin_loss: margin must be above 0, not {margin}")
    common_shape("triplet_margin_loss", anchor=anchor, positive=positive)
    common_shape("triplet_margin_loss", anchor=anchor, negative=negative)
    near, far = (pairwise_distance(anchor, other, p, eps) for other in (positive, negative))
    if swap:
        far = arithmetic.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(hinge(margin, arithmetic.sub(far, near)), reduction)


@checked(target=ARRAY)
@rounded_once
def soft_margin_loss(input: Operand, target: Operand, *, reduction: str = "mean") -> Tensor:
    """ln(1 + exp(-t x)), for targets of 1 and -1.

    Raises ShapeError where they do not broadcast, DtypeError for integers.
    """
    check_float("soft_margin_loss", input=input)
    common_shape("soft_margin_loss", input=input, target=target)
    return reduced(activations.softplus(arithmetic.neg(arithmetic.mul(input, target))), reduction)


@checked(target=ARRAY)
def gaussian_nll_loss(
    input: Operand,
    target: Operand,
    var: Operand,
    full: bool = False,
    eps: float = 1e-6,
    *,
    reduction: str = "mean",
) -> Tensor:
    """½ (ln v + (x - t)² / v), for a mean x and a variance v = max(var, eps) that a net has given.

    The gradient of var knows nothing of the bound, as in PyTorch. full: with the constant ½ ln 2π. Raises
    ShapeError where they do not fit: var has input's shape, or one number for all along one dimension;
    DtypeError for integers, ValueError for a negative variance.
    """
    check_float("gaussian_nll_loss", input=input, target=target)
    common_shape("gaussian_nll_loss", input=input, target=target)
    if not isinstance(var, (int, float)) and var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var[..., None]  # one for each row
        elif not has_one_size_of_1(var.shape, input.shape):
            raise ShapeError(
                f"gaussian_nll_loss: var is {show_array(var)}; it must have the shape of input, "
                f"{show_array(input)}, or 1 in the place of one size, or no last one"
            )
    bare = var.detach().data if isinstance(var, Tensor) else var
    numbers = input.dtype.type(0) + bare
    if (numbers < 0).any():
        raise ValueError("gaussian_nll_loss: var holds negative numbers; a variance is at least 0")
    least = eps.item() if isinstance(eps, Tensor) else eps  # to which no gradient flows, as in PyTorch
    variance = arithmetic.add(var, np.maximum(least - numbers, 0))
    error = arithmetic.sub(input, target)
    values = arithmetic.div(arithmetic.mul(error, error), variance) + elementary.log(variance)
    return reduced(values * 0.5 + (0.5 * math.log(2 * math.pi) if full else 0.0), reduction)


def has_one_size_of_1(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Whether a shape is another one, but for a single size that is 1 in it."""
    others = [size for size, whole in zip(shape, full) if size != whole]
    return len(shape) == len(full) and others == [1]


@checked(target=ARRAY)
def poisson_nll_loss(
    input: Operand,
    target: Operand,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    *,
    reduction: str = "mean",
) -> Tensor:
    """exp(x) - t x, for x the logarithm of the rate of counts t; without log_input x - t ln(x + eps).

    full: with Stirling's t ln t - t + ½ ln(2π t) for counts above 1, which has no gradient of x. Raises
    ShapeError where they do not broadcast, DtypeError for integers.
    """
    check_float("poisson_nll_loss", input=input)
    common_shape("poisson_nll_loss", input=input, target=target)
    if log_input:
        values = arithmetic.sub(elementary.exp(input), arithmetic.mul(target, input))
    else:
        values = arithmetic.sub(input, arithmetic.mul(target, elementary.log(input + eps)))
    if full:
        counts = arithmetic.where(target, 1.0, condition=target > 1)
        stirling = counts * elementary.log(counts) - counts + elementary.log(counts * (2 * math.pi)) * 0.5
        values = arithmetic.add(values, arithmetic.where(stirling, 0.0, condition=target > 1))
    return reduced(values, reduction)


def hinge(margin: float, value: Operand) -> Tensor:
    """max(0, margin - value)."""
    return arithmetic.clamp_min(arithmetic.sub(margin, value), 0.0)


def reduced(values: Operand, reduction: str) -> Tensor:
    """Losses of single elements as 'none', 'sum' or 'mean' of them; ValueError for another word."""
    check_option("loss", "reduction", OPTIONS["reduction"], reduction)
    if reduction == "none":
        return values
    return reduce.sum(values) if reduction == "sum" else reduce.mean(values)
