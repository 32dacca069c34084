"""Where random numbers come from: what `generator`, `rng` and `seed` may be, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ForwardRef, TypeAlias

import numpy as np

from ..options import Option, is_integer
from .default import generator as default_generator

if TYPE_CHECKING:
    Random: TypeAlias = np.random.Generator | int | None
else:  # NumPy imports its random part when asked; whoever reads annotations finds `np` in this module
    Random = ForwardRef("np.random.Generator | int | None", module=__name__)


def is_seed(value: Any) -> bool:
    """Whether NumPy makes a generator of it."""
    if value is None or is_integer(value):
        return True
    random = np.random  # imported when asked
    return isinstance(value, (random.Generator, random.BitGenerator, random.SeedSequence, random.RandomState))


SEED = Option(
    "a numpy Generator or a seed from 0",
    is_seed,
    lambda value: not is_integer(value) or value >= 0,
    numeric=True,
)


def random_numbers(generator: Random) -> np.random.Generator:
    """A generator as it is, a fresh one for a seed, the one that `tg.manual_seed` resets for None."""
    return default_generator() if generator is None else np.random.default_rng(generator)
