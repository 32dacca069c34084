"""Random numbers of NumPy's that a step draws, and a replay would not.

NumPy's methods are compiled in a way that no profiler is told of. So where its generators are is looked at
before and after.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from typing import Any

from ..randomness.generator import Generator


def numpys_random() -> Any:
    """NumPy's random part, which it imports for the first who asks; None before that."""
    return sys.modules.get("numpy.random")


def is_drawn_from(value: Any) -> bool:
    """Whether it is a generator of NumPy's. A replay draws from those of this package."""
    random = numpys_random()
    if random is None or isinstance(value, Generator):
        return False
    return isinstance(value, (random.Generator, random.RandomState))


class Draws:
    """Where generators are: these, and the one behind `np.random.rand`."""

    def __init__(self, generators: Iterable[Any]) -> None:
        random = numpys_random()
        self.generators = [*generators, *([] if random is None else [random.mtrand._rand])]
        self.before = self.states()

    def states(self) -> list[bytes]:
        """Where they are now."""
        return list(map(pickle.dumps, self.generators))

    @property
    def happened(self) -> bool:
        """Whether one of them has gone on since."""
        return self.states() != self.before
