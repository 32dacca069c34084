"""Random numbers that a step draws by NumPy's methods, and a replay would not.

These methods are compiled in a way that no profiler is told of. So where the generators are is looked at
before and after, and around what a replay draws as well: functions as `tg.rand`.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from random import Random, SystemRandom
from typing import Any

from ..engine.observe import Observer


def numpys_random() -> Any:
    """NumPy's random part, which it imports for the first who asks; None before that."""
    return sys.modules.get("numpy.random")


def is_drawn_from(value: Any) -> bool:
    """Whether it is a generator of Python's or NumPy's, or has part in one; `tg.Generator` is one too."""
    random = numpys_random()
    if isinstance(value, Random):
        return not isinstance(value, SystemRandom)  # which goes on elsewhere
    return random is not None and isinstance(
        value, (random.Generator, random.RandomState, random.BitGenerator, random.SeedSequence)
    )


def position_of(generator: Any) -> Any:
    """Where it is now, to be compared."""
    return generator.getstate() if isinstance(generator, Random) else pickle.dumps(generator)


class Draws(Observer):
    """Whether generators go on otherwise than by functions that a replay calls: these generators, and the
    one behind `np.random.rand`.
    """

    takes_functions = True

    def __init__(self, generators: Iterable[Any]) -> None:
        random = numpys_random()
        self.generators = [*generators, *([] if random is None else [random.mtrand._rand])]
        self.by_numpy = False
        self.before = self.states()

    def states(self) -> list[Any]:
        """Where they are now."""
        return list(map(position_of, self.generators))

    def before_function(self, function: Any, inputs: Any, options: dict[str, Any]) -> None:
        self.look()

    def after_function(self, function: Any, inputs: Any, options: dict[str, Any], result: Any) -> None:
        self.before = self.states()

    def look(self) -> None:
        """Note whether one of them has gone on since."""
        self.by_numpy |= self.states() != self.before

    @property
    def happened(self) -> bool:
        """Whether one of them has gone on, up to now."""
        self.look()
        return self.by_numpy
