"""Objects with a state: a module, an optimiser, a schedule, a loader, a generator; loaded all or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine.commit import Changes
from ..errors import CheckpointError
from ..randomness.state import generator_state, set_generator_state

METHODS = (("state_dict", "load_state_dict"), ("get_state", "set_state"), ("getstate", "setstate"))
"""How a state is asked for, and put back: PyTorch's names, a generator's, and those of Python's `random`."""


def has_state(value: Any) -> bool:
    """Whether a value is an object that has a state, not one that is saved as it is."""
    return is_numpy_generator(value) or any(
        callable(getattr(value, get, None)) and callable(getattr(value, put, None)) for get, put in METHODS
    )


def is_numpy_generator(value: Any) -> bool:
    """Whether it is one of NumPy's generators, not `tg.Generator`, which has methods for its state."""
    return isinstance(value, np.random.Generator) and not hasattr(value, "get_state")


def state_of(value: Any) -> Any:
    """An object's state, as it may be saved."""
    if is_numpy_generator(value):
        return generator_state(value)
    return next(getattr(value, get) for get, _ in METHODS if hasattr(value, get))()


def put_state(value: Any, state: Any) -> None:
    """Have an object go on from a state."""
    if is_numpy_generator(value):
        set_generator_state("set_state", value, state)
    else:
        next(getattr(value, put) for _, put in METHODS if hasattr(value, put))(state)


def load_states(objects: Mapping[str, Any], states: Mapping[str, Any]) -> None:
    """Have all objects go on from the states of their names; or, where one does not fit, none of them.

    This package's own modules, optimisers and schedules look at their states first, and change in a single
    step; what others do is undone. Raises CheckpointError that names the object and what is wrong.
    """
    changes, others = Changes(), []
    for name, value in objects.items():
        if is_prepared(value):
            with fitting(name):
                value._load(states[name], changes)
        else:
            others.append(name)
    undo: list[tuple[Any, Any]] = []
    try:
        for name in others:
            undo.append((objects[name], state_of(objects[name])))
            with fitting(name):
                put_state(objects[name], states[name])
        changes.commit()
    except BaseException:
        for value, before in reversed(undo):
            put_state(value, before)
        raise


def is_prepared(value: Any) -> bool:
    """Whether `_load(state, changes)` is all of `load_state_dict`: no subclass has one of its own."""
    for cls in type(value).__mro__:
        if "_load" in vars(cls):
            return True
        if "load_state_dict" in vars(cls):
            return False
    return False


@contextmanager
def fitting(name: str) -> Iterator[None]:
    """What goes wrong inside as a CheckpointError about the state of an object."""
    try:
        yield
    except Exception as error:
        raise CheckpointError(f"{name!r} does not fit, and nothing was loaded: {error}") from error
