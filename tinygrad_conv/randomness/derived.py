"""Seeds and generators that are made of others, which do not move; and who is drawn from by default."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .default import GENERATOR, fresh_generator

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
