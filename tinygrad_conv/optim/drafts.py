"""Where a step is computed, beside the numbers that it is to replace."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array, numeric_array
from ..engine.commit import Changes
from ..engine.location import warn_user
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_array, show_shape, show_tensor

State = dict[str, Any]

IN_PLACE = "it is to change the array it gets: `data -= …` or `data[...] = …`, never `data = …`"
"""How an `update` is to be written."""


class Drafts:
    """Copies of arrays. What shares memory shares the copy too, so that all updates of it add up."""

    def __init__(self, arrays: list[Array]) -> None:
        self._shared = len({id(memory_owner(array)) for array in arrays}) < len(arrays)
        self._copies: dict[int, Array] = {}  # id of what owns memory → a copy of it, byte by byte

    def of(self, array: Array) -> Array:
        """The copy of an array."""
        if not self._shared:
            return array.copy()
        owner = memory_owner(array)
        memory = self._copies.get(id(owner))
        if memory is None:
            memory = self._copies[id(owner)] = np.empty(span(owner), np.uint8)
            inside(memory, owner, owner)[...] = owner
        return inside(memory, array, owner)


def memory_owner(array: Array) -> Array:
    """The array whose memory this one shows: itself, where it is no view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def share_memory(arrays: list[Array]) -> bool:
    """Whether some of them show the memory of one array."""
    for array in arrays:
        if array.base is not None:  # seldom: parameters own their memory
            arrays = [memory_owner(array) for array in arrays]
            break
    return len({*map(id, arrays)}) < len(arrays)


def span(array: Array) -> int:
    """How many bytes there are from the first element of an array to its last, both included."""
    if not array.size:
        return 0
    return array.itemsize + sum((size - 1) * stride for size, stride in zip(array.shape, array.strides))


def inside(memory: Array, array: Array, owner: Array) -> Array:
    """What an array is in a copy of its owner's memory."""
    offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)


def plain_gradient(param: Tensor) -> Array:
    """A gradient that a user has set, as an array. Raises ShapeError where it would broadcast."""
    grad = np.asarray(param.grad.data if isinstance(param.grad, Tensor) else param.grad)
    if grad.shape != param.shape or grad.dtype not in FLOATS:
        raise ShapeError(
            f"the gradient of {show_tensor(param)} is {show_array(grad)}, but it is {show_array(param)}"
        )
    return grad.astype(param.dtype, copy=False)


def draft_of_state(state: State, before: Any, now: Any) -> State:
    """A copy of a parameter's state. Arrays in the dtype that it had before take the one it has now."""
    return {
        name: value.astype(now) if isinstance(value, np.ndarray) and value.dtype == before else copied(value)
        for name, value in state.items()
    }


def copied(value: Any) -> Any:
    """A value of a state, which nobody else changes."""
    if type(value) is np.ndarray:
        return value.copy()
    return value if type(value) in (int, float, bool, str, type(None)) else copy.deepcopy(value)


def checked_update(kind: str, data: Array, returned: Any) -> tuple[Array, State]:
    """What an `updated` returned for a parameter. Raises TypeError for what is no array and a dict, and for
    numbers that no tensor has, ShapeError for another shape.
    """
    if type(returned) is not tuple or len(returned) != 2 or not isinstance(returned[1], dict):
        raise TypeError(
            f"{kind}: updated must return (numbers, state), an array and a dict, not {returned!r:.200}"
        )
    try:
        numbers = numeric_array(returned[0])
    except DtypeError as error:
        raise TypeError(
            f"{kind}: updated returned {type(returned[0]).__name__} as numbers: {error}"
        ) from None
    check_shape(kind, data, numbers)
    return numbers, returned[1]


def check_shapes(kind: str, changes: Changes) -> None:
    """Refuse numbers of another shape than their parameter: they would broadcast, or stop a commit midway."""
    for data, numbers in changes.written():
        check_shape(kind, data, numbers)


def check_shape(kind: str, data: Array, numbers: Array) -> None:
    """Refuse what an `updated` returned in another shape."""
    if numbers.shape != data.shape:
        raise ShapeError(
            f"{kind}: updated returned {show_array(numbers)} for a parameter of {show_array(data)}"
        )


def check_alike(kind: str, numbers: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an array that an `update` has given another shape or dtype, where it was to change numbers."""
    if numbers.shape != shape or numbers.dtype != dtype:
        raise ShapeError(
            f"{kind}: update made {show_array(numbers)} of {dtype}{show_shape(shape)}; {IN_PLACE}"
        )


def warn_if_unchanged(kind: str, param: Any, numbers: Array, grad: Array) -> None:
    """Warn of a first `update` that did nothing with a gradient: it may have given `data` another meaning."""
    if grad.any() and np.array_equal(numbers, param.data):
        warn_user(f"{kind}: update left {show_tensor(param)} as it is; {IN_PLACE}")
