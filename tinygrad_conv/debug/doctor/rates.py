"""Steps that are too large or too small: learning rates, schedules, clipping, weight decay, sums."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...engine.location import Place, place_at
from ...members import grouped
from .finding import Finding
from .flow import median_ratio
from .models import layer_made_at, made_at
from .seen import History, InputSeen, OpSeen, Update
from .thresholds import (
    CLIPPED_AWAY,
    CLIPPED_SHORT,
    DECAY_LOSS,
    DECAY_SHARE,
    ENDED_RATE,
    ENDED_SHARE,
    FELT,
    FEW_STEPS,
    GROWN,
    HUGE_UPDATE,
    NO_UPDATE,
    PULLING,
    REPLACED,
    SHORT_NORM,
    SUM_UPDATE,
    SUMMED_BATCH,
    WORSE,
)


def examine(history: History, uphill: bool) -> Iterator[Finding]:
    """What is wrong with the size of steps; of large ones nothing is said where they go uphill anyway."""
    yield from rates_that_end(history)
    yield from clipped(history)
    yield from decayed(history)
    small = list(too_small(history))
    yield from small
    summed = list(summed_losses(history))
    yield from summed
    if not (summed or uphill or small):
        yield from too_large(history)


def place_of_steps(history: History) -> Place | None:
    """The line that steps."""
    if history.steps:
        return place_at(history.steps[-1].where)
    return place_at(history.updates[-1].where) if history.updates else None


def loss_said(history: History) -> str:
    """What became of the loss, for an evidence."""
    losses = history.main_losses()
    if len(losses) < 2:
        return ""
    return f"; the loss went from {losses[0]:.4g} to {losses[-1]:.4g} in {len(losses)} backwards"


def by_optimizer(history: History) -> Iterator[tuple[Any, list[Update]]]:
    """(optimiser or None, its updates)."""
    for updates in grouped((id(update.optimizer), update) for update in history.updates).values():
        yield updates[0].optimizer, updates


def rates_that_end(history: History) -> Iterator[Finding]:
    """Learning rates that are 0, or that a schedule has taken there."""
    for optimizer, updates in by_optimizer(history):
        rates = [float(update.group["lr"]) for update in updates if "lr" in update.group]
        steps = len({update.round for update in updates})
        if optimizer is None or not rates or steps < FEW_STEPS:
            continue
        largest = max(rates)
        if largest == 0:
            yield Finding(
                "rate_is_zero",
                "the learning rate is 0: steps change nothing",
                f"lr = 0 in {steps} steps",
                "give the optimiser a learning rate, or look at what the schedule begins with",
                made_at(history, optimizer) or place_of_steps(history),
                weight=91,
            )
            continue
        ended = [rate for rate in rates if rate <= ENDED_RATE * largest]
        if steps >= 2 * FEW_STEPS and len(ended) > ENDED_SHARE * len(rates) and rates[-1] in ended:
            yield Finding(
                "rate_has_ended",
                f"the schedule has taken the learning rate from {largest:.3g} to {rates[-1]:.3g}: nothing is "
                "learned any more",
                f"in {steps} steps; for {len(ended) / len(rates):.0%} of them it was under a thousandth",
                "call scheduler.step() once an epoch rather than for every batch, or lower less: "
                "gamma, step_size",
                place_of_steps(history),
                weight=81,
            )


def clipped(history: History) -> Iterator[Finding]:
    """Gradients that are scaled to nothing between the backward and the step."""
    for optimizer, updates in by_optimizer(history):
        pulled = [update for update in updates if update.swept > 0 and math.isfinite(update.swept)]
        if optimizer is None or len({update.round for update in pulled}) < FEW_STEPS:
            continue
        share = float(np.median([update.grad / update.swept for update in pulled]))
        moved = median_ratio(finite_updates(pulled))
        tiny = share < CLIPPED_AWAY or share < CLIPPED_SHORT and norm_at_steps(pulled) < SHORT_NORM
        if share > 0 and tiny and moved < PULLING and not has_fallen(history):
            yield Finding(
                "clipped_away",
                "gradients are clipped or scaled to almost nothing before the step",
                f"|g| at the step is {share:.1e} of what backward left, so that updates are far too small: "
                f"weights move by {moved:.1e} of their size, about 1e-3 is usual{loss_said(history)}",
                "clip at a larger norm: it should cut the outliers alone, 1 to 10 for many nets",
                place_at(history.clips[-1]) if history.clips else place_of_steps(history),
                weight=77,
            )


def norm_at_steps(updates: list[Update]) -> float:
    """The median |g| of all parameters together, as the steps used it."""
    squares: dict[int, float] = {}
    for update in updates:
        squares[update.round] = squares.get(update.round, 0.0) + update.grad**2
    return math.sqrt(float(np.median(list(squares.values()))))


def has_fallen(history: History) -> bool:
    """Whether the loss has come down to less than half: steps do something, however small they are."""
    losses = history.main_losses()
    return len(losses) > 2 * FEW_STEPS and float(np.median(losses[-FEW_STEPS:])) < 0.5 * losses[0]


def decayed(history: History) -> Iterator[Finding]:
    """Weights that the decay shrinks, whatever the loss says."""
    for optimizer, updates in by_optimizer(history):
        wide = [update for update in updates if update.dimensions >= 2 and update.group.get("weight_decay")]
        if optimizer is None or len({update.round for update in wide}) < FEW_STEPS:
            continue
        shares = [
            float(update.group["weight_decay"]) * update.weight / update.grad
            for update in wide
            if update.grad
        ]
        first = {update.leaf: update for update in reversed(wide)}
        last = {update.leaf: update for update in wide}
        begun = math.hypot(*(update.weight for update in first.values()))
        ended = math.hypot(*(update.weight for update in last.values()))
        if shares and np.median(shares) > DECAY_SHARE and ended < (1 - DECAY_LOSS) * begun:
            yield Finding(
                "decayed",
                "the weight decay is so large that it shrinks the weights to nothing",
                f"weight_decay = {wide[0].group['weight_decay']:g}: it pulls {np.median(shares):.3g} times "
                f"as much as the loss does, and |w| fell from {begun:.3g} to {ended:.3g} in "
                f"{len(wide) // len(last)} steps",
                "lower weight_decay: 1e-4 to 1e-2 is usual",
                made_at(history, optimizer),
                weight=76,
            )


def too_small(history: History) -> Iterator[Finding]:
    """Steps that do nothing, though gradients are there."""
    for optimizer, updates in by_optimizer(history):
        weighed = [update for update in updates if update.weight and update.dimensions >= 2]
        rounds = {update.round for update in weighed}
        if len(rounds) < FEW_STEPS:
            continue
        rates = [float(update.group.get("lr", 1)) for update in weighed]
        largest = max(update.ratio for update in weighed)
        pull = float(np.median([update.grad / update.weight for update in weighed]))
        if largest < NO_UPDATE and pull > PULLING and all(rates):
            rate = f"lr = {rates[-1]:.3g}: " if optimizer is not None else ""
            half = " (float16 rounds such steps away)" if weighed[0].leaf.data.itemsize <= 2 else ""
            yield Finding(
                "step_too_small",
                "the learning rate is too small: a step changes next to nothing",
                f"{rate}weights move by at most {largest:.1e} of their size in a step, about 1e-3 is "
                f"usual{half}{loss_said(history)}",
                "raise the learning rate: 1e-3 for Adam, 1e-2 to 1e-1 for SGD are places to begin",
                made_at(history, optimizer) if optimizer is not None else backward_place(history),
                weight=74,
            )


def has_diverged(history: History) -> bool:
    """Whether the loss has grown, or is no number any more."""
    losses = history.main_losses()
    if len(losses) <= FEW_STEPS:
        return False
    first, last = losses[0], losses[-1]
    if math.isfinite(last) and (min(losses) < 0 or has_opponents(history)):
        return False
    if not math.isfinite(last):
        return math.isfinite(first) and not overflows_by_itself(history)
    best = float(np.median(losses[-FEW_STEPS:]))
    return abs(first) > 0 and best > GROWN * abs(first)


def overflows_by_itself(history: History) -> bool:
    """Whether what made the loss NaN is the data, or an op that ran out of float16: no steps are to blame."""
    first = history.first_not_finite()
    return first is not None and (first.is_half or bad_data(first) is not None)


def bad_data(op: OpSeen) -> InputSeen | None:
    """The data with NaN or infinities that an op is given; a target of such is another thing."""
    given = [each for each in op.inputs if each.data is not None and not each.data.stats.finite]
    return given[0] if given and given[0].argument != "target" else None


def has_opponents(history: History) -> bool:
    """Whether several optimisers step: what is one net's gain may be another's loss."""
    return len({id(step.optimizer) for step in history.steps if step.moved}) > 1


def finite_updates(updates: list[Update]) -> list[Update]:
    """Those of weights, while everything was a number."""
    return [
        update
        for update in updates
        if update.weight
        and update.dimensions >= 2
        and math.isfinite(update.moved)
        and math.isfinite(update.weight)
    ]


def too_large(history: History) -> Iterator[Finding]:
    """Steps that replace the weights rather than adjust them, and a loss that is none the better for it."""
    losses = history.main_losses()
    for optimizer, updates in by_optimizer(history):
        weighed = finite_updates(updates)
        steps = len({update.round for update in weighed})
        diverged = has_diverged(history)
        if steps < 2 or len(losses) <= FEW_STEPS:
            continue
        ratio, largest = median_ratio(weighed), max(update.ratio for update in weighed)
        late = losses[-max(FEW_STEPS, len(losses) // 4) :]
        if math.isfinite(late[-1]) and (min(losses) < 0 or has_opponents(history)):
            continue
        worse = not math.isfinite(late[-1]) or float(np.median(late)) >= WORSE * losses[0]
        huge = ratio > HUGE_UPDATE or largest > REPLACED
        if not (diverged and largest > FELT or worse and huge):
            continue
        group = weighed[-1].group
        rate = f"lr = {group['lr']:g}" if "lr" in group else "the rate"
        momentum = group.get("momentum") or 0
        if momentum and momentum >= 0.95:
            rate += f" with momentum {momentum:g}, which multiplies it by {1 / max(1 - momentum, 1e-3):.0f}"
        yield Finding(
            "step_too_large",
            "the learning rate is too large: the loss diverges"
            if diverged
            else "the learning rate is too large",
            f"{rate}: a step changes weights by {ratio:.2g} of their size (the largest by {largest:.2g}); "
            f"about 1e-3 is usual{loss_said(history)}",
            "lower the learning rate, by ten at first",
            made_at(history, optimizer) or place_of_steps(history),
            weight=79,
        )


def summed_losses(history: History) -> Iterator[Finding]:
    """A loss that is summed over the batch, with a rate that was meant for a mean."""
    sums = []
    for sweep in history.sweeps:
        root = sweep.roots[0] if sweep.roots else None
        if root is None or root.round != sweep.round:
            continue
        by_hand = root.op == "sum" and root.inputs and math.prod(root.inputs[0].shape) >= SUMMED_BATCH
        if root.params.get("reduction") == "sum" or by_hand:
            shape = root.inputs[0].shape
            if shape and shape[0] >= SUMMED_BATCH:
                sums.append((root, shape[0]))
    if len(sums) < FEW_STEPS or not history.updates:
        return
    updates = finite_updates(history.updates)
    ratio = max((update.ratio for update in updates), default=0.0)
    losses = history.main_losses()
    settled = losses[-1] < 0.9 * losses[0] if losses and math.isfinite(losses[-1]) else False
    if ratio > SUM_UPDATE and not settled or has_diverged(history):
        root, size = sums[-1]
        yield Finding(
            "summed_loss",
            f"the loss is a sum over {size} samples (reduction='sum'), with a learning rate for a mean",
            f"gradients are {size} times those of the mean; a step changes weights by up to {ratio:.2g} of "
            f"their size{loss_said(history)}",
            f"reduction='mean', or divide the learning rate by {size}",
            root.place,
            weight=80,
            cause=layer_made_at(history, root.layer),
        )


def backward_place(history: History) -> Place | None:
    """The line that goes backward."""
    return place_at(history.sweeps[-1].where) if history.sweeps else None
