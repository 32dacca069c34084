"""Losses of classes: how improbable a prediction makes the label; and labels as vectors and weights.

x has its classes in dimension 1, as [N, C, ...], or it is [C]. With m[c] = weight[c] · q[c], q being the
distribution wanted (for a label t: 1 at t, 0 elsewhere), every loss here is -Σ m[c] ln p[c] for each sample.

Where PyTorch has its deprecated `size_average`, an argument by position is `reduction` here, so that a script
that gives False there is told so.
"""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from . import reduce
from .activations import per_channel
from .arguments.losses import (
    check_class_numbers,
    check_class_target,
    check_label_smoothing,
    check_labels,
    check_reduction,
    class_dim,
    is_labels,
    labels_outside,
    labels_shape,
)
from .arguments.values import check_float
from .arithmetic import div, where
from .conversion import to, wide
from .loss import reduced
from .masking import masked
from .shape import reshape, unsqueeze
from .softmaxes import log_softmax, softmax


@primitive(names=("input",))
def nll_loss(x, target, *, weight=None, reduction="mean", ignore_index=-100):
    """-weight[t] · x[t] for each sample: x [N, C, ...] log-probabilities, target t [N, ...] labels.

    Or x is [C], and the target one label. 'none' → [N, ...], 'sum', or 'mean', which divides by the sum of
    weight[t]. Samples of label ignore_index do not count. Raises ShapeError where shapes do not fit,
    ValueError for a label that is no class, DtypeError for floats in the place of labels.
    """
    check_float("nll_loss", input=x)
    check_labels("nll_loss", x, target, weight, ignore_index)
    check_reduction("nll_loss", reduction)
    y = loss_of_samples(wide(x), target, weight, ignore_index, reduction)
    return y.astype(x.dtype, copy=False)


@nll_loss.grad("x")
def nll_loss_dx(dy, target, x_shape, weight, ignore_index, reduction):
    """-weight[t] at the label's place, 0 elsewhere."""
    share = share_of_samples(dy, target, x_shape, weight, ignore_index, reduction)
    wanted = wanted_classes(target, x_shape, share.dtype, weight, ignore_index)
    with np.errstate(invalid="ignore"):  # 0 times an infinite share
        return masked(-share * wanted, mask=wanted != 0)


