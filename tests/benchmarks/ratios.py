"""Medians, spreads and ratios of measured times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple

LEAST_MEMORY = 1 << 20  # bytes; below it a peak is a matter of pages


class Summary(NamedTuple):
    """A median, and the quartiles around it."""

    middle: float
    low: float
    high: float


def summary(values: Sequence[float]) -> Summary:
    """The median and quartiles of values."""
    if len(values) < 2:
        return Summary(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Summary(median(values), low, high)


def totals(parts: dict[str, list[float]], names: Sequence[str]) -> list[float]:
    """Of each round, the sum of these parts."""
    return [sum(times) for times in zip(*(parts[name] for name in names))]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Summary:
    """Ours over theirs, round by round: what disturbs a whole round disturbs both."""
    return summary([mine / other for mine, other in zip(ours, theirs)])


def memory_ratio(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Ours over theirs; what is less than a megabyte counts as one."""
    return max(LEAST_MEMORY, median(ours)) / max(LEAST_MEMORY, median(theirs))


def geometric_mean(values: Sequence[float]) -> float:
    """The mean of ratios."""
    return math.exp(sum(map(math.log, values)) / len(values))
