"""Mistakes that show under a condition only: right as soon as params, shapes or memory are simple.

And gradients that would be right for another value of a param or of another input: the rule ignores it, or
reads it wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import show_shape
from ..behaviour import MEMORY
from ..fault import Finding
from ..introspection import REFUSALS
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


def an_ignored_param(evidence: Evidence) -> Iterator[Finding]:
    """It gives what would be right if a param had another value."""
    for name, value in evidence.call.every_param.items():
        for text, other in other_values(value):
            if text != repr(value) and explained_with(evidence, evidence.arrays, **{name: other}):
                is_value = f"{name}={text}, where {name} is {value!r}"
                yield Finding(
                    "param", f"it gives what would be right with {is_value}: is {name} used as it should?"
                )


def other_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Values that a param may be mistaken for, by their names."""
    if isinstance(value, bool):
        yield repr(not value), not value
    elif isinstance(value, int):
        yield from (
            (repr(other), other) for other in (0, 1, 2, value - 1, value + 1, -value) if other != value
        )
    elif isinstance(value, float):
        made = {
            "0": 0.0,
            "1": 1.0,
            "the negative of it": -value,
            "1 less it": 1 - value,
            "twice it": 2 * value,
        }
        made |= {"half of it": value / 2, "its square": value * value}
        made |= {"1 / it": 1 / value} if value else {}
        yield from ((text, other) for text, other in made.items() if other != value)
    elif isinstance(value, tuple) and all(type(size) is int for size in value) and value != value[::-1]:
        yield repr(value[::-1]), value[::-1]


def an_ignored_input(evidence: Evidence) -> Iterator[Finding]:
    """It gives what would be right if another input were 1, 0, its negative or its mean."""
    own = evidence.call.checked[evidence.argument]
    for position, array in enumerate(evidence.arrays):
        if position == own or not isinstance(array, np.ndarray) or not array.size:
            continue
        name = evidence.name_at(position)
        for text, other in other_arrays(array):
            changed = evidence.arrays_with(position, other)
            if not np.array_equal(other, array) and explained_with(evidence, changed):
                yield Finding("input", f"it gives what would be right if {name} were {text}: is {name} used?")


def other_arrays(array: Array) -> Iterator[tuple[str, Array]]:
    """Arrays that one may be mistaken for, by their names."""
    yield "1 everywhere", np.ones_like(array)
    yield "0 everywhere", np.zeros_like(array)
    if array.dtype == np.bool_:
        yield "its opposite", ~array
    elif array.dtype.kind == "f":
        if (array <= 0).all():
            yield "its negative, which is its absolute value here", -array
        else:
            yield "its negative", -array
            yield "its absolute value", np.abs(array)
        for axis in range(array.ndim):
            if array.shape[axis] > 1:
                yield f"rolled by 1 along axis {axis}", np.roll(array, 1, axis)
                yield f"rolled by -1 along axis {axis}", np.roll(array, -1, axis)


def explained_with(evidence: Evidence, arrays: tuple[Any, ...], **params: Any) -> bool:
    """Whether the rule gives what is right for other inputs or params; not where the op refuses them."""
    try:
        with np.errstate(all="ignore"):
            function = evidence.call.function(arrays, **params)
            if function.codomain.shapes != evidence.function.codomain.shapes:
                return False
            if not evidence.may_be_explained_by(function):
                return False
            right = function.differences(evidence.step)[evidence.rows, evidence.columns]
    except (*REFUSALS, ZeroDivisionError, FloatingPointError):
        return False
    return evidence.explained_by(right)
