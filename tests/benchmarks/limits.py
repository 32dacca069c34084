"""What the project promises of its speed, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .cases import STEPS, TWELVE
from .frameworks import ALL, OURS
from .frameworks.base import Settings
from .measure import Results
from .ratios import geometric_mean, memory_ratio, ratio, summary, totals
from .tables import table

RIVAL = "torch"
CONVOLUTION = ("forward", "dw", "dx")


class NotMeasured(Exception):
    """The cases that a limit speaks of were not run, or not against PyTorch."""


class Limit(NamedTuple):
    """A figure that must not be larger than `most`."""

    what: str
    most: float
    measured: Callable[[Results], float]
    most_without_fast: float | None = None  # where it differs, here and below
    most_replayed: float | None = None

    def most_for(self, settings: Settings) -> float:
        """What holds for a run: replays are measured where BLAS can be held."""
        if settings.without_fast:
            return self.most_without_fast or self.most
        return self.most_replayed or self.most if settings.replay else self.most


def of_step(name: str) -> Callable[[Results], float]:
    """The ratio of a whole step's time."""
    return lambda results: total_ratio(results, f"step-{name}", ("step",))


def total_ratio(results: Results, case: str, parts: tuple[str, ...], peer: str = RIVAL) -> float:
    """The median ratio of the time all parts take."""
    times = results.times.get(case, {})
    if peer not in times:
        raise NotMeasured
    return ratio(totals(times[OURS], parts), totals(times[peer], parts)).middle


def convolutions(results: Results, peer: str = RIVAL) -> list[float]:
    """The ratios of the twelve."""
    return [total_ratio(results, case, CONVOLUTION, peer) for case in TWELVE]


def peak_of_steps(results: Results) -> float:
    """The largest ratio of peak memory."""
    steps = [results.memory.get(f"memory-{name}", {}) for name in STEPS]
    if not all(RIVAL in by_framework for by_framework in steps):
        raise NotMeasured
    return max(memory_ratio(by_framework[OURS], by_framework[RIVAL]) for by_framework in steps)


def import_ratio(results: Results) -> float:
    """Our import over NumPy's, which it contains."""
    if not results.imports:
        raise NotMeasured
    return ratio(results.imports[ALL[OURS].package], results.imports["numpy"]).middle


def tape_cost(part: str, base: str) -> Callable[[Results], float]:
    """The largest number of microseconds by which a call exceeds its NumPy calls."""

    def measured(results: Results) -> float:
        calls = [times[OURS] for case, times in results.times.items() if case.startswith("tape-")]
        if not calls:
            raise NotMeasured
        return max(summary(above(parts, part, base)).middle for parts in calls) * 1e6

    return measured


def above(parts: dict[str, list[float]], part: str, base: str) -> list[float]:
    """Round by round, how much longer one part takes than another."""
    return [longer - shorter for longer, shorter in zip(parts[part], parts[base])]


LIMITS = (
    Limit("article step", 0.13, of_step("article"), most_replayed=0.10),
    Limit("toy step", 0.25, of_step("toy")),
    Limit("LeNet step", 0.65, of_step("lenet"), 0.95, most_replayed=0.50),
    Limit("CIFAR-like step", 0.90, of_step("cifar"), 1.1, most_replayed=0.80),
    Limit("residual step", 1.15, of_step("residual"), most_replayed=0.90),
    Limit("twelve convolutions, geometric mean", 0.75, lambda results: geometric_mean(convolutions(results))),
    Limit("twelve convolutions, the slowest", 1.35, lambda results: max(convolutions(results))),
    Limit("peak memory of any whole step", 1.0, peak_of_steps),
    Limit("import time / NumPy's", 1.5, import_ratio),
    Limit("recorded call, µs above NumPy", 2.0, tape_cost("recorded", "numpy forward")),
    Limit("its share of the sweep, µs above NumPy", 2.5, tape_cost("backward", "numpy backward")),
    Limit("untracked call, µs above NumPy", 1.0, tape_cost("untracked", "numpy forward")),
)


def limits_table(results: Results, settings: Settings) -> str:
    """The table, with a mark where a figure is too large."""
    rows = []
    for limit in LIMITS:
        most = limit.most_for(settings)
        try:
            measured = limit.measured(results)
        except NotMeasured:
            rows.append([limit.what, f"{most:.2f}", "not measured", ""])
            continue
        rows.append([limit.what, f"{most:.2f}", f"{measured:.2f}", "" if measured <= most else "too large"])
    return table(
        f"Limits (ratios to {RIVAL} where nothing else is said)", ["case", "at most", "measured", ""], rows
    )
