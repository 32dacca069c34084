"""`Fact`: one thing outside of a step that its recording takes for granted."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import CellType, MappingProxyType
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from ..dtypes import Array
from ..engine.memory import sample

WHOLE = 1 << 16  # bytes in a bare array, up to which all its numbers are compared in each call
PLAIN = (int, float, complex, bool, str, bytes, type(None), np.generic, np.dtype, range, slice)
DICTS = (dict, MappingProxyType)
# What is raised by asking for what is not there any more, or what another thread is changing:
GONE = (LookupError, AttributeError, ValueError, RuntimeError)

cell_contents = attrgetter("cell_contents")  # of an enclosing variable
STATE = attrgetter("_requires_grad", "_listeners", "_edge")  # what a tensor is, beside its numbers


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

    @classmethod
    def copied(cls, ask: Callable[[Any], Any], key: Any, name: str) -> Fact:
        """The same, where `ask` makes something anew each time, to be compared with what it made now."""
        return cls(is_still, (ask, key, ask(key)), True, name)

    def holds(self) -> bool:
        """Whether it is still the case."""
        try:
            return is_same(self.ask(self.key), self.value)
        except GONE:
            return False


class Asked:
    """Facts sorted by how they are asked for: one loop for each kind, which Python runs in half the time of
    one for all, and without a call where there is another way to ask.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.entries: list[tuple[dict[Any, Any], Any, Any]] = []  # a dict, a key, and the value there
        self.cells: list[tuple[CellType, Any]] = []
        self.tensors: list[tuple[Any, Any, Any, Any]] = []  # with what STATE tells of them
        self.kinds: list[tuple[Any, type]] = []  # objects and their classes
        self.empty: list[Any] = []  # containers with nothing in them
        self.others: list[tuple[Callable[[Any], Any], Any, Any]] = []
        for ask, key, value, _ in facts:
            owner = getattr(ask, "__self__", None)
            if type(owner) is dict and ask == owner.get and key in owner:
                self.entries.append((owner, key, value))
            elif ask is cell_contents:
                self.cells.append((key, value))
            elif ask is STATE:
                self.tensors.append((key, *value))
            elif ask is type:
                self.kinds.append((key, value))
            elif ask is len and type(key) in (dict, list) and not key:
                self.empty.append(key)
            else:
                self.others.append((ask, key, value))

    def are_answered(self) -> bool:
        """Whether all have the very same answers. Raises one of GONE for what is not there any more."""
        for entries, key, value in self.entries:
            if entries[key] is not value:
                return False
        for cell, value in self.cells:
            if cell.cell_contents is not value:
                return False
        for tensor, requires_grad, listeners, edge in self.tensors:
            if tensor._requires_grad is not requires_grad or tensor._listeners is not listeners:
                return False
            if tensor._edge is not edge:
                return False
        for key, kind in self.kinds:
            if key.__class__ is not kind:
                return False
        for ask, key, value in self.others:
            if ask(key) is not value:
                return False
        return not any(self.empty)


class Large:
    """Lists, dicts and arrays that are too large to be compared in each call, as they are before a recording:
    a step that sets something in there would not do so in replays.
    """

    def __init__(self, things: Iterable[tuple[str, Any]]) -> None:
        self.before = [(name, thing, contents_of(thing)) for name, thing in things]

    def changed(self) -> list[str]:
        """What has changed since, by name."""
        return [name for name, thing, before in self.before if contents_of(thing) != before]


def contents_of(thing: Any) -> Any:
    """What is in a list, a dict or an array, to be compared."""
    return hash(thing.tobytes()) if isinstance(thing, np.ndarray) else ids_in(thing)


def is_still(known: tuple[Callable[[Any], Any], Any, Any]) -> bool:
    """Whether asking for something gives what it gave before."""
    ask, key, before = known
    return bool(ask(key) == before)


def form_and_numbers(array: Array) -> Any:
    """The form of an array, and the numbers in it: all of a small one, a sample of a large one."""
    numbers = array.tobytes() if array.nbytes <= WHOLE else sample(array)
    return array.shape, array.strides, array.dtype, numbers


def members_in(container: Iterable[Any]) -> list[Any]:
    """What is in a list; the keys and values in a dict."""
    return [*container, *container.values()] if isinstance(container, DICTS) else [*container]


def ids_in(container: Iterable[Any]) -> list[int]:
    """Which objects these are, as long as they are alive."""
    return list(map(id, members_in(container)))


def class_behind(reference: ref[Any]) -> Any:
    """The class that an object has, which is not kept alive for that."""
    return type(reference())


def is_gone(reference: ref[Any]) -> bool:
    """Whether an object that is held weakly is there no more."""
    return reference() is None


def remembered(function: Any) -> list[Any]:
    """What a function of `functools.lru_cache` remembers, in no order."""
    held = gc.get_referents(function)
    return held + [result for each in held if type(each) is dict for result in each.values()]


def ids_remembered(function: Any) -> list[int]:
    """Which objects these are, as long as they are alive."""
    return sorted(map(id, remembered(function)))


def variables_in(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables."""
    return dict(environment)


def is_plain(value: Any) -> bool:
    """Whether it is a number or a text and nothing else: without attributes, and no view of an array."""
    return isinstance(value, PLAIN) and not hasattr(value, "__dict__") and type(value) is not np.void


def is_same(value: Any, other: Any) -> bool:
    """Whether it is the same object, or two are equal numbers or texts, or tuples of such."""
    if value is other:
        return True
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(is_same, value, other))
    return is_plain(value) and repr(value) == repr(other)
