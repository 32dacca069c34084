"""Where a generator is, as plain numbers that `tg.save` takes; and going on from there."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import show_value

NOT_TAKEN = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, DeprecationWarning)


def generator_state(generator: np.random.Generator) -> dict[str, Any]:
    """Where it is: NumPy's dict of its numbers."""
    return dict(generator.bit_generator.state)


def set_generator_state(owner: str, generator: np.random.Generator, state: Any) -> None:
    """Go on from where `generator_state` was called.

    Raises ValueError for anything that is not the state of such a generator, which then is where it was.
    """
    check_generator_state(owner, generator, state)
    generator.bit_generator.state = state


def check_generator_state(owner: str, generator: np.random.Generator, state: Any) -> None:
    """Refuse what is not the state of such a generator."""
    trial: Any = type(generator.bit_generator)()
    name = type(trial).__name__
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy 1 takes numbers that do not fit, and warns of them
            trial.state = state
        is_taken = has_arrays(state) or trial.state == state
    except NOT_TAKEN as error:
        raise ValueError(f"{owner}: {show_value(state)} is no state of a {name} ({error})") from None
    if not is_taken:
        raise ValueError(f"{owner}: {show_value(state)} is no state of a {name}")


def has_arrays(state: Any) -> bool:
    """Whether some of it is an array, as of MT19937."""
    return isinstance(state, Mapping) and any(
        isinstance(value, np.ndarray) or has_arrays(value) for value in state.values()
    )
