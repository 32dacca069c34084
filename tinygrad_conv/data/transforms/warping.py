"""Pixels between pixels: images turned, shifted, scaled and sheared."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from ...dtypes import Array
from ...randomness.seeds import Random
from .base import RandomTransform, for_channels


class InterpolationMode(str, Enum):
    """How a value between pixels is found; each is its word, which is taken too."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"


class Warp(RandomTransform):
    """The base of those that turn and shift: where the pixels of the new image are found in the old one."""

    def __init__(
        self, interpolation: str, fill: Any, center: Any = None, generator: Random = None, seed: Random = None
    ) -> None:
        super().__init__(generator, seed)
        self.interpolation, self.fill, self.center = InterpolationMode(interpolation).value, fill, center

    def warped(self, images: Array, matrices: Array, shifts: Array) -> Array:
        """Images that have been mapped: what was at p, from the centre, is at `matrix @ p + shift`."""
        height, width = images.shape[2:]
        fill = for_channels(type(self).__name__, "fill", self.fill, images)
        if not images.size:
            return images.copy()
        # (x, y) as torchvision counts: from the corner of the first pixel, whose middle is at (½, ½)
        center_x, center_y = (width / 2, height / 2) if self.center is None else self.center
        x = (np.arange(width) + 0.5 - center_x - shifts[:, 0, None])[:, None, :]
        y = (np.arange(height) + 0.5 - center_y - shifts[:, 1, None])[:, :, None]
        back = np.linalg.inv(matrices)[:, :, :, None, None]
        across = back[:, 0, 0] * x + back[:, 0, 1] * y + (center_x - 0.5)
        down = back[:, 1, 0] * x + back[:, 1, 1] * y + (center_y - 0.5)
        if self.interpolation == "nearest":
            return nearest_pixels(images, down, across, fill)
        return blended(images, down, across, fill)


class RandomAffine(Warp):
    """The image turned, shifted, scaled and sheared around its centre.

    degrees: the angle is drawn from (least, most), or from (-degrees, degrees); positive is clockwise.
    translate: shifts by whole pixels, up to these shares (across, down) of its width and height, both ways.
    scale: (least, most). shear: angles in degrees as `degrees`, along x; four numbers: x's, and y's.
    interpolation: "nearest" or "bilinear". fill: the value of what lies outside, or one for each channel.
    center: (x, y) in pixels from the upper left corner, by default the middle.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = InterpolationMode.NEAREST,
        fill: float | Sequence[float] = 0,
        center: Sequence[float] | None = None,
        *,
        generator: Random = None,
        seed: Random = None,
    ) -> None:
        super().__init__(interpolation, fill, center, generator, seed)
        self.degrees, self.translate, self.scale = range_of(degrees), translate, scale
        self.shear = None if shear is None else range_of(shear)

    def changed(self, images: Array) -> Array:
        height, width = images.shape[2:]
        drawn = self.draw(len(images), 6)
        angle, right, down, scale, shear_x, shear_y = drawn.T
        shares = (0, 0) if self.translate is None else self.translate
        shifts = [
            np.rint((2 * number - 1) * share * size)
            for number, share, size in zip((right, down), shares, (width, height))
        ]
        shear = (0, 0, 0, 0) if self.shear is None else (*self.shear, 0, 0)
        matrices = linear_parts(
            between(angle, self.degrees[:2]),
            between(scale, (1, 1) if self.scale is None else self.scale),
            between(shear_x, shear[:2]),
            between(shear_y, shear[2:4]),
        )
        return self.warped(images, matrices, np.stack(shifts, 1))


class RandomRotation(Warp):
    """The image turned around its centre.

    degrees: the angle is drawn from (least, most), or from (-degrees, degrees); positive is anticlockwise.
    interpolation: "nearest" or "bilinear". expand: must be False, for the images of a batch are of one size.
    center: (x, y) in pixels from the upper left corner, by default the middle. fill: the value of what lies
    outside, or one for each channel.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: str = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: float | Sequence[float] = 0,
        *,
        generator: Random = None,
        seed: Random = None,
    ) -> None:
        super().__init__(interpolation, fill, center, generator, seed)
        if expand:
            raise ValueError("RandomRotation: expand must be False; put Pad before it to keep the corners")
        self.degrees = range_of(degrees)

    def changed(self, images: Array) -> Array:
        angles = -between(self.draw(len(images), 1)[:, 0], self.degrees)
        still = np.zeros(len(images))
        matrices = linear_parts(angles, still + 1, still, still)
        return self.warped(images, matrices, np.zeros((len(images), 2)))


