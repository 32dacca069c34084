"""Mistakes with axes: two of them exchanged, or an array reversed along some."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence


def exchanged_axes(evidence: Evidence) -> Iterator[Finding]:
    """Two axes of dx, of dy, or of another input are exchanged."""
    for name, view in views(evidence):
        for first, second in swaps(view.ndim - 1):
            moved = np.swapaxes(view, first + 1, second + 1).reshape(view.shape)
            finding = Finding("axes", f"axes {first} and {second} of {name} are exchanged")
            yield from if_so_moved(evidence, name, moved, finding)
    for position, name in evidence.other_inputs():
        array = evidence.arrays[position]
        for first, second in swaps(array.ndim):
            finding = Finding("axes", f"axes {first} and {second} of {name} are exchanged")
            yield from if_input_were(evidence, position, np.swapaxes(array, first, second), finding)


def reversed_axes(evidence: Evidence) -> Iterator[Finding]:
    """dx, dy, or another input is reversed along some axes: the kernel is flipped, or is not."""
    for name, view in views(evidence):
        for axes in flips(view.ndim - 1):
            moved = np.flip(view, tuple(axis + 1 for axis in axes))
            text = f"{name} is reversed along {show_axes(axes)}: flip it, or drop a flip"
            yield from if_so_moved(evidence, name, moved, Finding("flip", text))
    for position, name in evidence.other_inputs():
        array = evidence.arrays[position]
        for axes in flips(array.ndim):
            text = f"{name} is used reversed along {show_axes(axes)}: flip it, or drop a flip"
            yield from if_input_were(evidence, position, np.flip(array, axes), Finding("flip", text))


def views(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """The right Jacobian with the axes of dx, and with those of dy, as axes of its own: [the rest, *axes]."""
    rows, columns = evidence.right.shape
    yield f"d{evidence.name}", evidence.right.reshape(rows, *evidence.shape)
    yield "dy", evidence.right.T.reshape(columns, *evidence.output_shape)


def if_so_moved(evidence: Evidence, name: str, moved: Array, finding: Finding) -> Iterator[Finding]:
    """The finding, if the right Jacobian, so moved, is what the rule gives."""
    matrix = moved.reshape(len(moved), -1)
    if evidence.explained_by(matrix.T if name == "dy" else matrix):
        yield finding


def if_input_were(evidence: Evidence, position: int, array: Array, finding: Finding) -> Iterator[Finding]:
    """The finding, if the rule gives what would be right if the input at a position were another."""
    own = evidence.arrays[position]
    if array.shape != own.shape or np.array_equal(array, own):
        return
    arrays = evidence.arrays_with(position, array.copy())
    if not evidence.may_be_explained_by(evidence.call.function(arrays)):
        return
    if evidence.explained_by(evidence.right_with(arrays)):
        yield finding


def flips(ndim: int) -> list[tuple[int, ...]]:
    """Axes along which a thing may have been reversed by mistake: the last two, or any single axis."""
    both = [(ndim - 2, ndim - 1)] if ndim >= 2 else []
    return both + [(axis,) for axis in range(ndim)]


def swaps(ndim: int) -> list[tuple[int, int]]:
    """Pairs of axes that may have been exchanged by mistake."""
    return list(combinations(range(ndim), 2))


def show_axes(axes: tuple[int, ...]) -> str:
    """`axis 1`, `axes 2 and 3`."""
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + " and ".join(map(str, axes))
