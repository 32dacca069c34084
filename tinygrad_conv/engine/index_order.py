"""`x[0, :, [1, 2]]`: which dimension comes where, in PyTorch's order.

To PyTorch an integer picks a part, and its dimension is gone before the arrays are looked at. To NumPy it is
an array too, and where a slice stands between arrays, what they pick moves to the front. Where that makes a
difference the index is replaced by one of arrays alone, which both understand alike.
"""

from __future__ import annotations

import math
import operator
from types import EllipsisType, NoneType
from typing import Any

import numpy as np

from ..dtypes import check_unmasked
from ..errors import DtypeError, show_array
from .location import warn_user

BETWEEN = (slice, EllipsisType, NoneType)
BOOLS = (bool, np.bool_)
USUAL_TYPES = frozenset({int, *BETWEEN})
"""What most indices are made of: nothing that picks several places by their numbers."""


def in_pytorchs_order(index: Any, shape: tuple[int, ...]) -> Any:
    """An index that has NumPy pick what PyTorch would of an array of this shape, in the same order.

    Raises DtypeError for bytes that are a mask to PyTorch, and places to NumPy; IndexError for a list with a
    slice in it. A list of lists means what it does to NumPy, with a warning.
    """
    if type(index) in USUAL_TYPES or (type(index) is tuple and USUAL_TYPES.issuperset(map(type, index))):
        return index
    index = without_buffers(index)
    for part in index if type(index) is tuple else (index,):
        check_unmasked(part, "x[…]")
    if type(index) is list:
        look_at_list(index)
    check_no_mask_of_bytes(index if type(index) is tuple else (index,), shape)
    if type(index) is not tuple or len(index) < 3:
        return index
    index = without_idle_ellipsis(index, shape)
    if not is_mixed(index):
        return index
    first: list[Any] = []
    second: list[Any] = []
    for part in index:
        if isinstance(part, BETWEEN):
            first.append(part)
            second.append(... if part is ... else slice(None))
        elif is_single(part):
            first.append(operator.index(part))
        else:
            array = np.asarray(part, np.intp if isinstance(part, (list, tuple)) and not part else None)
            first.extend([slice(None)] * (array.ndim if array.dtype == bool else 1))
            second.append(array)
    try:
        places = np.arange(math.prod(shape)).reshape(shape)[tuple(first)][tuple(second)]
    except IndexError:
        return index  # the op says what is wrong with it
    return np.unravel_index(places, shape)


def without_buffers(index: Any) -> Any:
    """The index with an array in the place of a memoryview, of which the tape could keep no copy."""
    if type(index) is tuple:
        return tuple(map(without_buffers, index))
    return np.array(index) if isinstance(index, memoryview) else index


def look_at_list(index: list[Any]) -> None:
    """Warn of a list with more than single numbers in it, `x[[[0, 1], [1, 0]]]`; refuse one with a slice."""
    if any(isinstance(part, BETWEEN) for part in index):
        raise IndexError("x[…]: the index is a list with a slice, None or … in it; write x[tuple(index)]")
    if any(map(is_several, index)):
        warn_user(
            "x[…]: the index is a list of lists or arrays. It is one array of places, as to NumPy; PyTorch "
            "takes it for one index for each dimension still. Write x[tg.tensor(index)], or x[tuple(index)]"
        )


def is_several(part: Any) -> bool:
    """Whether a member of a list makes PyTorch take the list for a tuple."""
    return isinstance(part, (list, tuple, range, np.ndarray)) or hasattr(part, "_data")


def check_no_mask_of_bytes(index: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    """Refuse zeros and ones of uint8 in the shape of what they are to pick from."""
    place = 0
    for part in index:
        if part is ...:
            place = len(shape) - sum(map(dimensions, index)) + place
        elif getattr(part, "dtype", None) == np.uint8 and part.ndim:
            fits = part.shape == shape[place : place + part.ndim] and 0 not in part.shape
            if fits and np.asarray(part).max() <= 1:
                raise DtypeError(
                    f"x[…]: the index is {show_array(part)}, to PyTorch a mask, to NumPy places; write "
                    "index.bool() or index.long()"
                )
        place += dimensions(part)


def without_idle_ellipsis(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The index without a `…` that stands for no dimension: to NumPy it would keep arrays apart."""
    if sum(map(dimensions, index)) < len(shape):
        return index
    return tuple([part for part in index if part is not ...])


def dimensions(part: Any) -> int:
    """How many dimensions a part of an index picks from; `…` not counted."""
    if part is None or part is ... or isinstance(part, BOOLS):
        return 0
    is_mask = getattr(getattr(part, "dtype", None), "kind", "") == "b"
    return int(part.ndim) if is_mask else 1


def is_mixed(index: tuple[Any, ...]) -> bool:
    """Whether a slice, None or `…` stands between integers and arrays."""
    kinds = "".join("-" if isinstance(part, BETWEEN) else "i" if is_single(part) else "a" for part in index)
    return "i" in kinds and "a" in kinds and "-" in kinds.strip("-")


def is_single(part: Any) -> bool:
    """Whether it is one integer, be it in an array without dimensions."""
    if isinstance(part, BOOLS):
        return False
    kind = getattr(getattr(part, "dtype", None), "kind", "O")
    return isinstance(part, int) or (kind in "iu" and getattr(part, "ndim", 1) == 0)
