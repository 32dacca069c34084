"""How much of the machine other programs took meanwhile: with them, no figure is worth much."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from time import perf_counter

STAT = Path("/proc/stat")
TOLERABLE = 0.05


class OthersWatched:
    """`with OthersWatched() as others:` and afterwards `others.share`, from 0 to 1, or None where the system is silent.

    Processes that were started inside must have ended inside.
    """

    share: float | None = None

    def __enter__(self) -> OthersWatched:
        self._begin = perf_counter(), busy_seconds(), own_seconds()
        return self

    def __exit__(self, *error: object) -> None:
        begin, busy, own = self._begin
        elapsed = (perf_counter() - begin) * (os.cpu_count() or 1)
        if busy is not None and (now := busy_seconds()) is not None and elapsed:
            self.share = min(1.0, max(0.0, (now - busy - (own_seconds() - own)) / elapsed))

    def __str__(self) -> str:
        if self.share is None:
            return "Whether other programs were running is not known."
        words = f"Other programs took {self.share:.0%} of the processors meanwhile"
        return f"{words}." if self.share <= TOLERABLE else f"{words}: DO NOT TRUST THESE FIGURES."


def busy_seconds() -> float | None:
    """The processor time all programs have used: user, nice, system, irq, softirq, steal."""
    if not STAT.exists():
        return None
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, STAT.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """The processor time of this process, and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
