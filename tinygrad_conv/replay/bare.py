"""Arrays of NumPy's that a step is called with, watched while it is recorded.

A replay hands them to ops and functions anew. What Python or NumPy makes of their numbers beside, `if
x.max() > 1` or `x[0]`, it would not ask again. So a recorded call gets views of a class that tells.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from types import CellType
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.location import Where, user_where
from ..engine.observed import BACKWARD, OBSERVATION
from ..engine.tensor import Tensor

FORM = frozenset({"shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags", "base"})
ASKED = (  # by Python, of the class itself
    *("__getitem__", "__setitem__", "__iter__", "__contains__", "__bool__", "__int__", "__float__"),
    *("__complex__", "__index__", "__str__", "__repr__", "__format__", "__copy__", "__deepcopy__"),
    *("__reduce__", "__reduce_ex__"),
)


class Watched(np.ndarray):
    """A view of an array that tells where somebody asks for its numbers, and gives what the array gives."""

    original: Array
    places: list[Where]  # where somebody asked

    def __getattribute__(self, name: str) -> Any:
        if name in FORM:
            return super().__getattribute__(name)
        return np.ndarray if name == "__class__" else getattr(asked(self), name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(value, Tensor) for value in inputs):
            return NotImplemented  # an op is what it will be
        return getattr(ufunc, method)(*map(original_of, inputs), **originals_in(kwargs))

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        return function(*originals_in(inputs), **originals_in(options))


def watched(array: Array, places: list[Where]) -> Watched:
    """A view of an array that tells by adding to `places`."""
    view = array.view(Watched)
    members: dict[str, Any] = object.__getattribute__(view, "__dict__")
    members.update(original=array, places=places)
    return view


def asked(view: Any) -> Array:
    """The array itself, for somebody who asks for its numbers. That ops, rules and functions do so, which a
    replay calls too, is not told.
    """
    members = object.__getattribute__(view, "__dict__")
    if OBSERVATION.get() is not None and BACKWARD.get() is None:
        members["places"].append(user_where())
    original: Array = members["original"]
    return original


def original_of(value: Any) -> Any:
    """The array that a watched view shows; any other value itself."""
    return asked(value) if type(value) is Watched else value


def originals_in(value: Any) -> Any:
    """The same for all that is in lists, tuples and dicts."""
    return changed_in(value, original_of)


def changed_in(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with something else for what is in it: lists and dicts are the same objects, tuples are new."""
    if type(value) is dict:
        value.update({key: changed_in(member, change) for key, member in value.items()})
    elif type(value) is list:
        value[:] = [changed_in(member, change) for member in value]
    elif type(value) is tuple:
        return tuple([changed_in(member, change) for member in value])
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[changed_in(member, change) for member in value])
    else:
        return change(value)
    return value


def asking(name: str) -> Callable[..., Any]:
    """A method that Python looks up in the class."""

    def method(view: Any, *arguments: Any) -> Any:
        return getattr(asked(view), name)(*originals_in(arguments))

    return method


for name in ASKED:
    setattr(Watched, name, asking(name))


class Watch:
    """Watches these arrays. places: where somebody asked for their numbers."""

    def __init__(self, arrays: Iterable[Array]) -> None:
        self.places: list[Where] = []
        self.views = {id(array): watched(array, self.places) for array in arrays}

    def call(self, step: Callable[..., Any], inputs: Any, options: Any) -> Any:
        """Call a step with views in the places of the arrays, and have the arrays back in the end."""
        if not self.views:
            return step(*inputs, **options)
        try:
            shown, named = changed_in((inputs, options), self.view_of)
            return changed_in(step(*shown, **named), unwatched)
        finally:
            changed_in((inputs, options), unwatched)
            for view in list(self.views.values()):
                give_back(view)

    def view_of(self, value: Any) -> Any:
        """The view of one of the arrays; any other value itself."""
        return self.views.get(id(value), value)


def give_back(view: Any) -> None:
    """Have the array itself wherever the step has put a view of it."""
    array = unwatched(view)
    for holder in gc.get_referrers(view):
        if isinstance(holder, CellType):
            holder.cell_contents = array
        elif isinstance(holder, list):
            holder[:] = [array if value is view else value for value in holder]
        else:
            members = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
            members.update({name: array for name, value in members.items() if value is view})


def unwatched(value: Any) -> Any:
    """The same as `original_of`, where nobody asks for numbers."""
    return object.__getattribute__(value, "__dict__")["original"] if type(value) is Watched else value
