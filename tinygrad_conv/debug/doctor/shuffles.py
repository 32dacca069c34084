"""What no observer is told of: that NumPy shuffled an array.

While a doctor watches, `np.random.shuffle`, `np.random.permutation`, `random.shuffle` and the generators that
`np.random.default_rng` makes tell it. They draw the same numbers as ever.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.location import user_where
from .data_seen import MOST_SHUFFLED, note_order
from .patches import WATCH, wrapped_by

MOST_DRAWS = 4  # permutations of which it is looked what they index: data are ordered at the beginning
MOST_ARRAYS = 6  # of a length


class Generator(np.random.Generator):
    """NumPy's generator, which tells of what it shuffles."""

    def shuffle(self, x: Any, axis: int = 0) -> None:
        state = repr(self.bit_generator.state)
        super().shuffle(x, axis=axis)
        note_shuffle(x, state, axis)

    def permutation(self, x: Any, axis: int = 0) -> Any:
        state = repr(self.bit_generator.state)
        shuffled = super().permutation(x, axis=axis)
        if np.ndim(x):
            note_shuffle(shuffled, state, axis)
        else:
            note_draw(shuffled)
        return shuffled


def note_shuffle(values: Any, state: str, axis: int = 0) -> None:
    """Note what was shuffled, as it is now; state: the generator's before, on which the order depends."""
    watch = WATCH.get()
    array = as_array(values)
    if watch is None or watch.is_resting or axis != 0 or array is None:
        return
    note_order(watch.history, user_where(), state, array)


def note_draw(order: Array) -> None:
    """Note what x[rng.permutation(len(x))] gives, for each x of that length that its caller has.

    NumPy tells nobody what is indexed. What is noted in vain does no harm: no batch comes from there.
    """
    watch, frame = WATCH.get(), sys._getframe(2)
    if watch is None or watch.is_resting or watch.draws >= MOST_DRAWS:
        return
    watch.draws += 1
    held = [*frame.f_locals.values(), *vars_of(frame.f_locals.get("self"))]
    arrays = [each for each in held if isinstance(each, np.ndarray) and each.ndim and len(each) == len(order)]
    for array in arrays[:MOST_ARRAYS]:
        if as_array(array) is not None:
            note_order(watch.history, user_where(), order.tobytes(), array[order])


def vars_of(holder: Any) -> list[Any]:
    """The attributes of an object that has some."""
    return list(getattr(holder, "__dict__", {}).values())


def as_array(values: Any) -> Array | None:
    """Numbers along a first axis; None for anything else, such as a list of names."""
    if isinstance(values, list) and values and isinstance(values[0], (int, float, np.ndarray, np.generic)):
        try:
            values = np.asarray(values)
        except ValueError:  # of several lengths
            return None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        return None
    return values if values.ndim and 0 < values.size <= MOST_SHUFFLED else None


def telling_of_shuffles() -> AbstractContextManager[None]:
    """Inside, NumPy's shuffles tell the observer of the context."""
    return wrapped_by(
        [
            (np.random, "default_rng", makes_telling),
            (np.random, "shuffle", tells_of_shuffle(global_state)),
            (np.random, "permutation", tells_of_shuffle(global_state)),
            (random, "shuffle", tells_of_shuffle(lambda: repr(random.getstate()))),
        ]
    )


def makes_telling(default_rng: Callable[..., np.random.Generator]) -> Callable[..., np.random.Generator]:
    """`default_rng`, whose generators tell."""

    @functools.wraps(default_rng)
    def made(seed: Any = None) -> np.random.Generator:
        plain = default_rng(seed)
        return plain if plain is seed else Generator(plain.bit_generator)

    return made


def global_state() -> str:
    """The state of NumPy's own generator."""
    _, key, place, *_ = np.random.get_state()
    return f"{np.asarray(key).tobytes()!r} {place}"


def tells_of_shuffle(state_of: Callable[[], str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function that shuffles tell of it, with the state that it began with."""

    def wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def told(x: Any, *arguments: Any) -> Any:
            state = state_of()
            shuffled = function(x, *arguments)
            if np.ndim(x):
                note_shuffle(x if shuffled is None else shuffled, state)
            else:
                note_draw(shuffled)
            return shuffled

        return told

    return wrapper
