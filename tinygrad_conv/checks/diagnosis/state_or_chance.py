"""Not the same twice: does a function draw random numbers, or does it keep a state?

What it can reach (globals, closure, defaults, its object's attributes) is put back as it was before a call:
where that makes the next call the same, that is the cause. Nothing is said where nothing is known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ..tolerance import same

Run = Callable[[], Array]
DRAWS = "draws random numbers"
NO_STATE = (ModuleType, FunctionType, type, str, bytes, type(None))


class Slot(NamedTuple):
    """A place that a function reads a value from: its name, and how to read and write it."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]


def why_different(function: Callable[..., Any], run: Run) -> str:
    """Why two runs of a function give different numbers, in words; empty where it is not known."""
    if is_same_after(run, np.random.get_state, np.random.set_state):
        return f"{DRAWS} from NumPy's global generator: fix its seed, or pass what it draws"
    if is_same_after(run, random.getstate, random.setstate):
        return f"{DRAWS} from Python's random: fix its seed, or pass what it draws"
    for slot in slots_of(function):
        value = slot.read()
        if isinstance(value, NO_STATE):
            continue
        try:
            causes = is_same_after(run, partial(copy_of, slot), slot.write)
        except Exception:  # what cannot be copied or put back says nothing
            continue
        finally:
            slot.write(value)
        if causes:
            if isinstance(value, (np.random.Generator, np.random.RandomState, random.Random)):
                return f"{DRAWS} from {slot.name}: fix its seed, or pass what it draws"
            return f"keeps a state: {slot.name} is another after each call; pass it as an input or a param"
    return ""


def is_same_after(run: Run, save: Callable[[], Any], restore: Callable[[Any], Any]) -> bool:
    """Whether runs that differ are the same when something is put back between them, twice."""
    if same(run(), run()):
        return False
    results = []
    for _ in range(3):
        saved = save()
        results.append(run())
        restore(saved)
    return same(results[0], results[1]) and same(results[1], results[2])


def copy_of(slot: Slot) -> Any:
    """A copy of what stands there, all the way down."""
    return deepcopy(slot.read())


def slots_of(function: Callable[..., Any]) -> Iterator[Slot]:
    """The places that a function reads values from which outlive a call."""
    owner = getattr(function, "__self__", None)
    function = getattr(function, "__func__", function)
    if owner is not None:
        yield from attributes_of(owner)
    if not isinstance(function, FunctionType):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        read, write = (
            (lambda cell=cell: cell.cell_contents),
            (lambda value, cell=cell: setattr(cell, "cell_contents", value)),
        )
        yield Slot(name, read, write)
    for name in sorted(names_in(function.__code__)):
        if name in function.__globals__:
            yield Slot(name, *item_of(function.__globals__, name))
    if function.__defaults__:
        yield Slot(
            "a default", lambda: function.__defaults__, lambda value: setattr(function, "__defaults__", value)
        )
    if vars(function):
        yield from attributes_of(function)


def attributes_of(owner: Any) -> Iterator[Slot]:
    """The attributes of an object."""
    for name in sorted(getattr(owner, "__dict__", {})):
        yield Slot(f"{getattr(owner, '__name__', 'self')}.{name}", *item_of(owner.__dict__, name))


def item_of(values: dict[str, Any], name: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """How an item of a dict is read and written."""
    return lambda: values[name], lambda value: values.__setitem__(name, value)


def names_in(code: CodeType) -> set[str]:
    """The names that a function's code reads, with those of functions inside it."""
    inner = [names_in(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)
