"""Schedules that take progress for a plateau; those that are meant in epochs and stepped in every batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.location import place_at
from ...errors import show_count
from ...members import grouped
from ...optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, MultiStepLR, StepLR
from .data import batches
from .finding import PERHAPS, Finding
from .rates import has_fallen, loss_said, rates_that_end
from .seen import History, Metric, Scheduled
from .thresholds import EPOCH_BATCHES, EPOCH_SHARE, FADED_RATE, FEW_STEPS, LATE_RATE, PER_BATCH, REPEATED

SAME = 1e-5  # of a loss: rounding, in a mean of several

DECAYING = (StepLR, MultiStepLR, ExponentialLR)
"""Schedules that divide the rate again and again. What one by a function means, nobody can know."""


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the schedules."""
    yield from wrong_modes(history)
    yield from in_every_batch(history)


def in_every_batch(history: History) -> Iterator[Finding]:
    """Schedules that are stepped in every batch, and at the end of their course within few epochs."""
    epoch = batches_of_an_epoch(history)
    if epoch < EPOCH_BATCHES or has_fallen(history) or any(rates_that_end(history)):
        return
    for its in grouped((id(call.scheduler), call) for call in history.scheduled).values():
        rates = rates_of(history, its[0].scheduler.optimizer)
        if len(rates) >= 2 * FEW_STEPS and max(rates) > 0 and len(its) >= PER_BATCH * len(rates):
            how = what_became_of(its[0].scheduler, rates, epoch)
            if how:
                yield too_often(history, its, len(rates), epoch, how)


def what_became_of(scheduler: Any, rates: list[float], epoch: int) -> str:
    """How a schedule is done too early; "" where it is not."""
    left, late = rates[-1] / max(rates), float(np.mean(rates[len(rates) // 2 :])) / max(rates)
    by_epoch = left ** (epoch / len(rates))
    faded = left <= FADED_RATE and late <= LATE_RATE
    if isinstance(scheduler, DECAYING) and faded and by_epoch <= EPOCH_SHARE:
        fall = f"from {max(rates):.3g} to {rates[-1]:.3g}"
        return f"the learning rate fell {fall}, in each epoch to {by_epoch:.2g} of what it was"
    if isinstance(scheduler, CosineAnnealingLR) and scheduler.last_epoch > scheduler.T_max + FEW_STEPS:
        return f"the learning rate went down to its end in {scheduler.T_max} of them, and rises again"
    return ""


def too_often(history: History, calls: list[Scheduled], steps: int, epoch: int, how: str) -> Finding:
    """The finding about a schedule that is stepped in every batch."""
    scheduler = calls[-1].scheduler
    made = history.made.get(scheduler)
    return Finding(
        "schedule_in_every_batch",
        f"the schedule ({type(scheduler).__name__}) is stepped in every batch, and seems to be meant in "
        "epochs: soon nothing is learned any more",
        f"scheduler.step() was called {len(calls)} times in {show_count(steps, 'step')}, and an epoch has "
        f"about {epoch} batches: {how}{loss_said(history)}",
        "call scheduler.step() once an epoch, after the loop over the batches; if steps are meant, count in "
        "steps: a larger step_size, milestones or T_max, a gamma nearer to 1",
        place_at(calls[-1].where),
        PERHAPS,
        weight=59,
        cause=None if made is None else place_at(made),
    )


def rates_of(history: History, optimizer: Any) -> list[float]:
    """The learning rate at each step of an optimiser (of its first group, as far as groups differ)."""
    rates: dict[int, float] = {}
    for update in history.updates:
        if update.optimizer is optimizer and "lr" in update.group:
            rates.setdefault(update.round, float(update.group["lr"]))
    return list(rates.values())


def batches_of_an_epoch(history: History) -> int:
    """How many batches pass until the samples come by again, or a loader is through; 0 where none says so."""
    inputs = batches(history)
    seen: set[bytes] = set()
    count = 0
    for op, data in inputs:
        if (op.where, op.layer) != (inputs[0][0].where, inputs[0][0].layer):
            continue
        rows = [row.tobytes() for row in data.sample]
        known = sum(row in seen for row in rows)
        if known:
            return count if known >= REPEATED * len(rows) else 0  # some again: they are drawn by chance
        seen.update(rows)
        count += 1
    return max((length for length in history.lengths if length >= count), default=0)


def wrong_modes(history: History) -> Iterator[Finding]:
    """Schedules whose mode contradicts what they are told."""
    for metrics in grouped((id(metric.scheduler), metric) for metric in history.watched).values():
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
        place_at(last.where),
        weight=81.2,
        cause=None if made is None else place_at(made),
    )
