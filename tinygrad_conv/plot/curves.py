"""Numbers by epoch: losses, accuracies, learning rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import Array
from ..errors import ShapeError, show_shape
from ..options import FINITE, FLAG, check_option, optional, show_given
from .axes import axes_for, finite_floats_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), Color Universal Design; the yellow, pale on white, is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DOTTED = 30  # up to so many points, each has a mark


def curves(
    ax: Axes | None, series: Mapping[str, Any], *, x: Any = None, mark: float | None = None, log: bool = False
) -> Axes:
    """Draw one line for each name: `curves(ax, {"training": losses, "validation": validation_losses})`.

    ax: the Axes to draw into; None makes a figure. series: by name, a row of numbers each, which need not be
    of one length. x: where the points stand, by default 1, 2, 3 …, the epochs. mark: where a vertical line
    stands, such as the epoch whose weights were kept. log: a logarithmic scale, for losses. A number that is
    not finite, or on a logarithmic scale not above 0, interrupts its line, and a cross on the x axis says
    where.

    Returns the Axes. Raises MissingExtraError without matplotlib, TypeError for series that have no names,
    ShapeError for what is no row, and for more or fewer numbers than x has.
    """
    check_option("curves", "mark", optional(FINITE), mark)
    check_option("curves", "log", FLAG, log)
    if not isinstance(series, Mapping):
        raise TypeError(
            f"curves: series must be a dict, a name and its numbers each, not {show_given(series)}"
        )
    places = None if x is None else row_of("x", x)
    rows = {str(name): row_of(f"series[{name!r}]", numbers) for name, numbers in series.items()}
    for name, row in rows.items():
        if places is not None and len(row) != len(places):
            raise ShapeError(f"curves: x has {len(places)} numbers, series[{name!r}] {len(row)}")
    ax = axes_for("curves", ax)
    if log:
        rows = {name: np.where(row > 0, row, np.nan) for name, row in rows.items()}
        make_logarithmic(ax)
    lines = [
        draw(ax, np.arange(1.0, len(row) + 1) if places is None else places, row, number)
        for number, row in enumerate(rows.values())
    ]
    if mark is not None:
        ax.axvline(float(mark), color="0.5", linestyle=":", linewidth=1.2, zorder=0)
    if lines:
        # matplotlib leaves out what begins with an underscore, and takes what is between dollars as a formula
        legend = ax.legend(lines, [f" {name}" if name.startswith("_") else name for name in rows])
        for text in legend.get_texts():
            text.set_parse_math(False)
    if x is None:
        ax.xaxis.set_major_locator(whole_numbers())
        ax.set_xlabel("epoch")
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def row_of(name: str, given: Any) -> Array:
    """A row of numbers that can be drawn."""
    row = finite_floats_of("curves", name, given)
    if row.ndim != 1:
        raise ShapeError(f"curves: {name} must be a row of numbers, not {show_shape(row.shape)}")
    return row


def draw(ax: Axes, places: Array, row: Array, number: int) -> Any:
    """The line of one series, which is the number-th; returned for the legend."""
    colour = COLOURS[number % len(COLOURS)]
    (line,) = ax.plot(
        places,
        row,
        color=colour,
        linestyle=STYLES[number % len(STYLES)],
        marker=MARKERS[number % len(MARKERS)] if len(row) <= DOTTED else None,
        markersize=3.5,
    )
    missing = np.isnan(row) & np.isfinite(places)
    if missing.any():
        on_the_axis = np.zeros(np.count_nonzero(missing))
        ax.plot(
            places[missing], on_the_axis, "x", color=colour, transform=ax.get_xaxis_transform(), clip_on=False
        )
    return line


def make_logarithmic(ax: Axes) -> None:
    """A logarithmic y axis whose numbers are written as numbers, 0.2, not as powers of 10."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        """LogFormatter decides which ticks are labelled, and not how."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(Plain())
    ax.yaxis.set_minor_formatter(Plain(labelOnlyBase=False, minor_thresholds=(2, 0.4)))


def whole_numbers() -> Any:
    """Ticks at whole numbers alone: there is no epoch 1.5."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)
