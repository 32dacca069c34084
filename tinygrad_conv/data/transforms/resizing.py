"""Images in another size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...allocation import check_fits
from ...dtypes import Array
from ...errors import ShapeError, show_array
from ...ops.linalg import matmul
from .base import Transform
from .warping import InterpolationMode, rounded


class Resize(Transform):
    """The image in another size: (height, width), or one number for its shorter side.

    interpolation: "bilinear" or "nearest". max_size: the longer side is at most that, with a size of one
    number. antialias: where the image shrinks, bilinear means over as many pixels as become one, not of four.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: str = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool = True,
    ) -> None:
        sizes = [int(number) for number in (size if hasattr(size, "__len__") else [size])]  # type: ignore[union-attr]
        if max_size is not None and (len(sizes) > 1 or max_size <= sizes[0]):
            raise ValueError(
                f"Resize: max_size={max_size} goes with a size of one number, smaller than it; got {size}"
            )
        self.size, self.max_size, self.antialias = sizes, max_size, antialias
        self.interpolation = InterpolationMode(interpolation).value

    def changed(self, images: Array) -> Array:
        if 0 in images.shape[2:]:
            raise ShapeError(f"Resize: img must have pixels, not {show_array(images)}")
        height, width = self.sizes(*images.shape[2:])
        check_fits("Resize", "size", self.size, (*images.shape[:2], height, width), images.itemsize)
        if self.interpolation == "nearest":
            rows, columns = nearest(images.shape[2], height), nearest(images.shape[3], width)
            return np.ascontiguousarray(images[:, :, rows[:, None], columns])
        dtype = np.result_type(images.dtype, np.float32)
        across = weights(images.shape[3], width, self.antialias).T.astype(dtype)
        down = weights(images.shape[2], height, self.antialias).astype(dtype)
        return rounded(matmul(down, matmul(images.astype(dtype, order="C"), across)), images.dtype)

    def sizes(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) that an image gets."""
        if len(self.size) == 2:
            return self.size[0], self.size[1]
        short, long = min(height, width), max(height, width)
        new_short, new_long = self.size[0], int(self.size[0] * long / short)
        if self.max_size is not None and new_long > self.max_size:
            new_short, new_long = int(self.max_size * new_short / new_long), self.max_size
        new_short = max(new_short, 1)
        return (new_short, new_long) if height <= width else (new_long, new_short)


def nearest(there: int, wanted: int) -> Array:
    """For each of so many new pixels, which old one it is."""
    return np.minimum((np.arange(wanted) * (there / wanted)).astype(np.intp), there - 1)


def weights(there: int, wanted: int, antialias: bool) -> Array:
    """[wanted, there]: how much of each old pixel is in a new one; a triangle around its middle.

    The triangle is one pixel wide to each side, and where the image shrinks, as many as become one.
    """
    ratio = there / wanted
    reach = max(ratio, 1.0) if antialias else 1.0
    middles = (np.arange(wanted) + 0.5) * ratio - 0.5
    if not antialias:
        middles = np.clip(middles, 0, there - 1)
    triangles = np.maximum(1 - np.abs(middles[:, None] - np.arange(there)) / reach, 0)
    return np.asarray(triangles / triangles.sum(1, keepdims=True))
