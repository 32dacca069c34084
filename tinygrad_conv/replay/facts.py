"""`Fact`: one thing outside of a step that its recording takes for granted."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..engine.memory import WHOLE, sample

PLAIN = (int, float, complex, bool, str, bytes, type(None), np.generic, np.dtype, range, slice)

cell_contents = attrgetter("cell_contents")  # of an enclosing variable


GONE = (LookupError, AttributeError, ValueError)  # what asking for what is not there any more raises


class Fact(NamedTuple):
    """`ask(key)` is this very value.

    `ask` is a dict's `get`, `len` or the like, in C mostly; it may raise one of GONE.
    """

    ask: Callable[[Any], Any]
    key: Any
    value: Any
    name: str  # what people know it by

    @classmethod
    def now(cls, ask: Callable[[Any], Any], key: Any, name: str) -> Fact:
        """What is the case at the moment."""
        return cls(ask, key, ask(key), name)

    def holds(self) -> bool:
        """Whether it is still the case."""
        try:
            return is_same(self.ask(self.key), self.value)
        except GONE:
            return False


def numbers_in(array: Array) -> bytes:
    """The numbers in an array: all of a small one, a sample of a large one."""
    return array.tobytes() if array.nbytes <= WHOLE else sample(array)


def is_same(value: Any, other: Any) -> bool:
    """Whether it is the same object, or two are equal numbers or texts, or tuples or frozen sets of such."""
    if value is other:
        return True
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(is_same, value, other))
    if type(value) is frozenset:
        return bool(value == other)
    return isinstance(value, PLAIN) and repr(value) == repr(other)
