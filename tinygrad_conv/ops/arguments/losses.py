"""Targets, labels and weights of losses, and how labels lie beside the classes.

x has its classes in dimension 1, as [N, C, ...], and labels have the shape of x without it, or x is [C] and
its label one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...allocation import check_fits
from ...errors import DtypeError, ShapeError, show_array, show_shape

Shape = tuple[int, ...]


def is_labels(target: Any) -> bool:
    """Whether the target names classes by number, rather than giving their probabilities."""
    return target.dtype.kind in "iu"


def class_dim(x_shape: Shape) -> int:
    """The dimension of the classes: 1, or 0 for a vector."""
    return min(len(x_shape) - 1, 1)


def labels_shape(x_shape: Shape) -> Shape:
    """The shape of the labels for x: that of x without the classes."""
    dim = class_dim(x_shape)
    return (*x_shape[:dim], *x_shape[dim + 1 :])


def check_target(op: str, x: Any, target: Any) -> None:
    """Refuse a target of another shape, with the reshape that mends it."""
    if x.shape == target.shape:
        return
    mend = f"; reshape one, e.g. target.reshape{x.shape}" if x.size == target.size else ""
    shapes = f"input {show_shape(x.shape)} and target {show_shape(target.shape)}"
    raise ShapeError(f"{op}: {shapes} must have the same shape{mend}")


def check_reduction(op: str, reduction: Any) -> None:
    """Refuse a reduction that is none of the three."""
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(f"{op}: reduction must be 'none', 'sum' or 'mean', not {reduction!r}")


def check_delta(op: str, delta: float) -> None:
    """Refuse a huber_loss without a parabola."""
    if not delta > 0:
        raise ValueError(f"{op}: delta must be positive, not {delta}")


def check_beta(op: str, beta: float) -> None:
    """Refuse a smooth_l1_loss with a parabola of negative width."""
    if not beta >= 0:
        raise ValueError(f"{op}: beta must be positive (or 0 for l1_loss), not {beta}")


def check_probabilities(op: str, name: str, values: Any) -> None:
    """Refuse what is outside of [0, 1]."""
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        goes = f"it goes from {values.min()} to {values.max()}"
        raise ValueError(f"{op}: {name} must be probabilities, 0 to 1; {goes}")


def check_label_smoothing(op: str, label_smoothing: float) -> None:
    """Refuse a share that is none."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{op}: label_smoothing must be from 0 to 1, not {label_smoothing}")


def check_element_weight(op: str, name: str, weight: Any, shape: Shape) -> None:
    """Refuse a weight that is no array, or does not broadcast to the shape of the input."""
    if weight is None:
        return
    check_is_array(op, name, weight)
    try:
        np.broadcast_to(weight, shape)
    except ValueError:
        shapes = f"{show_shape(weight.shape)} does not broadcast to input {show_shape(shape)}"
        raise ShapeError(f"{op}: {name} {shapes}") from None


def check_class_weights(op: str, weight: Any, classes: int) -> None:
    """Refuse weights that are not one for each class."""
    if weight is None:
        return
    check_is_array(op, "weight", weight)
    if weight.shape != (classes,):
        raise ShapeError(
            f"{op}: weight must be [{classes}], one for each class, not {show_shape(weight.shape)}"
        )


def check_is_array(op: str, name: str, weight: Any) -> None:
    """Refuse numbers and lists."""
    if not isinstance(weight, np.ndarray):
        raise TypeError(f"{op}: {name} must be a Tensor or an ndarray, not {type(weight).__name__}")


def check_class_target(op: str, x: Any, target: Any, weight: Any, ignore_index: int) -> None:
    """Refuse a target that is neither labels for x nor probabilities in its shape."""
    if is_labels(target):
        check_labels(op, x, target, weight, ignore_index)
        return
    if target.shape == labels_shape(x.shape) or target.dtype.kind == "b":
        check_integer_labels(op, target=target)
    if target.shape != x.shape or x.ndim == 0:
        shapes = (
            f"input {show_shape(x.shape)} must be [N, C, ...] (or [C]), and target probabilities in its shape"
        )
        raise ShapeError(f"{op}: {shapes} or integer labels without C; it is {show_shape(target.shape)}")
    if ignore_index >= 0:
        raise ValueError(
            f"{op}: ignore_index={ignore_index} has no meaning where the target is probabilities"
        )
    check_class_weights(op, weight, x.shape[class_dim(x.shape)])


def check_labels(op: str, x: Any, target: Any, weight: Any, ignore_index: int) -> None:
    """Refuse labels that do not fit x, and weights that are not one for each class."""
    if x.ndim == 0 or target.shape != labels_shape(x.shape):
        forms = f"input {show_shape(x.shape)} must be [N, C, ...] (or [C]), and labels the same without C"
        raise ShapeError(f"{op}: {forms}; target is {show_shape(target.shape)}")
    check_integer_labels(op, target=target)
    classes = x.shape[class_dim(x.shape)]
    outside = labels_outside(target, classes)
    if outside:  # those that are ignored may be
        outside = labels_outside(target[target != ignore_index], classes)
    if outside:
        known = f"the {classes} classes of input {show_shape(x.shape)}, or ignore_index={ignore_index}"
        raise ValueError(f"{op}: labels must be at least 0 and below {known}; {outside}")
    check_class_weights(op, weight, classes)


def check_integer_labels(op: str, **labels: Any) -> None:
    """Refuse labels, by the name of the argument, that are no integers."""
    for name, array in labels.items():
        if not is_labels(array):
            raise DtypeError(f"{op}: labels must be integers, not {show_array(array)}; use {name}.long()")


def labels_outside(labels: Any, classes: int) -> str:
    """What is wrong with labels of which one is no class; nothing if all are."""
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        return f"they go from {labels.min()} to {labels.max()}"
    return ""


def check_class_numbers(op: str, x: Any, num_classes: int) -> None:
    """Refuse labels that are no integers, and a number of classes that cannot be, or cannot be counted."""
    check_integer_labels(op, input=x)
    if num_classes == -1 and x.size == 0:
        raise ValueError(f"{op}: no labels to count the classes by; pass num_classes")
    if num_classes == 0 or num_classes < -1:
        raise ValueError(f"{op}: num_classes must be positive, or -1 to count them, not {num_classes}")
    counted = int(x.max()) + 1 if num_classes == -1 else num_classes
    check_fits(op, "num_classes", num_classes, (max(x.size, 1), max(counted, 0)), 8)