@primitive(names=("input",))
def cross_entropy(x, target, *, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    """-Σ_c weight[c] q[c] ln softmax(x)[c] for each sample: x [N, C, ...] logits (or [C]).

    target: labels [N, ...], for which q is 1 at the label, or probabilities q in the shape of x.
    label_smoothing ε makes it (1 - ε) q + ε / C. 'none' → [N, ...], 'sum', or 'mean', which divides by the
    sum of weight[t] for labels, by the number of samples for probabilities. Samples of label ignore_index do
    not count.

    Raises ShapeError where shapes do not fit, ValueError for a label that is no class or a label_smoothing
    outside of [0, 1], DtypeError for floats in the place of labels.
    """
    check_float("cross_entropy", input=x)
    check_class_target("cross_entropy", x, target, weight, ignore_index)
    check_label_smoothing("cross_entropy", label_smoothing)
    check_reduction("cross_entropy", reduction)
    scores = log_softmax.forward(wide(x), dim=class_dim(x.shape))
    y = loss_of_samples(scores, target, weight, ignore_index, reduction, label_smoothing)
    return y.astype(x.dtype, copy=False)


@cross_entropy.grad("x")
def cross_entropy_dx(dy, x, target, weight, ignore_index, reduction, label_smoothing):
    """softmax(x) Σ m - m: for a label without weight, the probabilities less 1 at the label's place."""
    share = share_of_samples(dy, target, x.shape, weight, ignore_index, reduction)
    wanted = wanted_classes(target, x.shape, share.dtype, weight, ignore_index, label_smoothing)
    dim = class_dim(x.shape)
    slope = softmax(wide(x), dim=dim) * reduce.sum(wanted, dim=dim, keepdim=True) - wanted
    with np.errstate(invalid="ignore"):  # 0 times an infinite share
        return share * slope


@cross_entropy.grad("target")
def cross_entropy_dtarget(dy, x, target, weight, ignore_index, reduction, label_smoothing):
    """-(1 - ε) weight[c] ln softmax(x)[c], for a target of probabilities."""
    share = share_of_samples(dy, target, x.shape, weight, ignore_index, reduction)
    scores = log_softmax(wide(x), dim=class_dim(x.shape))
    return share * scores * ((label_smoothing - 1) * class_weights(weight, x.shape, share.dtype))


def wanted_classes(target, x_shape, dtype, weight, ignore_index, label_smoothing=0.0):
    """m in the shape of x: the weighted probabilities of the classes that the target asks for."""
    classes = x_shape[class_dim(x_shape)]
    if is_labels(target):
        return label_vectors(
            target,
            classes=classes,
            dtype=dtype,
            weight=weight,
            ignore_index=ignore_index,
            label_smoothing=label_smoothing,
        )
    smoothed = (1 - label_smoothing) * target + label_smoothing / max(classes, 1)
    return smoothed * class_weights(weight, x_shape, dtype)


def loss_of_samples(scores, target, weight, ignore_index, reduction, label_smoothing=0.0):
    """-Σ m ln p of each sample, reduced. What is not wanted at all does not count, be its ln p -inf."""
    one_class = is_labels(target) and weight is None and not label_smoothing
    with np.errstate(divide="ignore", invalid="ignore"):
        if one_class and scores.ndim <= 2 and 0 not in scores.shape:
            values = -at_labels(scores, target, ignore_index)
        else:
            wanted = wanted_classes(target, scores.shape, scores.dtype, weight, ignore_index, label_smoothing)
            products = np.where(wanted != 0, wanted * scores, scores.dtype.type(0))
            values = -np.asarray(kernels.sum_over(products, class_dim(scores.shape)), scores.dtype)
        if reduction == "mean" and is_labels(target):
            weights = label_weights.forward(
                target, dtype=scores.dtype, weight=weight, ignore_index=ignore_index
            )
            return np.asarray(kernels.sum_over(values) / kernels.sum_over(weights), scores.dtype)
    return reduced(values, reduction, scores.dtype)


def at_labels(scores, target, ignore_index):
    """Scores [N, C] at the labels [N], or [C] at one label; 0 where that is ignore_index."""
    counted = target != ignore_index
    places = np.where(counted, target.astype(np.intp), 0)
    wanted = scores[places] if scores.ndim == 1 else scores[np.arange(len(scores)), places]
    return np.where(counted, wanted + scores.dtype.type(0), scores.dtype.type(0))  # -0 is 0, as in a sum


def share_of_samples(dy, target, x_shape, weight, ignore_index, reduction):
    """The gradient that reaches each sample's loss through the reduction, to broadcast over its classes."""
    dy = wide(dy)
    if reduction == "none":
        return unsqueeze(dy, dim=class_dim(x_shape))
    if reduction == "sum":
        return dy
    if not is_labels(target):
        return div(dy, max(math.prod(labels_shape(x_shape)), 1))
    counted = label_weights(target, dtype=dy.dtype, ignore_index=ignore_index)
    if weight is None:
        total = reduce.sum(counted)
        return dy / (total + (total == 0))  # where nothing counts, no sample gets a gradient
    total = reduce.sum(label_weights(target, dtype=dy.dtype, weight=weight, ignore_index=ignore_index))
    with np.errstate(divide="ignore", invalid="ignore"):  # weights may add up to 0
        return where(dy / total, 0.0, condition=unsqueeze(counted, dim=class_dim(x_shape)) != 0)


def class_weights(weight, x_shape, dtype):
    """The weights [C] so that they broadcast against x, or 1."""
    if weight is None:
        return 1.0
    return reshape(to(weight, dtype=dtype), shape=per_channel(weight.shape, len(x_shape)))


@primitive(names=("input",), differentiable=False)
def one_hot(x, *, num_classes=-1):
    """1 at the place that each label of x [...] says, 0 elsewhere → int64 [..., num_classes].

    num_classes -1: as many as the labels need. Raises ValueError for a label that is negative or not below
    num_classes, DtypeError for labels that are no integers.
    """
    check_class_numbers("one_hot", x, num_classes)
    classes = int(x.max()) + 1 if num_classes == -1 else num_classes
    outside = labels_outside(x, classes)
    if outside:
        raise ValueError(f"one_hot: labels must be at least 0 and below num_classes={classes}; {outside}")
    return (x[..., None] == np.arange(classes)).astype(np.int64)


@primitive(differentiable=False)
def label_weights(target, *, dtype, weight=None, ignore_index=-100):
    """weight[t] for each label t, or 1 without weights; 0 where t is ignore_index."""
    target = target.astype(np.intp)
    counted = target != ignore_index
    if weight is None:
        return counted.astype(dtype)
    return np.where(counted, np.asarray(weight, dtype)[np.where(counted, target, 0)], dtype.type(0))


@primitive(differentiable=False)
def label_vectors(target, *, classes, dtype, weight=None, ignore_index=-100, label_smoothing=0.0):
    """weight[c] · ((1 - ε) 1[c = t] + ε / C) for each class c, ε being label_smoothing.

    It is 0 where t is ignore_index. target [N, ...] → [N, C, ...], and a label alone → [C].
    """
    axis = min(target.ndim, 1)
    labels = target.reshape(*target.shape[:axis], 1, *target.shape[axis:])
    places = np.arange(classes).reshape((-1,) + (1,) * (target.ndim - axis))
    vectors = (labels == places).astype(dtype)
    if label_smoothing:
        vectors *= dtype.type(1 - label_smoothing)
        vectors += dtype.type(label_smoothing / max(classes, 1))
    if weight is not None:
        weights = np.asarray(weight, dtype).reshape(places.shape)
        np.multiply(vectors, weights, out=vectors, where=vectors != 0)  # one of ∞ elsewhere does not count
    return vectors * (labels != ignore_index)
