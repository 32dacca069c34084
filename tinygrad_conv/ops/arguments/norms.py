"""The shapes of what is normalised, and of the weights, biases and running statistics."""

from __future__ import annotations

import math
from typing import Any

from ...errors import ShapeError, show_shape
from .values import check_float


def check_batch(op: str, x: Any, w: Any, b: Any, running_mean: Any, running_var: Any, training: bool) -> None:
    """Refuse inputs of batch_norm that do not fit each other."""
    check_channel_weights(op, x, w, b)
    statistics = {"running_mean": running_mean, "running_var": running_var}
    for name, statistic in statistics.items():
        if statistic is None and not training:
            raise ValueError(f"{op}: {name} must be given unless training=True")
    check_affine(op, (x.shape[1],), "one for each channel", **statistics)
    if training and math.prod(x.shape) == x.shape[1] > 0:
        raise ShapeError(
            f"{op}: training needs more than one value for each channel; input is {show_shape(x.shape)}"
        )


def check_channel_elements(op: str, x: Any) -> None:
    """Refuse channels of a sample of one element alone."""
    if math.prod(x.shape[2:]) == 1:
        raise ShapeError(f"{op}: a channel needs more than one element; input is {show_shape(x.shape)}")


def check_groups(op: str, x: Any, w: Any, b: Any, num_groups: int) -> None:
    """Refuse inputs of group_norm that do not fit each other."""
    check_channel_weights(op, x, w, b)
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            f"{op}: num_groups={num_groups} must divide the channels of input {show_shape(x.shape)}"
        )
    if math.prod(x.shape) == num_groups:
        given = f"input is {show_shape(x.shape)}, num_groups={num_groups}"
        raise ShapeError(f"{op}: a group needs more than one value; {given}")


def check_last_dims(op: str, x: Any, w: Any, b: Any, shape: tuple[int, ...]) -> None:
    """Refuse inputs of layer_norm that do not fit each other."""
    check_float(op, input=x, weight=w, bias=b)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ShapeError(
            f"{op}: input {show_shape(x.shape)} must end in normalized_shape {show_shape(shape)}"
        )
    check_affine(op, shape, "in the shape normalized_shape", weight=w, bias=b)


def check_channel_weights(op: str, x: Any, w: Any, b: Any) -> None:
    """Refuse an input without channels, and weights that are not one for each."""
    check_float(op, input=x, weight=w, bias=b)
    if x.ndim < 2:
        raise ShapeError(f"{op}: input must be [N, C, ...], not {show_shape(x.shape)}")
    check_affine(op, (x.shape[1],), "one for each channel", weight=w, bias=b)


def check_affine(op: str, shape: tuple[int, ...], meaning: str, **arrays: Any) -> None:
    """Refuse what is given in another shape."""
    for name, array in arrays.items():
        if array is not None and array.shape != shape:
            raise ShapeError(
                f"{op}: {name} must be {show_shape(shape)}, {meaning}; it is {show_shape(array.shape)}"
            )


def check_deviations(op: str, dy: Any, x: Any, center: Any) -> None:
    """Refuse a dy in another shape than x, and a center that does not broadcast axis by axis."""
    fits = center.ndim == x.ndim and all(many in (1, size) for many, size in zip(center.shape, x.shape))
    if dy.shape != x.shape or not fits:
        shapes = f"dy {show_shape(dy.shape)}, x {show_shape(x.shape)}, center {show_shape(center.shape)}"
        raise ShapeError(
            f"{op}: dy must have the shape of x, and each axis of center the length of x's or 1: {shapes}"
        )
