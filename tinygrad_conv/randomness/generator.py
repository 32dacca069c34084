"""`Generator`: NumPy's random generator with PyTorch's methods. Imported when somebody draws a number."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..devices import CPU, Device
from ..engine.commit import Changes
from ..errors import show_value
from ..options import DEVICE, INTEGER, check_option, is_integer, settled_option
from .state import check_generator_state

FIRST_SEED = 67280421310721  # PyTorch's: a generator that nobody seeded gives the same numbers every time


class Generator(np.random.Generator):
    """A source of random numbers, `tg.Generator().manual_seed(0)`: for `generator=`, wherever it is taken.

    It is a `numpy.random.Generator` too, the one of `numpy.random.default_rng(seed)`, and may be used as
    such. Begins with a seed that is always the same, as PyTorch's.

    seeds_taken: how many seeds of others have been made of it, which do not move it (`default.next_seed`).
    """

    def __init__(self, device: Any = "cpu") -> None:
        check_option("Generator", "device", DEVICE, device)
        super().__init__(np.random.PCG64(FIRST_SEED))
        self._seed = FIRST_SEED
        self.seeds_taken = 0

    def manual_seed(self, seed: int) -> Generator:
        """Begin anew with this seed, and return itself."""
        seed = settled_option("manual_seed", "seed", INTEGER, seed)
        self._go_to(np.random.PCG64(seed).state, seed, 0)
        return self

    def seed(self) -> int:
        """Begin anew with a seed from the operating system, and return it."""
        fresh = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(fresh)
        return fresh

    def initial_seed(self) -> int:
        """The seed that it began with."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """Where it is, for `set_state`: NumPy's dict, the seed that it began with, and the seeds taken."""
        return {**self.bit_generator.state, "initial_seed": self._seed, "seeds_taken": self.seeds_taken}

    def set_state(self, new_state: Mapping[str, Any]) -> None:
        """Go on from where `get_state` was called. Raises ValueError for what is no state of a generator.

        NumPy's own states have neither a seed nor a number of seeds taken: these stay then.
        """
        if not isinstance(new_state, Mapping):
            raise ValueError(f"set_state: {show_value(new_state)} is none that get_state returned")
        numbers = dict(new_state)
        seed = numbers.pop("initial_seed", self._seed)
        taken = numbers.pop("seeds_taken", self.seeds_taken)
        if not is_integer(seed):
            raise ValueError(f"set_state: initial_seed must be an int, not {show_value(seed)}")
        if not is_integer(taken) or taken < 0:
            raise ValueError(f"set_state: seeds_taken must be an int from 0, not {show_value(taken)}")
        check_generator_state("set_state", self, numbers)
        self._go_to(numbers, operator.index(seed), operator.index(taken))

    def _go_to(self, numbers: Mapping[str, Any], seed: int, taken: int) -> None:
        """Be somewhere else, wholly or not at all."""
        changes = Changes()
        changes.set(self.bit_generator, "state", numbers)
        changes.set(self, "_seed", seed)
        changes.set(self, "seeds_taken", taken)
        changes.commit()

    @property
    def device(self) -> Device:
        """The CPU."""
        return CPU

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), self.get_state()

    def __setstate__(self, state: Any) -> None:
        self.set_state(state)
