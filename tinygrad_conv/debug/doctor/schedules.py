"""Schedules that wait for a plateau, and take progress for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.location import place_at
from .finding import Finding
from .seen import History, Metric
from .thresholds import FEW_STEPS

SAME = 1e-5  # of a loss: rounding, in a mean of several


def examine(history: History) -> Iterator[Finding]:
    """Schedules whose mode contradicts what they are told."""
    told: dict[int, list[Metric]] = {}
    for metric in history.watched:
        told.setdefault(id(metric.scheduler), []).append(metric)
    for metrics in told.values():
        values = [metric.value for metric in metrics]
        if len(values) < 2 * FEW_STEPS or not np.isfinite(values).all():
            continue
        if metrics[0].scheduler.mode == "max" and values[-1] < values[0] and all(map(is_loss, metrics)):
            yield finding_of(history, metrics, "a loss, which should fall", "min")
        elif metrics[0].scheduler.mode == "min" and values[-1] > values[0] and all_accuracies(metrics):
            yield finding_of(history, metrics, "an accuracy, which should rise", "max")


def is_loss(metric: Metric) -> bool:
    """Whether a metric is a loss of the steps before, their mean or their sum."""
    losses = metric.losses
    if not losses:
        return False
    candidates = [losses[-1], float(np.mean(losses)), float(np.sum(losses))]
    return any(abs(metric.value - each) <= SAME * max(abs(each), 1e-9) for each in candidates)


def all_accuracies(metrics: list[Metric]) -> bool:
    """Whether all come of comparisons."""
    return all(metric.accuracy and 0 <= metric.value <= 100 for metric in metrics)


def finding_of(history: History, metrics: list[Metric], what: str, right: str) -> Finding:
    """The finding about a schedule."""
    scheduler: Any = metrics[0].scheduler
    made = history.made.get(scheduler)
    first, last = metrics[0], metrics[-1]
    rates = f"the learning rate went from {first.rate:.3g} to {last.rate:.3g}"
    return Finding(
        "wrong_mode_of_plateau",
        f'ReduceLROnPlateau has mode="{scheduler.mode}" but is given {what}: it takes each improvement for a '
        "plateau, and lowers the learning rate",
        f"in {len(metrics)} calls the metric went from {first.value:.4g} to {last.value:.4g} while the net "
        f"learned, and {rates}",
        f'mode="{right}"',
        place_at(last.where, ""),
        weight=81.2,
        cause=None if made is None else place_at(made, ""),
    )
