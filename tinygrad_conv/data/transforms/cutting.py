"""Whole pixels elsewhere: borders, parts, mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...allocation import check_fits
from ...dtypes import Array
from ...errors import ShapeError, show_array
from ...randomness.seeds import Random
from .base import RandomTransform, Transform, for_channels, pair_of

Sides = tuple[int, int, int, int]  # left, top, right, bottom


class Pad(Transform):
    """Borders around the image. padding: of all sides, (left and right, top and bottom), or
    (left, top, right, bottom).

    fill: the value of a constant border, or one for each channel. padding_mode: "constant", "edge" (the last
    pixel again), "reflect" (the mirror image without it) or "symmetric" (with it).
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float | Sequence[float] = 0, padding_mode: str = "constant"
    ) -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def changed(self, images: Array) -> Array:
        return padded("Pad", images, sides_of(self.padding), self.fill, self.padding_mode)


class CenterCrop(Transform):
    """The middle of the image, in a size: one number for a square, or (height, width).

    What is larger than the image is padded with zeros.
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair_of(size)

    def changed(self, images: Array) -> Array:
        height, width = self.size
        down, across = max(height - images.shape[2], 0), max(width - images.shape[3], 0)
        sides = (across // 2, down // 2, (across + 1) // 2, (down + 1) // 2)
        images = padded("CenterCrop", images, sides, 0, "constant")
        top, left = round((images.shape[2] - height) / 2), round((images.shape[3] - width) / 2)
        return images[:, :, top : top + height, left : left + width].copy()


class RandomCrop(RandomTransform):
    """A part of the image at a random place, in a size: one number for a square, or (height, width).

    padding, fill, padding_mode: borders that are added before, as of `Pad`. pad_if_needed: and more of them
    to both sides where the image is smaller than the size. Raises ShapeError where it is smaller.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
        *,
        generator: Random = None,
        seed: Random = None,
    ) -> None:
        super().__init__(generator, seed)
        self.size, self.padding, self.pad_if_needed = pair_of(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def changed(self, images: Array) -> Array:
        images = self.with_borders(images)
        (height, width), count = self.size, len(images)
        rooms = images.shape[2] - height + 1, images.shape[3] - width + 1
        if min(rooms) < 1:
            raise ShapeError(
                f"RandomCrop: size ({height}, {width}) is larger than {show_array(images)}; pass "
                "pad_if_needed=True, or padding"
            )
        places = (self.draw(count, 2) * rooms).astype(int).tolist()
        parts = np.empty((*images.shape[:2], height, width), images.dtype)
        for part, image, (top, left) in zip(parts, images, places):
            part[...] = image[:, top : top + height, left : left + width]
        return parts

    def with_borders(self, images: Array) -> Array:
        """The batch with its borders."""
        if self.padding is not None:
            images = padded("RandomCrop", images, sides_of(self.padding), self.fill, self.padding_mode)
        if self.pad_if_needed:
            down, across = (max(size - there, 0) for size, there in zip(self.size, images.shape[2:]))
            sides = (across, down, across, down)
            images = padded("RandomCrop", images, sides, self.fill, self.padding_mode)
        return images


class RandomHorizontalFlip(RandomTransform):
    """The mirror image, left for right, with probability p."""

    def __init__(self, p: float = 0.5, *, generator: Random = None, seed: Random = None) -> None:
        super().__init__(generator, seed)
        self.p = p

    def changed(self, images: Array) -> Array:
        return flipped(images, self.draw(len(images), 1)[:, 0] < self.p, (..., slice(None, None, -1)))


class RandomVerticalFlip(RandomTransform):
    """The mirror image, top for bottom, with probability p."""

    def __init__(self, p: float = 0.5, *, generator: Random = None, seed: Random = None) -> None:
        super().__init__(generator, seed)
        self.p = p

    def changed(self, images: Array) -> Array:
        chosen = self.draw(len(images), 1)[:, 0] < self.p
        return flipped(images, chosen, (..., slice(None, None, -1), slice(None)))


def flipped(images: Array, chosen: Array, order: Any) -> Array:
    """A copy of the batch, where the chosen ones are in another order."""
    target = images.copy()
    target[chosen] = images[chosen][order]
    return target


def sides_of(padding: Any) -> Sides:
    """(left, top, right, bottom) of a padding."""
    numbers = [int(number) for number in (padding if hasattr(padding, "__len__") else [padding])]
    left, top, right, bottom = numbers * (4 // len(numbers))
    return left, top, right, bottom


def padded(owner: str, images: Array, sides: Sides, fill: Any, mode: str) -> Array:
    """A batch with borders; a copy of it even where these are nothing."""
    left, top, right, bottom = sides
    height, width = images.shape[2] + top + bottom, images.shape[3] + left + right
    shape = (*images.shape[:2], height, width)
    check_fits(owner, "padding", sides, shape, images.itemsize)
    if mode != "constant":
        check_mirror(owner, images, sides, mode)
        return np.pad(images, ((0, 0), (0, 0), (top, bottom), (left, right)), mode)  # type: ignore[call-overload]
    target = np.empty(shape, images.dtype)
    target[...] = for_channels(owner, "fill", fill, images)
    target[:, :, top : height - bottom, left : width - right] = images
    return target


def check_mirror(owner: str, images: Array, sides: Sides, mode: str) -> None:
    """Refuse borders that are wider than the picture they are to be filled from."""
    left, top, right, bottom = sides
    least = 1 if mode == "edge" else 1 + max(left, right) if mode == "reflect" else max(left, right, 1)
    least_down = 1 if mode == "edge" else 1 + max(top, bottom) if mode == "reflect" else max(top, bottom, 1)
    if images.shape[3] < least or images.shape[2] < least_down:
        raise ShapeError(
            f"{owner}: padding {sides} with padding_mode={mode!r} needs at least {least_down} rows and "
            f"{least} columns; img is {show_array(images)}"
        )
