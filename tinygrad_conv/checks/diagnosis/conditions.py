"""Mistakes that show under a condition only: right as soon as params, shapes or memory are simple."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import show_shape
from ..fault import Finding
from ..introspection import REFUSALS
from ..layouts import MEMORY
from .evidence import Evidence


def the_layout(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as all inputs lie in memory row by row."""
    arrays = [array for array in evidence.arrays if isinstance(array, np.ndarray)]
    if all(array.flags.c_contiguous for array in arrays):
        return
    contiguous = tuple(
        np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array for array in evidence.arrays
    )
    if evidence.is_right_with(contiguous):
        text = f"right where the inputs are contiguous in memory, wrong where they are not: {MEMORY}"
        yield Finding("layout", text)


def a_param(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as a param has its default."""
    for name, default in evidence.call.op.defaults.items():
        value = evidence.call.params.get(name, default)
        if not isinstance(value, (int, float, tuple, list, str)) or value == default:
            continue
        if not is_right_where_taken(evidence, name, default):
            continue
        if name == "padding":
            yield Finding("border", f"right without padding, wrong at the border with padding={value!r}")
        else:
            yield Finding("param", f"right with {name}={default!r}, wrong with {name}={value!r}")


def is_right_where_taken(evidence: Evidence, param: str, value: Any) -> bool:
    """Whether the gradient is right with another value of a param; not where the op refuses it."""
    try:
        return evidence.is_right_with(evidence.arrays, **{param: value})
    except REFUSALS:
        return False


def the_remainder(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as the rows that no window touches are cut off the input."""
    own = evidence.call.checked[evidence.argument]
    for position in {own, *(other for other, _ in evidence.other_inputs())}:
        cut = without_remainder(evidence, position)
        if cut is not None and evidence.is_right_with(cut):
            name = evidence.call.op.inputs[0 if evidence.call.op.variadic else position]
            right, wrong = show_shape(cut[position].shape), show_shape(evidence.arrays[position].shape)
            shapes = f"right with {name} {right}, wrong with {wrong}, the end of which no window reads"
            yield Finding("remainder", f"wrong only where the stride leaves a remainder: {shapes}")


def without_remainder(evidence: Evidence, position: int) -> tuple[Any, ...] | None:
    """The inputs, with those last rows and columns of one cut off that its output does not depend on.

    None if there are none.
    """
    array = evidence.arrays[position]
    if position not in evidence.call.checked:
        return None
    right = evidence.every_right[evidence.call.checked.index(position)].reshape(-1, *array.shape)
    indices = np.argwhere((np.abs(right) > 1e-9).any(axis=0))
    sizes = [int(last) + 1 for last in indices.max(axis=0, initial=-1)]
    if not all(sizes) or tuple(sizes) == array.shape:
        return None
    arrays = evidence.arrays_with(position, array[tuple(slice(0, size) for size in sizes)])
    return arrays if has_same_outputs(evidence, arrays) else None


def has_same_outputs(evidence: Evidence, arrays: tuple[Any, ...]) -> bool:
    """Whether the op's outputs have the same shapes for these inputs; not where it refuses them."""
    try:
        function = evidence.call.function(arrays)
    except REFUSALS:
        return False
    return function.codomain.shapes == evidence.function.codomain.shapes
