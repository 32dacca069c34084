"""Tensors joined, written into one another, padded and resized."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import padding, resample, shape
from ..options import checked
from .arguments import Operand, documented_by

LINEAR = {"linear": 3, "bilinear": 4, "trilinear": 5}  # the dimensions of an input [N, C, …]


@checked()
@documented_by(shape.cat)
def cat(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shape.cat(*several("cat", tensors), dim=dim)


@checked()
@documented_by(shape.stack)
def stack(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    return shape.stack(*several("stack", tensors), dim=dim)


def several(name: str, tensors: Sequence[Operand]) -> Sequence[Operand]:
    """A list or tuple of tensors. Raises TypeError for a single one, whose rows would be taken for them."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}: pass a list or tuple of tensors, not {type(tensors).__name__}")
    return tensors


@checked()
@documented_by(padding.pad)
def pad(input: Operand, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    return padding.pad(input, sides=tuple(pad), mode=mode, value=value)


@checked()
def interpolate(
    input: Operand,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """`input` [N, C, L], [N, C, H, W] or [N, C, D, H, W] resized to `size`, or by `scale_factor`.

    mode: 'nearest', 'nearest-exact' (read from the centre of each new pixel), or 'linear', 'bilinear',
    'trilinear', by the number of dimensions. Without align_corners a pixel is an area, and places are
    measured from the image's edges; with it the centres of the corner pixels stay where they are.
    recompute_scale_factor: use the ratio of the rounded sizes in the place of scale_factor, which are rounded
    down.

    Raises ValueError for other modes or both of size and scale_factor, ShapeError where dimensions do not
    fit.
    """
    modes, nearest = (*resample.NEAREST, *LINEAR), mode in resample.NEAREST
    if mode not in modes:
        raise ValueError(f"interpolate: mode must be one of {', '.join(modes)}, not {mode!r}")
    if input.ndim not in ((3, 4, 5) if nearest else (LINEAR[mode],)):
        counts = "3, 4 or 5" if nearest else LINEAR[mode]
        raise ShapeError(
            f"interpolate: mode {mode!r} takes an input of {counts} dimensions, not {show_shape(input.shape)}"
        )
    if nearest and align_corners is not None:
        raise ValueError(f"interpolate: align_corners is for the linear modes; leave it out with {mode!r}")
    if (size is None) == (scale_factor is None) or (recompute_scale_factor and size is not None):
        raise ValueError(
            "interpolate: pass one of size and scale_factor; recompute_scale_factor belongs to the latter"
        )
    old = input.shape[2:]
    scales = None if scale_factor is None else for_each("scale_factor", scale_factor, len(old))
    if scales is None:
        new = for_each("size", size, len(old))
    else:
        new = tuple(math.floor(length * scale) for length, scale in zip(old, scales))
    return resample.interpolate(
        input,
        size=new,
        mode=mode if nearest else "linear",
        align_corners=bool(align_corners),
        scale=None if recompute_scale_factor else scales,
    )


def for_each(name: str, value: Any, count: int) -> tuple[Any, ...]:
    """A number for each axis: the same one, or one of a sequence."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(values) != count:
        raise ShapeError(
            f"interpolate: {name} must be one number, or one for each of the {count} axes, not {values}"
        )
    return values
