"""Which class was taken for which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import Array
from ..errors import DtypeError, ShapeError, show_array, show_shape
from ..options import Option, check_option, is_sequence, optional
from .axes import SMALLEST_TEXT, array_of, axes_for, say_nothing_to_draw, text_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT, WRONG = "Blues", "Oranges"
PALE, DARK = 0.12, 0.85  # the part of each map that is used: no colour so pale that it looks like none
FREQUENT = 0.1  # the part of a class that, mistaken, is dark whatever else was mistaken
MOST_CLASSES = 1000  # a table of more cannot be read, nor seen
NAMED = 25  # at most so many classes are named along a side

NAMES = optional(Option("a sequence of names, one for each class", is_sequence))


def confusion(ax: Axes | None, truth: Any, predicted: Any, *, names: Sequence[Any] | None = None) -> Axes:
    """Draw how often each class (row) was taken for each class (column): a confusion matrix.

    ax: the Axes to draw into; None makes a figure. truth, predicted: the number of a class for each example,
    integers [N]. names: of the classes; by default their numbers, up to the largest that occurs. What is
    right is blue, by its share of the row; mistakes are orange, the darker the more frequent. A class without
    examples has an empty row. The title says how much is right.

    Returns the Axes. Raises MissingExtraError without matplotlib, DtypeError for labels that are not
    integers, ShapeError unless there is one prediction for each, ValueError for a label without a name or
    below 0.
    """
    check_option("confusion", "names", NAMES, names)
    true, taken_for = labels_of("truth", truth), labels_of("predicted", predicted)
    if len(true) != len(taken_for):
        raise ShapeError(f"confusion: one prediction for each label; got {len(true)} and {len(taken_for)}")
    counts = count_pairs(true, taken_for, None if names is None else len(names))
    ax = axes_for("confusion", ax)
    classes = len(counts)
    ax.set(xticks=[], yticks=[], xlabel="predicted", ylabel="true")
    if not classes:
        say_nothing_to_draw(ax, "no examples")
        return ax
    ax.imshow(colours(counts), interpolation="nearest")
    write_counts(ax, counts)
    name_classes(ax, [str(name) for name in (range(classes) if names is None else names)])
    right, total = int(np.trace(counts)), int(counts.sum())
    ax.set_title(f"{100 * right / total:.2f} % of {total:,} right" if total else "no examples")
    return ax


def labels_of(name: str, given: Any) -> Array:
    """Labels as integers [N]."""
    labels = array_of("confusion", name, given)
    if labels.dtype.kind == "f" and labels.size:
        raise DtypeError(
            f"confusion: {name} must be integers, the numbers of classes, not {show_array(labels)}"
        )
    if labels.ndim != 1:
        raise ShapeError(f"confusion: {name} must be labels [N], not {show_shape(labels.shape)}")
    return labels


def count_pairs(truth: Array, predicted: Array, classes: int | None) -> Array:
    """How often each class (row) was taken for each (column)."""
    largest = max((int(labels.max(initial=0)) for labels in (truth, predicted)), default=0)
    least = min(int(labels.min(initial=0)) for labels in (truth, predicted))
    if classes is None:
        classes = largest + 1 if len(truth) else 0
    if least < 0:
        raise ValueError(f"confusion: labels count classes from 0; one is {least}")
    if len(truth) and largest >= classes:
        named = f"names for 0 to {classes - 1} alone" if classes else "no names"
        raise ValueError(f"confusion: a label is {largest}, and there are {named}")
    if classes > MOST_CLASSES:
        raise ValueError(
            f"confusion: {classes:,} classes are more than the {MOST_CLASSES:,} that can be drawn"
        )
    pairs = truth.astype(np.intp) * classes + predicted.astype(np.intp)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def colours(counts: Array) -> Array:
    """A colour for each cell, RGBA [K, K, 4]: white where nothing was counted."""
    from matplotlib import colormaps

    of_row = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    # a single mistake among many examples is pale, though there be none that is more frequent
    of_mistakes = mistakes / max(mistakes.max(), FREQUENT * counts.sum(axis=1).max(), 1)
    shaded = colormaps[WRONG](PALE + (DARK - PALE) * of_mistakes)
    on_diagonal = np.arange(len(counts))
    shaded[on_diagonal, on_diagonal] = colormaps[RIGHT](PALE + (DARK - PALE) * np.diag(of_row))
    shaded[counts == 0] = 1
    return shaded


def write_counts(ax: Axes, counts: Array) -> None:
    """The counts that are not 0, where there is room for them, dark on pale and white on dark."""
    size = text_size(ax, len(f" {counts.max()} "), across=len(counts), down=len(counts))
    if size <= SMALLEST_TEXT:
        return
    luminance = colours(counts)[..., :3] @ (0.299, 0.587, 0.114)
    for row, column in np.argwhere(counts):
        ink = "white" if luminance[row, column] < 0.5 else "black"
        ax.text(column, row, str(counts[row, column]), ha="center", va="center", color=ink, fontsize=size)


def name_classes(ax: Axes, names: list[str]) -> None:
    """The names along both sides: of all classes, or of some where they are many."""
    shown = range(0, len(names), math.ceil(len(names) / NAMED))
    labels = [names[place] for place in shown]
    size = text_size(ax, 1, across=len(labels), down=len(labels))
    level = text_size(ax, 1 + max(map(len, labels)), across=len(labels), down=1) >= size
    ax.set_xticks(shown, labels, rotation=0 if level else 90, fontsize=size, parse_math=False)
    ax.set_yticks(shown, labels, fontsize=size, parse_math=False)
