"""What all plots share: the axes they draw into, and arrays out of what was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import Array
from ..engine.tensor import Tensor
from ..errors import DtypeError, MissingExtraError
from ..options import show_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST_TEXT, LARGEST_TEXT = 4.0, 10.0  # points
LETTER = 0.62  # the width of a letter as a part of its height, about
POINTS_PER_INCH = 72
LARGEST = 1e100  # beyond it, differences of two numbers would overflow where axes are scaled


def axes_for(owner: str, ax: Axes | None) -> Axes:
    """The axes to draw into: those given, or for None those of a new figure.

    Raises MissingExtraError without matplotlib, TypeError for anything else than one Axes.
    """
    try:
        from matplotlib.axes import Axes
    except ImportError:
        raise MissingExtraError(
            f"plot.{owner} needs matplotlib: pip install 'tinygrad_conv[examples]'"
        ) from None
    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        several = "; pass one of them, as axes[0]" if is_several(ax, Axes) else ", to have some made"
        raise TypeError(
            f"{owner}: ax, which comes first, must be matplotlib Axes, or None, not {show_given(ax)}{several}"
        )
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def is_several(given: Any, axes_type: type) -> bool:
    """Whether it is what `plt.subplots(2, 2)` gives: an array of axes, or a figure with some."""
    members = (
        given.flat if isinstance(given, np.ndarray) else given if isinstance(given, (list, tuple)) else ()
    )
    return any(isinstance(member, axes_type) for member in members)


def array_of(owner: str, name: str, given: Any) -> Array:
    """An array of a Tensor, an array, a number, or lists of them. Raises DtypeError for what is no number."""
    try:
        array = np.asarray(unwrapped(given))
    except (TypeError, ValueError) as error:
        raise DtypeError(f"{owner}: {name} must be numbers, all rows of one length ({error})") from None
    if array.dtype.kind not in "biuf" and array.size:
        raise DtypeError(f"{owner}: {name} must be real numbers, not {show_given(given)}")
    return array


def unwrapped(given: Any) -> Any:
    """The same without Tensors: losses may come as a list of them."""
    if isinstance(given, Tensor):
        return given.data
    if isinstance(given, (list, tuple)):
        return [unwrapped(member) for member in given]
    return given


def finite_floats_of(owner: str, name: str, given: Any) -> Array:
    """Numbers as float64 that can be drawn: NaN for those that are not finite, and none beyond LARGEST."""
    numbers = array_of(owner, name, given).astype(np.float64)
    return np.clip(np.where(np.isfinite(numbers), numbers, np.nan), -LARGEST, LARGEST)


def text_size(ax: Axes, letters: int, across: float, down: float) -> float:
    """The size in points of a text of so many letters, in a cell that is one of `across` side by side and of
    `down` one below the other. The layout of the figure, which comes later, can change the axes a little.
    """
    points = POINTS_PER_INCH / ax.figure.dpi
    by_width = points * ax.bbox.width / max(across, 1) / (LETTER * max(letters, 1))
    by_height = 0.6 * points * ax.bbox.height / max(down, 1)
    return float(min(max(min(by_width, by_height), SMALLEST_TEXT), LARGEST_TEXT))


def say_nothing_to_draw(ax: Axes, text: str) -> None:
    """In the place of a picture of nothing, what there is none of."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.4")
