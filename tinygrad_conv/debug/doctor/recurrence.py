"""One weight that is used again and again in a forward: what it multiplies grows with every use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...members import grouped
from .finding import Finding
from .models import key_of, weight_made_at
from .rates import has_fallen
from .seen import History, OpSeen, behind
from .thresholds import BACK_GROWTH, FEWEST_USES, FORWARD_GROWTH, USE_GROWTH

LOOKED_BACK = 200  # ops between one use and the next, at most


@dataclass(frozen=True, eq=False)
class Growth:
    """How numbers grow through the uses of a weight in a forward."""

    uses: list[OpSeen]  # in the order of the forward
    values: float  # the last over the first, forwards
    gradients: float  # the first over the last: backwards
    finite: bool


def examine(history: History) -> Iterator[Finding]:
    """Weights through whose repeated use numbers explode."""
    if has_fallen(history):
        return
    for growth in growths(history):
        yield finding_of(history, growth)


def growths(history: History) -> Iterator[Growth]:
    """The growth in the first forward of each weight that multiplies what it has made, where it is too much.

    In later ones steps that are too large may be the reason.
    """
    first: dict[Any, list[OpSeen]] = {}
    for (weight, _), uses in uses_by_forward(history).items():
        first.setdefault(weight, uses)
    for uses in first.values():
        if len(uses) < FEWEST_USES or not comes_from(uses[-1], uses[-2]):
            continue
        growth = growth_of(uses)
        if grows(growth.values, FORWARD_GROWTH, growth) or grows(growth.gradients, BACK_GROWTH, growth):
            yield growth


def uses_by_forward(history: History) -> dict[tuple[Any, int], list[OpSeen]]:
    """The ops that multiply with a weight, by weight and step."""
    return grouped(((op.weight, op.round), op) for op in history.training() if op.weight is not None)


def growth_of(uses: list[OpSeen]) -> Growth:
    """The growth of values and gradients, while both are numbers."""
    values = [op.stats.rms for op in uses if op.stats.finite and op.stats.rms > 0]
    gradients = [op.dy.rms for op in uses if op.dy is not None and op.dy.finite and op.dy.rms > 0]
    return Growth(
        uses,
        values[-1] / values[0] if values else 1.0,
        gradients[0] / gradients[-1] if gradients else 1.0,
        all(op.stats.finite for op in uses),
    )


def grows(ratio: float, most: float, growth: Growth) -> bool:
    """Whether a ratio is beyond what is healthy, and by a factor at each use: a sum does not grow so."""
    return ratio > most and per_use(ratio, growth) > USE_GROWTH


def per_use(ratio: float, growth: Growth) -> float:
    """The factor of each use."""
    return math.exp(math.log(ratio) / (len(growth.uses) - 1)) if ratio > 0 else 0.0


def comes_from(later: OpSeen, earlier: OpSeen) -> bool:
    """Whether an op reads, through others, what another has made."""
    return earlier in behind([given.producer for given in later.inputs], LOOKED_BACK)


def finding_of(history: History, growth: Growth) -> Finding:
    """The finding about a weight."""
    last, count = growth.uses[-1], len(growth.uses)
    name = key_of(history, last.weight)
    both = []
    if growth.values > 1:
        both.append(
            f"values grow {growth.values:.1e} times as large ({per_use(growth.values, growth):.2f} a use)"
        )
    if growth.gradients > 1:
        both.append(
            f"gradients {growth.gradients:.1e} times on the way back "
            f"({per_use(growth.gradients, growth):.2f} a use)"
        )
    after = "" if growth.finite else ", until they are infinite"
    return Finding(
        "exploding_recurrence",
        f"activations and gradients explode: {name} is used {count} times in a forward",
        f"through {count} uses {' and '.join(both)}{after}; what a use multiplies by, {count} uses multiply "
        f"by to the power of {count}",
        "initialise that weight smaller, near the identity or orthogonal (nn.init.orthogonal_); tanh bounds "
        "the state, nn.utils.clip_grad_norm_ the gradients; LSTM and GRU keep both",
        last.place,
        weight=97.5,
        cause=weight_made_at(history, last),
    )
