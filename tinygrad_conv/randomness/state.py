"""Where a generator is, as plain numbers that `tg.save` takes; going on from there; and others made of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..creation import _generator, fresh_generator
from ..errors import show_value


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
        trial.state = state
        is_taken = has_arrays(state) or trial.state == state
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
        raise ValueError(f"{owner}: {show_value(state)} is no state of a {name} ({error})") from None
    if not is_taken:
        raise ValueError(f"{owner}: {show_value(state)} is no state of a {name}")


def has_arrays(state: Any) -> bool:
    """Whether some of it is an array, as of MT19937."""
    return isinstance(state, Mapping) and any(
        isinstance(value, np.ndarray) or has_arrays(value) for value in state.values()
    )


def seed_from(generator: np.random.Generator, *salt: int) -> int:
    """A seed that depends on where a generator is, which stays there, and on some numbers."""
    drawn = copy.deepcopy(generator).integers(2**63, size=2).tolist()
    return int(np.random.SeedSequence([*drawn, *salt]).generate_state(1, np.uint64)[0])


SEEDS_TAKEN: WeakKeyDictionary[np.random.Generator, int] = WeakKeyDictionary()
"""How many seeds have been taken from a default generator, which does not move with it."""


def next_seed(generator: np.random.Generator) -> int:
    """A seed from where a generator is, which stays there: another one each time."""
    SEEDS_TAKEN[generator] = SEEDS_TAKEN.get(generator, 0) + 1
    return seed_from(generator, SEEDS_TAKEN[generator])


def seeded(seed: int, *salt: int) -> np.random.Generator:
    """A generator from a seed and some numbers."""
    made = np.random.SeedSequence([seed, *salt]).generate_state(1, np.uint64)
    return fresh_generator().manual_seed(int(made[0]))


@contextmanager
def drawing_by_default(generator: Any) -> Iterator[None]:
    """Inside, functions that are given no generator draw from this one."""
    before = _generator.get()
    _generator.set(generator)
    try:
        yield
    finally:
        _generator.set(before)
