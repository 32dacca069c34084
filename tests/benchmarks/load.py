"""How much of the machine other programs took meanwhile: where they took much, a figure is worth little."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from time import perf_counter

STAT = Path("/proc/stat")
TOLERABLE = 0.1  # of the processors; a turn is short, and the system counts in hundredths of a second


class OthersWatched:
    """`with OthersWatched() as others:` and afterwards `others.share`, from 0 to 1, or None where the system
    is silent.

    What this process takes is its own, and so is what children took that began and ended inside.
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


def busy_seconds() -> float | None:
    """The processor time all programs have used: user, nice, system, irq, softirq, steal."""
    if not STAT.exists():
        return None
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(
        int, STAT.read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """The processor time of this process, and of its children that have ended."""
    return sum(os.times()[:4])


def verdict(whole: float | None, turns: list[float]) -> str:
    """A sentence on what other programs took, in the whole run and in the turns that count."""
    if whole is None:
        return "Whether other programs were running is not known."
    words = f"Other programs took {whole:.0%} of the processors meanwhile"
    if turns:
        words += f"; in the turns that count {median(turns):.0%} (median), {max(turns):.0%} at most"
    quiet = (median(turns) if turns else whole) <= TOLERABLE
    return f"{words}." if quiet else f"{words}. DO NOT TRUST THESE FIGURES."
