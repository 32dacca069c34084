"""Targets of a regression: large ones, which no output is scaled to, and such that come in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...dtypes import Array
from .finding import PERHAPS, Finding
from .losses import REGRESSIONS, target_of
from .seen import DataSeen, History, OpSeen
from .thresholds import AT_SCALE, LARGE_TARGET, ORDERED, SORTED_BATCHES, SORTED_SAMPLES


def targets(history: History) -> Iterator[Finding]:
    """Targets of a squared error that are large, or in order."""
    lines: dict[object, list[tuple[OpSeen, DataSeen]]] = {}
    for op in history.training():
        target = target_of(op) if op.op in REGRESSIONS else None
        if target is not None and target.is_float and target.stats.finite:
            lines.setdefault(op.where, []).append((op, target))
    for seen in lines.values():
        op, target = seen[0]
        is_large = float(np.median([each.stats.rms for _, each in seen])) > LARGE_TARGET
        if op.op == "mse_loss" and is_large and not predicts_at_scale(op, target):
            yield Finding(
                "large_targets",
                f"the targets are not normalised: they go from {target.stats.low:.4g} to "
                f"{target.stats.high:.4g}",
                f"their root mean square is {target.stats.rms:.4g}; the first squared errors, and gradients, "
                f"are {op.value if op.value is not None else float('nan'):.3g} large",
                "standardise the targets, and scale predictions back",
                op.place,
                weight=60,
            )
        yield from ordered_targets(op, [each for _, each in seen])


def predicts_at_scale(loss: OpSeen, target: DataSeen) -> bool:
    """Whether the first predictions spread as the targets do: the model scales its outputs itself."""
    predictions = [each.producer.stats for each in loss.inputs if each.wanted and each.producer]
    spread = max([stats.high - stats.low for stats in predictions], default=0.0)
    return spread > AT_SCALE * (target.stats.high - target.stats.low)


def ordered_targets(loss: OpSeen, seen: list[DataSeen]) -> Iterator[Finding]:
    """Batches that each have targets of their own range."""
    whole = [target.sample.reshape(-1) for target in seen if target.sample.size >= SORTED_SAMPLES]
    different = list({target.digest: target for target in seen}.values())
    if len(whole) < SORTED_BATCHES or len(different) < SORTED_BATCHES:
        return
    within = float(np.mean([each.var() for each in whole]))
    between = float(np.var([each.mean() for each in whole]))
    in_order = all(is_in_order(each) for each in whole)
    if in_order and between > ORDERED * (within + between) and within > 0:
        yield Finding(
            "sorted_targets",
            "the samples come sorted by their targets: not shuffled",
            f"{between / (within + between):.0%} of the variance of targets is between batches",
            "shuffle: DataLoader(…, shuffle=True)",
            loss.place,
            PERHAPS,
            weight=49,
        )


def is_in_order(numbers: Array) -> bool:
    """Whether numbers go up all the way, or down."""
    changes = np.diff(numbers.astype(np.float64))
    return bool((changes >= 0).all() or (changes <= 0).all())
