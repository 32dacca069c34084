"""Sums that several rules of one op need of the same arrays, added up once.

The rules of a normalisation run one after another, each by itself: that for x needs Σ dY (x - μ) and Σ dY
over every channel, that for w the first sum again, and that for b the second. So the last result is
remembered, for whoever asks for it next with the very same arrays. Only if nobody can write to them, as where
the engine hands them to rules: else they may have changed. Nothing is kept alive for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from sys import getrefcount
from threading import local
from typing import Any
from weakref import ref

import numpy as np

from .window import Array

LARGE = 1 << 16  # numbers: with fewer, the sum is there as soon as the answer whether it is known


class Last(local):
    """The last result, in this thread, and of what."""

    def __init__(self) -> None:
        self.arrays: list[ref[Array]] = []
        self.others: list[Any] = []
        self.result: Array = np.empty(0)

    def is_of(self, arrays: Sequence[Array], others: list[Any]) -> bool:
        """Whether it is the result of these."""
        same = len(self.arrays) == len(arrays) and all(
            [of() is each for of, each in zip(self.arrays, arrays)]
        )
        return same and self.others == others


def holders_of_base(view: Array) -> int:
    """How many hold the array that this is a view of, and who asks."""
    return getrefcount(view.base)


THE_VIEW_ALONE = holders_of_base(np.empty(1)[:])


def may_be_written_to(array: Array) -> bool:
    """Whether somebody can change it: through itself, or through the memory that it is a read-only view of.
    Where that is an array which nobody but the view holds, nobody can.
    """
    if array.flags.writeable:
        return True
    if array.base is None:
        return False
    if not isinstance(array.base, np.ndarray) or array.base.base is not None:
        return True  # who else has that memory, cannot be seen
    return array.base.flags.writeable and holders_of_base(array) != THE_VIEW_ALONE


def once(large: int) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """A function of arrays, the first of which, so many, are large: these have to be the very same ones, of
    the others the numbers.
    """

    def decorate(function: Callable[..., Array]) -> Callable[..., Array]:
        last = Last()

        @wraps(function)
        def remembering(*arrays: Array) -> Array:
            if arrays[0].size < LARGE or any(map(may_be_written_to, arrays[:large])):
                return function(*arrays)
            others = [(array.dtype, array.shape, array.tobytes()) for array in arrays[large:]]
            if not last.is_of(arrays[:large], others):
                last.arrays = []  # should it fail
                last.result, last.others = function(*arrays), others
                last.arrays = [ref(array) for array in arrays[:large]]
            return last.result.copy()

        return remembering

    return decorate
