"""What an op's node saves of what the op was given: inputs, params, and what inputs are called."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import CODES
from ..errors import DtypeError, show_array
from .memory import WHOLE, Contents, sample
from .tensor import Tensor

# Types of params that nobody can change behind the tape
PLAIN = frozenset({int, float, bool, str, type(None), np.dtype})
PLAIN_OR_TUPLE = PLAIN | {tuple}  # what is in a tuple, `Op.unwrap_params` looks at


class SavePlan(NamedTuple):
    """What to save for backward where some inputs want a gradient: names, and where their values are."""

    inputs: list[tuple[str, int]]  # with their positions
    shapes: list[tuple[str, int]]  # of inputs, likewise
    kept: list[tuple[str, int]]  # with their places among the kept values
    output: bool
    constants: list[int]  # the positions of inputs that want no gradient


def save_input(value: Any, array: Any, contents: list[Contents]) -> Any:
    """The array to save of an input. What is in a leaf's memory is noted, so that a change is noticed."""
    if not isinstance(value, Tensor):  # a bare array is its owner's to change
        return None if value is None else own_copy(array)
    if value._edge is None or (value._memory is not None and value._memory.changeable):
        numbers = array.tobytes() if array.nbytes <= WHOLE else sample(array)
        contents.append((value._memory or value.memory(), array, numbers))
    return array


def is_plain_index(value: Any) -> bool:
    """Whether it is a slice, or a tuple of slices and other things, that nobody can change."""
    if type(value) is tuple:
        return all([type(item) in PLAIN or item is ... or is_plain_index(item) for item in value])
    return type(value) is slice and PLAIN.issuperset(map(type, (value.start, value.stop, value.step)))


def own_copy_of_param(value: Any) -> Any:
    """A copy for the tape of what its owner may change, in its memory order: that of a gradient follows."""
    return value.copy("K") if type(value) is np.ndarray else deepcopy(value)  # which takes four times as long


def own_copy(array: Any) -> Any:
    """A copy of a bare array for the tape. Raises DtypeError for one whose gradients would be lost."""
    if array.dtype.char not in CODES:
        raise DtypeError(f"the tape has no place for {show_array(array)}")
    return array.copy()


def name_constants(inputs: tuple[Any, ...], positions: list[int]) -> dict[int, Any]:
    """By position, what people know the inputs by that want no gradient: a number, or a tensor's name."""
    constants = {}
    for position in positions:
        value = inputs[position]
        if value is not None:
            constants[position] = value if type(value) in PLAIN else getattr(value, "name", None)
    return constants
