"""Images resized, in every way that ONNX knows: each axis is a sparse matrix of its own."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .... import functional as F
from ....allocation import check_fits
from ....engine.tensor import Tensor
from ....errors import OnnxError, ShapeError, show_shape
from ....ops.resample import mix
from ..reading.node import Node
from .coordinates import Axis, Sampling, entries_of, places
from .table import Function, operator
from .values import axes_of, integers, tensor_of

TRANSFORMATIONS = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
)
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
POLICIES = {"stretch": None, "not_larger": min, "not_smaller": max}
FIRST = Sampling("nearest", "asymmetric", "floor", -0.75, False, False)
"""How opset 10, and Upsample, look at pixels."""


@operator("Upsample", (7, 9), constants=(1,))
def upsample(node: Node) -> Function:
    """Nearest or linear; the scales are an attribute at first, and an input from opset 9 on."""
    sampling = FIRST._replace(mode=node.word("mode", ("nearest", "linear"), "nearest"))
    scales = node.get("scales")
    if scales is None:
        return partial(upsampled, sampling=sampling)
    return partial(scaled, scales=scales, sampling=sampling)


def upsampled(x: Tensor, scales: Tensor, *, sampling: Sampling) -> Tensor:
    return scaled(x, scales=floats("scales", scales), sampling=sampling)


def scaled(x: Tensor, *, scales: tuple[float, ...], sampling: Sampling) -> Tensor:
    every = tuple(range(x.ndim))
    return resampled(x, axes_to_resize(x, every, scales, (), (), None), sampling, 0.0)


@operator("Resize", (10, 11, 13, 18, 19), constants=(1, 2, 3))
def resize(node: Node) -> Function:
    modes = ("nearest", "linear") if node.version < 11 else ("nearest", "linear", "cubic")
    mode = node.word("mode", modes, "nearest")
    if node.version < 11:
        return partial(upsampled, sampling=FIRST._replace(mode=mode))
    sampling = Sampling(
        mode,
        node.word("coordinate_transformation_mode", TRANSFORMATIONS, "half_pixel"),
        node.word("nearest_mode", ROUNDINGS, "round_prefer_floor"),
        node.get("cubic_coeff_a"),
        node.flag("exclude_outside"),
        node.flag("antialias"),
    )
    policy = POLICIES[node.word("keep_aspect_ratio_policy", tuple(POLICIES), "stretch")]
    return partial(
        resized,
        sampling=sampling,
        axes=node.get("axes"),
        policy=policy,
        outside=node.get("extrapolation_value"),
    )


def resized(
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
    *,
    sampling: Sampling,
    axes: tuple[int, ...] | None,
    policy: Any,
    outside: float,
) -> Tensor:
    every = axes_of(tuple(range(x.ndim)) if axes is None else axes, x.ndim)
    parts = () if sampling.transformation != "tf_crop_and_resize" else floats("roi", roi)
    factors = floats("scales", scales)
    new = () if sizes is None else integers("sizes", sizes)
    return resampled(x, axes_to_resize(x, every, factors, new, parts, policy), sampling, outside)


def floats(name: str, tensor: Tensor | None) -> tuple[float, ...]:
    """Finite numbers in a row; none where there is no tensor."""
    numbers = () if tensor is None else tuple(map(float, tensor.data.reshape(-1)))
    if not all(map(math.isfinite, numbers)):
        raise ShapeError(f"{name} must be finite, not {numbers}")
    return numbers


def axes_to_resize(
    x: Tensor,
    axes: tuple[int, ...],
    scales: tuple[float, ...],
    sizes: tuple[int, ...],
    roi: tuple[float, ...],
    policy: Any,
) -> dict[int, Axis]:
    """How each axis is resized: by its scale, rounded down, or to its size, which may keep proportions."""
    given = scales or sizes
    if bool(scales) == bool(sizes) or len(given) != len(axes) or min(given) <= 0:
        raise ShapeError(
            f"pass scales or sizes, above 0, for each of the axes {axes}; not {scales} and {sizes}"
        )
    if roi and len(roi) != 2 * len(axes):
        raise ShapeError(f"roi must have two numbers for each of the axes {axes}, not {len(roi)}")
    old = [x.shape[axis] for axis in axes]
    if 0 in old:
        raise ShapeError(f"axes {axes} of {show_shape(x.shape)} are empty, and cannot be resized")
    if sizes:
        scales = tuple(size / length for size, length in zip(sizes, old))
    if sizes and policy is not None:
        scales = (policy(scales),) * len(axes)
        sizes = tuple(math.floor(length * scale + 0.5) for length, scale in zip(old, scales))
    sizes = sizes or tuple(math.floor(length * scale) for length, scale in zip(old, scales))
    ends = zip(roi[: len(axes)], roi[len(axes) :]) if roi else [(0.0, 1.0)] * len(axes)
    return {axis: Axis(*parts) for axis, parts in zip(axes, zip(old, sizes, scales, ends))}


def resampled(x: Tensor, axes: dict[int, Axis], sampling: Sampling, outside: float) -> Tensor:
    """x with these axes resized, one after the other."""
    shape = tuple(axes[dim].new if dim in axes else size for dim, size in enumerate(x.shape))
    check_fits("Resize", "scales", shape, shape, x.dtype.itemsize)
    crops = sampling.transformation == "tf_crop_and_resize"
    if sampling.mode != "nearest" and x.dtype.kind != "f":
        raise OnnxError(f"mode {sampling.mode} takes floating-point numbers, not {x.dtype}")
    y = x
    for dim, axis in axes.items():
        if crops or axis.old != axis.new or axis.scale != 1:
            entries = entries_of(axis, sampling)
            y = mix(
                y, dim=dim, size=axis.new, target=entries.target, source=entries.source, weight=entries.weight
            )
    return F.where(tensor_of(beyond(axes, shape)), tensor_of(outside, x.dtype), y) if crops else y


def beyond(axes: dict[int, Axis], shape: tuple[int, ...]) -> Any:
    """Which new pixels look beyond the image, in an array that broadcasts to the new one."""
    mask = np.zeros((1,) * len(shape), bool)
    for dim, axis in axes.items():
        where = places(axis, "tf_crop_and_resize")
        line = [-1 if place == dim else 1 for place in range(len(shape))]
        mask = mask | ((where < 0) | (where > axis.old - 1)).reshape(line)
    return mask