def range_of(degrees: Any) -> tuple[float, ...]:
    """(least, most), where one number means both ways."""
    return tuple(map(float, degrees)) if hasattr(degrees, "__len__") else (-float(degrees), float(degrees))


def between(numbers: Array, ends: Sequence[float]) -> Array:
    """Numbers on [0, 1) as numbers between two ends."""
    return ends[0] + (ends[1] - ends[0]) * numbers


def linear_parts(angle: Array, scale: Array, shear_x: Array, shear_y: Array) -> Array:
    """Matrices [N, 2, 2] that shear (x, y) along x, then along y, turn it clockwise (y grows downwards), and
    scale it; angles in degrees.
    """
    turn, along_x, along_y = (np.deg2rad(degrees) for degrees in (angle, shear_x, shear_y))
    turned = matrices_of(np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn))
    still, unit = np.zeros_like(turn), np.ones_like(turn)
    sheared = matrices_of(unit, still, -np.tan(along_y), unit) @ matrices_of(
        unit, -np.tan(along_x), still, unit
    )
    return scale[:, None, None] * (turned @ sheared)


def matrices_of(a: Array, b: Array, c: Array, d: Array) -> Array:
    """[[a, b], [c, d]] for each."""
    return np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2)


class Canvas:
    """A batch with a border of `fill`, one pixel wide, which stands for all that lies outside."""

    def __init__(self, images: Array, fill: Array) -> None:
        count, channels, height, width = images.shape
        self.shape, self.row = images.shape, width + 2
        pixels = np.empty((count, channels, height + 2, self.row), images.dtype)
        pixels[...] = fill
        pixels[:, :, 1:-1, 1:-1] = images
        self.flat = pixels.reshape(-1)
        self.starts = (np.arange(count * channels) * (height + 2) * self.row).reshape(count, channels, 1, 1)

    def places(self, rows: Array, columns: Array) -> Array:
        """Where whole rows and columns [N, H, W], both from -1 on, are in `flat`: [N, C, H, W]."""
        within = (rows + 1) * self.row + (columns + 1)
        return np.asarray(within.astype(np.intp)[:, None] + self.starts)


def nearest_pixels(images: Array, down: Array, across: Array, fill: Array) -> Array:
    """The pixel nearest to each place."""
    height, width = images.shape[2:]
    canvas = Canvas(images, fill)
    rows, columns = np.rint(down).clip(-1, height), np.rint(across).clip(-1, width)
    return canvas.flat.take(canvas.places(rows, columns))


def blended(images: Array, down: Array, across: Array, fill: Array) -> Array:
    """The mean of the four pixels around each place, by how near they are; in float32 or more."""
    height, width = images.shape[2:]
    dtype = np.result_type(images.dtype, np.float32)
    canvas = Canvas(images.astype(dtype, copy=False), fill)
    down, across = down.clip(-1, height), across.clip(-1, width)
    top, left = np.floor(down).clip(-1, height - 1), np.floor(across).clip(-1, width - 1)
    below, right = (down - top).astype(dtype)[:, None], (across - left).astype(dtype)[:, None]
    places, flat, row = canvas.places(top, left), canvas.flat, canvas.row
    upper = flat.take(places) * (1 - right) + flat.take(places + 1) * right
    lower = flat.take(places + row) * (1 - right) + flat.take(places + row + 1) * right
    return rounded(upper * (1 - below) + lower * below, images.dtype)


def rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Blended values in the dtype of the pixels they are from."""
    return values.astype(dtype) if dtype.kind == "f" else np.rint(values).astype(dtype)
