"""Class labels: what they are as vectors, and how much each sample weighs. Nothing here has a gradient."""

from __future__ import annotations

import numpy as np

from ..engine.declare import primitive
from .arguments.losses import check_class_numbers, labels_outside


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
    hit, miss = dtype.type(1 - label_smoothing), dtype.type(label_smoothing / max(classes, 1))
    vectors = (labels == places) * hit + miss
    if weight is not None:
        weights = np.asarray(weight, dtype).reshape(places.shape)
        np.multiply(vectors, weights, out=vectors, where=vectors != 0)  # one of ∞ elsewhere does not count
    return vectors * (labels != ignore_index)
