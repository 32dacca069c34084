"""Images read along a grid of places: spatial transformers (Jaderberg et al. 2015)."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops.arguments.values import check_float
from ..ops.masking import zeros_for
from ..options import ARRAY, FLAG, checked, choice, optional
from .arguments import Operand, as_tensor, rounded_once
from .arithmetic import where

PADDING = choice("zeros", "border", "reflection", at_once=True)


@checked(theta=ARRAY, align_corners=optional(FLAG))
@rounded_once
def affine_grid(theta: Operand, size: tuple[int, ...], align_corners: bool | None = None) -> Tensor:
    """Where each pixel of an output of `size`, (N, C, H, W), looks: theta [N, 2, 3] · (x, y, 1).

    → [N, H, W, 2], for `grid_sample`, which must be given the same align_corners. x and y go from -1 to 1
    over the image: between its edges, or with align_corners between the centres of its corner pixels. Raises
    ShapeError for another theta or size, DtypeError for integers.
    """
    check_float("affine_grid", theta=theta)
    sizes = tuple(int(length) for length in size)
    if len(sizes) != 4 or min(sizes) < 1:
        raise ShapeError(f"affine_grid: size must be (N, C, H, W), each at least 1, not {show_shape(sizes)}")
    if theta.shape != (sizes[0], 2, 3):
        raise ShapeError(f"affine_grid: theta must be [{sizes[0]}, 2, 3], not {show_shape(theta.shape)}")
    rows, columns = sizes[2:]
    places = np.ones((rows, columns, 3), theta.dtype)
    places[..., 0] = centres(columns, align_corners)
    places[..., 1] = centres(rows, align_corners)[:, None]
    looked = Tensor(places.reshape(-1, 3)) @ as_tensor(theta).transpose(1, 2)
    return looked.reshape(sizes[0], rows, columns, 2)


def centres(length: int, align_corners: bool | None) -> Array:
    """The centres of `length` pixels in a row that goes from -1 to 1."""
    if align_corners:
        return np.linspace(-1, 1, length) if length > 1 else np.zeros(1)
    return (2 * np.arange(length) + 1) / length - 1


@checked(
    input=ARRAY,
    grid=ARRAY,
    mode=choice("bilinear", "nearest", at_once=True),
    padding_mode=PADDING,
    align_corners=optional(FLAG),
)
@rounded_once
def grid_sample(
    input: Operand,
    grid: Operand,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """input [N, C, H, W] at the places (x, y) of grid [N, P, Q, 2] → [N, C, P, Q].

    -1 and 1 are the edges of the image, or with align_corners the centres of its corner pixels. mode: the
    mean of the four pixels around a place, by their distance, or the one that is nearest. padding_mode: what
    lies outside is 0, the pixel at the border, or the image mirrored at its edges. Gradients go to both: at
    the centre of a pixel, where the mean has a kink, the grid's is that of one side. Which one, rounding
    decides; PyTorch's depends on the processor there.
    Raises ShapeError for other shapes, DtypeError for integers.
    """
    check_float("grid_sample", input=input, grid=grid)
    check_sizes(input.shape, grid.shape)
    image, along = as_tensor(input), as_tensor(grid)
    x, y = (
        place(along[..., axis], length, padding_mode, align_corners)
        for axis, length in enumerate(image.shape[:1:-1])
    )
    if mode == "nearest":
        return pixels(image, x.round(), y.round(), x.detach() * 0 + 1 + zeros_for(x))
    left, top = x.detach().floor(), y.detach().floor()
    right, bottom = left + 1, top + 1
    return (
        pixels(image, left, top, (right - x) * (bottom - y))
        + pixels(image, right, top, (x - left) * (bottom - y))
        + pixels(image, left, bottom, (right - x) * (y - top))
        + pixels(image, right, bottom, (x - left) * (y - top))
    )


def check_sizes(image: tuple[int, ...], grid: tuple[int, ...]) -> None:
    """Refuse an image and a grid that do not go together."""
    if len(image) != 4 or min(image[2:]) < 1:
        raise ShapeError(f"grid_sample: input must be [N, C, H, W], H and W from 1, not {show_shape(image)}")
    if len(grid) != 4 or grid[0] != image[0] or grid[3] != 2:
        raise ShapeError(f"grid_sample: grid must be [{image[0]}, P, Q, 2], not {show_shape(grid)}")


def place(x: Tensor, length: int, padding_mode: str, align_corners: bool | None) -> Tensor:
    """Places from -1 to 1 as places in a row of pixels, whose centres are 0 to length - 1."""
    x = (x + 1) * ((length - 1) / 2) if align_corners else ((x + 1) * length - 1) / 2
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        x = reflected(x, length, align_corners)
    inside = (x > 0) & (x < length - 1)
    return where(inside, x, x.detach().clamp(0, length - 1))  # at the border a place stands still


def reflected(x: Tensor, length: int, align_corners: bool | None) -> Tensor:
    """Places beyond the edges mirrored at them, as often as it takes."""
    edge, span = (0.0, length - 1.0) if align_corners else (-0.5, float(length))
    if span == 0:
        return x * 0
    away = (x - edge).abs()
    times = (away.detach() / span).floor()
    beyond = away - times * span
    return where(times % 2 == 1, span - beyond, beyond) + edge


def pixels(image: Tensor, column: Tensor, row: Tensor, share: Tensor) -> Tensor:
    """The pixels at whole columns and rows [N, P, Q], times their share; 0 outside → [N, C, P, Q].

    A place of NaN is neither inside nor outside: its share is NaN, and so is what is read there.
    """
    samples, channels, rows, columns = image.shape
    inside = (column >= 0) & (column <= columns - 1) & (row >= 0) & (row <= rows - 1)
    outside = (column < 0) | (column > columns - 1) | (row < 0) | (row > rows - 1)
    number = where(inside, row * columns + column, 0.0).detach().long().reshape(samples, 1, -1)
    flat = image.reshape(samples, channels, rows * columns)
    read = flat.gather(2, number.expand(samples, channels, number.shape[2]))
    return read.reshape(samples, channels, *column.shape[1:]) * where(outside, 0.0, share)[:, None]
