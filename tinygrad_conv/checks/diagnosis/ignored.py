"""Right for another value of a param or of another input: the rule ignores it, or reads it wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from ..introspection import REFUSALS
from .evidence import Evidence


def an_ignored_param(evidence: Evidence) -> Iterator[Finding]:
    """It gives what would be right if a param had another value."""
    for name, value in {**evidence.call.op.defaults, **evidence.call.params}.items():
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
