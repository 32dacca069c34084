"""The kernels of a convolution as pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import Array
from ..errors import ShapeError, show_shape
from ..options import check_option, count, optional
from .axes import axes_for, finite_floats_of, say_nothing_to_draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#053061", "#3c8abe", "#ffffff", "#d6604d", "#67001f")  # negative blue, 0 white, positive red
SHADES = 257  # an odd number: the middle one is 0's, and white
BETWEEN = "0.82"  # the grey between kernels, which no weight has
NUMBERED = 16  # at most so many channels are numbered along a side


def kernels(ax: Axes | None, weight: Any, *, columns: int | None = None) -> Axes:
    """Draw the kernels of a convolution, on one scale: blue below 0, white at 0, red above.

    ax: the Axes to draw into; None makes a figure. weight: [O, C, kh, kw] of a Conv2d, [O, C, k] of a Conv1d,
    or one matrix [h, w]. With one input channel the O kernels fill a grid of so many `columns`, by default
    about a square; with more, each output channel has a row and each input channel a column. Weights that are
    not finite are crossed out.

    Returns the Axes, whose first image holds the kernels, a grey pixel between them. Raises MissingExtraError
    without matplotlib, ShapeError for a weight of other dimensions.
    """
    check_option("kernels", "columns", optional(count(1)), columns)
    numbers = finite_floats_of("kernels", "weight", weight)
    if numbers.ndim not in (2, 3, 4):
        raise ShapeError(
            f"kernels: weight must be [O, C, kh, kw], [O, C, k] or [h, w], not {show_shape(numbers.shape)}"
        )
    ax = axes_for("kernels", ax)
    stack = as_kernels(numbers)
    outputs, inputs, height, width = stack.shape
    ax.set(xticks=[], yticks=[], facecolor=BETWEEN)
    if not stack.size:
        say_nothing_to_draw(ax, f"no kernels: {show_shape(numbers.shape)}")
        return ax
    grid = stack if inputs > 1 else in_a_grid(stack[:, 0], columns)
    draw(ax, mosaic(grid), limit=largest(numbers))
    sizes = f"{height}×{width}"
    if numbers.ndim == 2:
        ax.set_title(sizes)
    elif inputs == 1:
        ax.set_title(f"{outputs} kernels of {sizes}" if outputs > 1 else f"1 kernel of {sizes}")
    else:
        ax.set_title(f"{outputs} × {inputs} kernels of {sizes}")
        ax.set(xlabel="input channel", ylabel="output channel")
        ax.set_xticks(*numbered(inputs, width))
        ax.set_yticks(*numbered(outputs, height))
    return ax


def as_kernels(numbers: Array) -> Array:
    """Weights as [O, C, kh, kw], whatever convolution or matrix they are of."""
    if numbers.ndim == 2:
        return numbers[None, None]
    return numbers[:, :, None, :] if numbers.ndim == 3 else numbers


def in_a_grid(pictures: Array, columns: int | None) -> Array:
    """[N, h, w] as [rows, columns, h, w]; the places left over stay empty."""
    across = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    down = math.ceil(len(pictures) / across)
    grid = np.full((down * across, *pictures.shape[1:]), -np.inf)
    grid[: len(pictures)] = pictures
    return grid.reshape(down, across, *pictures.shape[1:])


def mosaic(grid: Array) -> Array:
    """[rows, columns, h, w] as one picture, with a pixel of -inf between them, in the places that are empty
    and around it all.
    """
    rows, columns, height, width = grid.shape
    cells = np.full((rows, columns, height + 1, width + 1), -np.inf)
    cells[:, :, 1:, 1:] = grid
    picture = cells.transpose(0, 2, 1, 3).reshape(rows * (height + 1), columns * (width + 1))
    return np.pad(picture, ((0, 1), (0, 1)), constant_values=-np.inf)


def largest(numbers: Array) -> float:
    """The end of the scale: the largest weight without its sign, or 1 where all are 0."""
    finite = np.abs(numbers[np.isfinite(numbers)])
    return float(finite.max(initial=0)) or 1.0


def draw(ax: Axes, picture: Array, limit: float) -> None:
    """A mosaic, where -inf shows the background and NaN is crossed out, and its scale beside it."""
    from matplotlib.colors import LinearSegmentedColormap

    diverging = LinearSegmentedColormap.from_list("kernels", COLOURS, N=SHADES)
    drawn = np.ma.masked_invalid(picture)
    image = ax.imshow(drawn, cmap=diverging, vmin=-limit, vmax=limit, interpolation="nearest")
    rows, columns = np.nonzero(np.isnan(picture))
    ax.plot(columns, rows, "x", color="black", markersize=4)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.03, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([f"{-limit:.2g}", "0", f"{limit:.2g}"])


def numbered(channels: int, size: int) -> tuple[list[float], list[str]]:
    """Where ticks stand, in the middle of the kernels, and the numbers of their channels."""
    shown = list(range(0, channels, math.ceil(channels / NUMBERED)))
    return [channel * (size + 1) + (size + 1) / 2 for channel in shown], list(map(str, shown))
