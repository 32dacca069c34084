"""Images beside each other, with captions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import Array
from ..errors import ShapeError, show_shape
from ..options import TEXT, Option, check_option, count, is_sequence, optional
from .axes import array_of, axes_for, say_nothing_to_draw, text_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = 0.12  # between two images, as a part of an image's width
CAPTION = 0.30  # the height of a caption, as a part of an image's width
COLUMNS = optional(count(1))
CAPTIONS = optional(Option("a sequence of texts, one for each image", is_sequence))


def images(
    ax: Axes | None,
    pictures: Any,
    captions: Sequence[Any] | None = None,
    *,
    columns: int | None = None,
    cmap: str = "gray",
) -> Axes:
    """Draw images beside each other, each with a caption above it: those that were misclassified, say.

    ax: the Axes to draw into; None makes a figure. pictures: [N, H, W], [N, 1, H, W], or [N, 3, H, W] in
    colour, in any range: bytes from 0 to 255 and floats from 0 to 1 are shown as they are, others scaled,
    all in the same way, from their least to their largest. captions: a text for each. columns: how many
    stand side by side, by default about a square. cmap: matplotlib's map of the images that have no colour;
    "gray_r" shows ink on paper. Pixels that are not finite are crossed out.

    Returns the Axes. Raises MissingExtraError without matplotlib, ShapeError for pictures of other
    dimensions, ValueError unless there is a caption for each.
    """
    check_option("images", "columns", COLUMNS, columns)
    check_option("images", "captions", CAPTIONS, captions)
    check_option("images", "cmap", TEXT, cmap)
    stack = as_pictures(array_of("images", "pictures", pictures))
    texts = [""] * len(stack) if captions is None else [str(caption) for caption in captions]
    if len(texts) != len(stack):
        raise ValueError(f"images: a caption for each image; got {len(texts)} for {len(stack)}")
    ax = axes_for("images", ax)
    ax.set_axis_off()
    if not stack.size:
        say_nothing_to_draw(ax, "no images")
        return ax
    across = min(columns or math.ceil(math.sqrt(len(stack))), len(stack))
    down = math.ceil(len(stack) / across)
    band = CAPTION if any(texts) else 0
    height = stack.shape[1] / stack.shape[2]
    size = text_size(ax, max(map(len, texts)), across, down)
    for place, (picture, text) in enumerate(zip(shown_range(stack), texts)):
        row, column = divmod(place, across)
        left, top = column * (1 + GAP), row * (height + band + GAP) + band
        draw(ax, picture, left, top, height, cmap)
        ax.text(left + 0.5, top - 0.05, text, ha="center", va="bottom", fontsize=size, parse_math=False)
    ax.set_xlim(-GAP / 2, across * (1 + GAP) - GAP / 2)
    ax.set_ylim(down * (height + band + GAP) - GAP / 2, -GAP / 2)
    ax.set_aspect("equal")
    return ax


def as_pictures(array: Array) -> Array:
    """Images as [N, H, W], or [N, H, W, 3] in colour."""
    if array.ndim == 3:
        return array
    if array.ndim == 4 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 4 and array.shape[1] == 3:
        return array.transpose(0, 2, 3, 1)
    raise ShapeError(
        f"images: pictures must be [N, H, W], [N, 1, H, W] or [N, 3, H, W], not {show_shape(array.shape)}"
    )


def shown_range(stack: Array) -> Array:
    """Pixels from 0 to 1; NaN where they are not finite."""
    if stack.dtype == np.uint8:
        return stack / 255
    pixels = np.where(np.isfinite(stack), stack, np.nan).astype(np.float64)
    finite = pixels[np.isfinite(pixels)]
    most = finite.max(initial=0)
    if finite.min(initial=0) == 0 and most <= 1:
        return pixels
    least = finite.min()
    half_span = most / 2 - least / 2  # the whole one could overflow
    return (pixels / 2 - least / 2) / half_span if half_span > 0 else np.zeros_like(pixels)


def draw(ax: Axes, picture: Array, left: float, top: float, height: float, cmap: str) -> None:
    """One image in its place, with a thin frame, for the edge of a white image on white."""
    rows, columns = picture.shape[:2]
    missing = np.isnan(picture).reshape(rows, columns, -1).any(axis=2)
    ax.imshow(
        np.nan_to_num(picture),
        extent=(left, left + 1, top + height, top),
        cmap=cmap,
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    ax.add_patch(frame(left, top, height))
    y, x = np.nonzero(missing)
    ax.plot(left + (x + 0.5) / columns, top + height * (y + 0.5) / rows, "x", color="#D55E00", markersize=3)


def frame(left: float, top: float, height: float) -> Any:
    """The edge of an image."""
    from matplotlib.patches import Rectangle

    return Rectangle((left, top), 1, height, fill=False, edgecolor="0.6", linewidth=0.5)
