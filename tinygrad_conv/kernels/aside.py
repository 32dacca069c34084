"""Work that another thread does while the one that asked for it goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .threads import get_num_threads, hand_over
from .workers import Part


class Aside:
    """What was begun aside, and is to be finished."""

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def begin(self, work: Callable[[], object]) -> None:
        """Have it done by a thread that has nothing else to do; at once, if there are no others."""
        if get_num_threads() == 1:
            work()
            return
        part = Part(lambda first, last: work(), 0, 1, np.geterr())
        self.parts.append(part)  # first, so that whoever is interrupted here knows of it
        hand_over(part)

    def finish(self) -> None:
        """Return when all of it is done; an error of it is raised here. What nobody has begun is done now."""
        for part in self.parts:
            part.outcome()
        self.parts = []

    def drop(self) -> None:
        """Return when none of it runs any more; what nobody has begun is left undone."""
        for part in self.parts:
            if not part.is_mine():
                part.wait()
        self.parts = []
