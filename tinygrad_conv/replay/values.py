"""Arguments, options and results, with marks where a recorded call had an array or a tensor.

A recorded step is a program over numbered slots. Wherever a value stood that is another one in each call, its
mark says where to find it: in a slot, or among the tensors that the step was called with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from ..engine.memory import read_only
from ..engine.tensor import Tensor, tensor_of
from ..options import Option, as_numbers

Call = Callable[[list[Any], list[Any]], None]
"""One call of a program: of the values in all slots, and of the tensors that the step was called with."""


class ArrayIn(NamedTuple):
    """The array in a slot."""

    slot: int


class TensorIn(NamedTuple):
    """A tensor around the array in a slot. changeable: a leaf that the step made; else its numbers are a
    result's, which never change.
    """

    slot: int
    changeable: bool = False


class Argument(NamedTuple):
    """One of the tensors that the step was called with, itself."""

    number: int


class Reading(NamedTuple):
    """A number, or an array, that Python reads of a tensor by a method or an attribute."""

    tensor: Any  # a mark, or a tensor
    name: str


MARKS = (ArrayIn, TensorIn, Argument, Reading)


def with_marks(value: Any, mark: Callable[[Any], Any]) -> Any:
    """A value with marks for the tensors and arrays in it, as `mark` gives them (or the value itself)."""
    if isinstance(value, (Tensor, np.ndarray)):
        return mark(value)
    return rebuilt(value, lambda member: with_marks(member, mark))


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with what `change` makes of its members; itself, if it is none that has some."""
    if type(value) in (list, tuple):
        return type(value)([change(member) for member in value])
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[change(member) for member in value])
    if type(value) is dict:
        return {name: change(member) for name, member in value.items()}
    if type(value) is partial:
        function, arguments, options = change([value.func, list(value.args), value.keywords])
        return partial(function, *arguments, **options)
    if type(value) is slice:
        return slice(*[change(bound) for bound in (value.start, value.stop, value.step)])
    return value


def plain(option: Option | None, value: Any) -> Any:
    """The value of an option as an op hands it to its forward: a number of NumPy's as Python's."""
    return as_numbers(value) if isinstance(value, np.generic) and option and option.numeric else value


def marks_in(value: Any) -> Iterator[Any]:
    """The marks in a value, also those in slices and in functions that have some arguments already."""
    if isinstance(value, MARKS):
        yield value
        return
    if type(value) is partial:
        value = [value.func, value.args, value.keywords]
    elif type(value) is slice:
        value = [value.start, value.stop, value.step]
    if isinstance(value, (list, tuple, dict)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from marks_in(member)


def has_marks(value: Any) -> bool:
    """Whether there are marks in a value."""
    return next(marks_in(value), None) is not None


def slots_of(value: Any) -> list[int]:
    """The slots that the marks in a value name."""
    marks = [mark.tensor if isinstance(mark, Reading) else mark for mark in marks_in(value)]
    return [mark.slot for mark in marks if isinstance(mark, (ArrayIn, TensorIn))]


def filled(value: Any, slots: list[Any], tensors: list[Any]) -> Any:
    """A value with what its marks stand for in this call."""
    if isinstance(value, MARKS):
        return stands_for(value, slots, tensors)
    return rebuilt(value, lambda member: filled(member, slots, tensors))


def walk(value: Any) -> Any:
    """The values in lists, tuples and dicts, one by one."""
    if isinstance(value, MARKS) or not isinstance(value, (list, tuple, dict)):
        yield value
    else:
        for member in value.values() if isinstance(value, dict) else value:
            yield from walk(member)


def stands_for(mark: Any, slots: list[Any], tensors: list[Any]) -> Any:
    """What a mark stands for in this call."""
    if type(mark) is ArrayIn:
        return slots[mark.slot]
    if type(mark) is Argument:
        return tensors[mark.number]
    if type(mark) is TensorIn:
        return tensor_of(slots[mark.slot] if mark.changeable else read_only(slots[mark.slot]))
    read: Any = getattr(filled(mark.tensor, slots, tensors), mark.name)
    return read() if callable(read) else read


def reader(numbers: tuple[int, ...]) -> Callable[[list[Any]], tuple[Any, ...]]:
    """Takes the values in these slots out of all slots."""
    if len(numbers) == 1:
        number = numbers[0]
        return lambda slots: (slots[number],)
    return itemgetter(*numbers) if numbers else lambda slots: ()


def same(value: Any, other: Any) -> bool:
    """Whether two constants are the same, to the bit; of what is no number, text or array, the same object,
    or equal ones of one type.
    """
    if value is other:
        return True
    if type(value) is not type(other):
        return False
    if isinstance(value, np.ndarray):
        alike = value.shape == other.shape and value.dtype == other.dtype
        return alike and value.tobytes() == other.tobytes()
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(same, value, other))
    if type(value) is dict:
        return list(value) == list(other) and all(map(same, value.values(), other.values()))
    if type(value) is partial:
        mine, theirs = ([each.func, each.args, each.keywords] for each in (value, other))
        return same(mine, theirs)
    if isinstance(value, (float, complex, np.generic)):
        return np.asarray(value).tobytes() == np.asarray(other).tobytes()
    if isinstance(value, Tensor):
        return False
    try:
        return bool(value == other)
    except Exception:  # whatever a user's own comparison raises
        return False
