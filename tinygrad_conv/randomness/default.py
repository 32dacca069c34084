"""The random generator of this context, which `manual_seed` resets, and who draws from it; seeds and
generators that are made of others, which do not move.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from ..options import INTEGER, checked, show_given

if TYPE_CHECKING:
    from .generator import Generator

GENERATOR: ContextVar[Generator | None] = ContextVar("the generator behind rand and randn", default=None)


def generator() -> Generator:
    """The random generator that `manual_seed` resets; seeded by the operating system until then."""
    current = GENERATOR.get()
    if current is None:
        seed()
        return generator()
    return current


def fresh_generator() -> Generator:
    """A generator of its own. NumPy's random part is imported here, for the first one."""
    from .generator import Generator

    return Generator()


def drawing_from(given: Any) -> np.random.Generator:
    """The generator that a function was given, or the one of this context for None."""
    if given is None:
        return generator()
    if not isinstance(given, np.random.Generator):
        raise TypeError(f"generator must be a tg.Generator, or a numpy Generator, not {show_given(given)}")
    return given


@checked(seed=INTEGER)
def manual_seed(seed: int) -> Generator:
    """Begin the random numbers of this context anew, and return their generator."""
    GENERATOR.set(fresh_generator().manual_seed(seed))
    return generator()


def seed() -> int:
    """Begin the random numbers of this context anew, with a seed from the operating system; and return it."""
    made = fresh_generator()
    GENERATOR.set(made)
    return made.seed()


def initial_seed() -> int:
    """The seed that the random numbers of this context began with."""
    return generator().initial_seed()


def get_rng_state() -> dict[str, Any]:
    """Where the generator that `tg.manual_seed` resets is now, for `tg.set_rng_state`."""
    return generator().get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Have `tg.rand`, dropout and all that has no generator of its own go on from where `get_rng_state` was.

    Raises ValueError for what is no such state, with the generator as it was.
    """
    generator().set_state(new_state)


if TYPE_CHECKING:
    from .generator import Generator


def seed_from(generator: np.random.Generator, *salt: int) -> int:
    """A seed that depends on where a generator is, which stays there, and on some numbers."""
    drawn = copy.deepcopy(generator).integers(2**63, size=2).tolist()
    return int(np.random.SeedSequence([*drawn, *salt]).generate_state(1, np.uint64)[0])


def next_seed(generator: Generator) -> int:
    """A seed from where a generator is, which stays there: another one each time."""
    generator.seeds_taken += 1
    return seed_from(generator, generator.seeds_taken)


def seeded(seed: int, *salt: int) -> Generator:
    """A generator from a seed and some numbers."""
    made = np.random.SeedSequence([seed, *salt]).generate_state(1, np.uint64)
    return fresh_generator().manual_seed(int(made[0]))


@contextmanager
def drawing_by_default(generator: Any) -> Iterator[None]:
    """Inside, functions that are given no generator draw from this one."""
    before = GENERATOR.get()
    GENERATOR.set(generator)
    try:
        yield
    finally:
        GENERATOR.set(before)
