"""Class labels: what they are as vectors, and how much each sample weighs. Nothing here has a gradient.

x has its classes in dimension 1, as [N, C, ...], and labels have the shape of x without it, or x is [C] and
its label one number.
"""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from ..errors import DtypeError, ShapeError, show_array, show_shape


@primitive(differentiable=False)
def one_hot(x, *, num_classes=-1):
    """1 at the place that each label of x [...] says, 0 elsewhere → int64 [..., num_classes].

    num_classes -1: as many as the labels need. Raises ValueError for a label that is negative or not below
    num_classes, DtypeError for labels that are no integers.
    """
    if x.dtype.kind not in "iu":
        raise DtypeError(f"one_hot: labels must be integers, not {show_array(x)}; use input.long()")
    if num_classes == -1 and x.size == 0:
        raise ValueError("one_hot: no labels to count the classes by; pass num_classes")
    if num_classes == 0 or num_classes < -1:
        raise ValueError(f"one_hot: num_classes must be positive, or -1 to count them, not {num_classes}")
    classes = int(x.max()) + 1 if num_classes == -1 else num_classes
    check_range(f"one_hot: labels must be at least 0 and below num_classes={classes}", x, classes)
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
    """weight[c] · ((1 - ε) 1[c = t] + ε / C) for each class c, ε being label_smoothing; 0 where t is
    ignore_index.

    target [N, ...] → [N, C, ...], and a label alone → [C].
    """
    axis = min(target.ndim, 1)
    labels = np.expand_dims(target, axis)
    places = np.arange(classes).reshape((-1,) + (1,) * (target.ndim - axis))
    vectors = (labels == places) * dtype.type(1 - label_smoothing) + dtype.type(
        label_smoothing / max(classes, 1)
    )
    if weight is not None:
        vectors *= np.asarray(weight, dtype).reshape(places.shape)
    return vectors * (labels != ignore_index)


def class_dim(x_shape):
    """The dimension of the classes: 1, or 0 for a vector."""
    return min(len(x_shape) - 1, 1)


def labels_shape(x_shape):
    """The shape of the labels for x: that of x without the classes."""
    dim = class_dim(x_shape)
    return (*x_shape[:dim], *x_shape[dim + 1 :])


def check_labels(op, x, target, weight, ignore_index):
    """Refuse labels that do not fit x, and weights that are not one for each class."""
    shown = show_shape(x.shape)
    if x.ndim == 0 or target.shape != labels_shape(x.shape):
        raise ShapeError(
            f"{op}: input {shown} must be [N, C, ...] (or [C]), and labels the same without C; target is "
            f"{show_shape(target.shape)}"
        )
    if target.dtype.kind not in "iu":
        raise DtypeError(f"{op}: labels must be integers, not {show_array(target)}; use target.long()")
    classes = x.shape[class_dim(x.shape)]
    allowed = f"at least 0 and below the {classes} classes of input {shown}, or ignore_index={ignore_index}"
    check_range(f"{op}: labels must be {allowed}", target[target != ignore_index], classes)
    check_class_weights(op, weight, classes)


def check_range(message, labels, classes):
    """Refuse a label that is no class."""
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"{message}; they go from {labels.min()} to {labels.max()}")


def check_class_weights(op, weight, classes):
    """Refuse weights that are not one for each class."""
    if weight is not None and not isinstance(weight, np.ndarray):
        raise TypeError(f"{op}: weight must be a Tensor or an ndarray, not {type(weight).__name__}")
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(
            f"{op}: weight must be [{classes}], one for each class, not {show_shape(weight.shape)}"
        )
