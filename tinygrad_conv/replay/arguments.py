"""What a step is called with: its tensors and arrays, and a key of all that decides a recording."""

from __future__ import annotations

from operator import is_
from typing import Any

import numpy as np

from ..engine.tensor import Tensor

PLAIN = (int, bool, str, bytes, type(None), np.dtype, range, type)


NUMBERS = (float, complex, np.generic)


def form_of(key: Any) -> Any:
    """The key of calls without the values of numbers: the same of calls that differ in these alone."""
    if type(key) is not tuple:
        return key
    if len(key) == 2 and isinstance(key[0], type) and (key[0] is int or issubclass(key[0], NUMBERS)):
        return key[0]
    return tuple(map(form_of, key))


class Arguments:
    """The arguments of one call.

    tensors, arrays: those in it, in order, in tuples, lists and dicts too. key: the shapes, dtypes, memory
    order of these, whether they are leaves or results, which are the same object, and the values of all
    others. ids: of the arrays. others: objects of other types, which are known by their identity.
    """

    def __init__(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.tensors: list[Tensor] = []
        self.bare: list[Any] = []  # ndarrays
        self.others: list[Any] = []
        key: list[Any] = list(map(self.key_of, inputs))
        if options:
            key += [(name, self.key_of(value)) for name, value in options.items()]
        self.arrays = [tensor._data for tensor in self.tensors]
        if self.bare:
            self.arrays += self.bare
        self.ids = set(map(id, self.arrays))
        if len(self.ids) < len(self.arrays):  # some are the same, and so may the tensors be
            first: dict[int, int] = {}
            given = [*self.arrays, *self.tensors]
            key.append(tuple([first.setdefault(id(value), place) for place, value in enumerate(given)]))
        self.key = tuple(key)

    def is_same(self, later: Arguments) -> bool:
        """Whether a call's arguments are afterwards what they were, as far as their key and objects say."""
        before, after = ([*each.tensors, *each.bare, *each.others] for each in (self, later))
        return self.key == later.key and all(map(is_, before, after))

    def key_of(self, value: Any) -> Any:
        """What of an argument decides whether a recording fits."""
        if isinstance(value, Tensor):
            self.tensors.append(value)
            data = value._data
            own = data.flags.writeable  # a result's is not
            return data.shape, data.dtype.char, data.strides, own, value._requires_grad, value._edge is None
        kind = type(value)
        if kind in PLAIN:
            return kind, value
        if kind is np.ndarray and not value.dtype.hasobject:
            self.bare.append(value)
            return "array", value.shape, value.dtype.char, value.strides, value.flags.writeable
        if kind in (tuple, list):
            return kind, *map(self.key_of, value)
        if kind is dict:
            return kind, *[(self.key_of(name), self.key_of(member)) for name, member in value.items()]
        if kind is slice:
            return kind, *map(self.key_of, (value.start, value.stop, value.step))
        if isinstance(value, tuple):  # a named one
            return kind, *map(self.key_of, value)
        if kind in (float, complex) or isinstance(value, np.generic):
            return kind, np.asarray(value).tobytes()
        self.others.append(value)
        return kind, id(value)
