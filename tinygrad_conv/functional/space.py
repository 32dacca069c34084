"""Images in other sizes: padded, resized, cut into patches, with pixels exchanged for channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import padding as borders
from ..ops import patches, resample
from .signatures import Operand, Size, documented_by

__all__ = [
    "fold",
    "interpolate",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]

LINEAR = {"linear": 3, "bilinear": 4, "trilinear": 5}  # the dimensions of an input [N, C, …]


@documented_by(borders.pad)
def pad(input: Operand, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    return borders.pad(input, sides=tuple(pad), mode=mode, value=value)


def interpolate(
    input: Operand,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """`input` [N, C, L], [N, C, H, W] or [N, C, D, H, W] resized to `size`, or by `scale_factor` (rounded
    down).

    mode: 'nearest', or 'linear', 'bilinear', 'trilinear', by the number of dimensions. Without align_corners
    a pixel is an area, and places are measured from the image's edges; with it the centres of the corner
    pixels stay where they are. recompute_scale_factor: use the ratio of the rounded sizes in the place of
    scale_factor.

    Raises ValueError for other modes or both of size and scale_factor, ShapeError where dimensions do not
    fit.
    """
    if mode not in ("nearest", *LINEAR):
        raise ValueError(f"interpolate: mode must be one of nearest, {', '.join(LINEAR)}, not {mode!r}")
    if input.ndim not in ((3, 4, 5) if mode == "nearest" else (LINEAR[mode],)):
        counts = "3, 4 or 5" if mode == "nearest" else LINEAR[mode]
        raise ShapeError(
            f"interpolate: mode {mode!r} takes an input of {counts} dimensions, not {show_shape(input.shape)}"
        )
    if mode == "nearest" and align_corners is not None:
        raise ValueError("interpolate: align_corners is for the linear modes; leave it out with 'nearest'")
    if (size is None) == (scale_factor is None) or (recompute_scale_factor and size is not None):
        raise ValueError(
            "interpolate: pass one of size and scale_factor; recompute_scale_factor belongs to the latter"
        )
    old = input.shape[2:]
    scales = None if scale_factor is None else for_each("scale_factor", scale_factor, len(old))
    new = (
        for_each("size", size, len(old))
        if scales is None
        else [math.floor(one * scale) for one, scale in zip(old, scales)]
    )
    kept = None if recompute_scale_factor else scales
    mode = "nearest" if mode == "nearest" else "linear"
    return resample.interpolate(
        input, size=tuple(new), mode=mode, align_corners=bool(align_corners), scale=kept
    )


def for_each(name: str, value: Any, count: int) -> tuple[Any, ...]:
    """A number for each axis: the same one, or one of a sequence."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(values) != count:
        raise ShapeError(
            f"interpolate: {name} must be one number, or one for each of the {count} axes, not {values}"
        )
    return values


@documented_by(patches.pixel_shuffle)
def pixel_shuffle(input: Operand, upscale_factor: int) -> Tensor:
    return patches.pixel_shuffle(input, factor=upscale_factor)


@documented_by(patches.pixel_unshuffle)
def pixel_unshuffle(input: Operand, downscale_factor: int) -> Tensor:
    return patches.pixel_unshuffle(input, factor=downscale_factor)


@documented_by(patches.unfold)
def unfold(
    input: Operand, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    return patches.unfold(input, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


@documented_by(patches.fold)
def fold(
    input: Operand,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    return patches.fold(
        input,
        output_size=output_size,
        kernel_size=kernel_size,
        dilation=dilation,
        padding=padding,
        stride=stride,
    )
