"""Numbers that are none: the first op, or the first rule, that made NaN or an infinity, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...engine.location import place_at
from ...errors import show_shape
from .finding import Finding
from .rates import bad_data, has_diverged
from .seen import History, OpSeen, SweepSeen

CAUSES = {
    "log": (
        "the logarithm of 0 or less",
        "log_softmax or a loss with logits does it safely; else clamp first",
    ),
    "div": ("a division by 0", "add a small number to what is divided by"),
    "sqrt": ("the root of a negative number", "clamp first, or add a small number"),
    "exp": (
        "an exponential too large for its dtype",
        "subtract the largest first, or use logsumexp or softmax",
    ),
    "pow": (
        "a power beyond its dtype, or a root of a negative number",
        "keep what goes in small and positive",
    ),
}


def examine(history: History) -> Iterator[Finding]:
    """NaN and infinities: the first op, or the first rule, that made one."""
    first = history.first_not_finite()
    bad = next((sweep for sweep in history.sweeps if sweep.bad is not None), None)
    if first is not None and (bad is None or first.round <= bad.round) and not excused(first):
        yield made_by(first, history)
    elif bad is not None and bad.bad is not None:
        yield made_by_rule(bad, *bad.bad)


def excused(op: OpSeen) -> bool:
    """Infinities that are meant: masks before a softmax, and what is not on the way to a loss."""
    if op.is_half:
        return False
    masked = any(given.data is not None and given.data.stats.low == -math.inf for given in op.inputs)
    filled = op.op in ("where", "masked_fill", "masked", "setitem", "add") and op.stats.low == -math.inf
    return (filled or masked) and not np.isnan(op.stats.high)


def made_by(op: OpSeen, history: History) -> Finding:
    """The finding about an op."""
    given = bad_data(op)
    if given is not None:
        return Finding(
            "data_not_finite",
            f"the data that {op.name} is given has NaN or infinities in it",
            f"{given.argument} {show_shape(given.shape)}, in step {op.round + 1}",
            "clean the data: np.isfinite(x).all(); a standard deviation of 0 divides by 0",
            op.place,
            weight=97,
        )
    numbers = "NaN" if np.isnan(op.stats.low) or np.isnan(op.stats.high) else "infinities"
    ranges = [
        f"{each.argument} from {each.producer.stats.low:.3g} to {each.producer.stats.high:.3g}"
        for each in op.inputs
        if each.producer is not None
    ]
    read = f", of {', '.join(ranges)}" if ranges else ""
    cause, advice = CAUSES.get(op.op, ("", "look at what goes in; `with tg.detect_anomaly():` stops there"))
    kind = "not_finite"
    if op.is_half:
        cause = "float16 overflows beyond 65504"
        advice = "compute in float32, or scale the numbers (and the loss) down first"
    elif has_diverged(history) and op.round > 0:
        kind = "diverged"  # which follows from steps that are too large, where these are named
        cause = "the training diverged before that: the learning rate is too large, or the data are"
        advice = "lower the learning rate, and standardise the data"
    elif op.weight is not None or op.op in ("batch_norm", "mse_loss", "sum", "mean"):
        cause = cause or "numbers grew beyond the dtype"
    return Finding(
        kind,
        f"{op.op} makes {numbers} in step {op.round + 1}, the first op that does"
        f"{': ' + cause if cause else ''}",
        f"{op.name} gives {op.stats.low:.3g} to {op.stats.high:.3g}{read}",
        advice,
        op.place,
        weight=96,
    )


def made_by_rule(sweep: SweepSeen, op: OpSeen | None, argument: str) -> Finding:
    """The finding about a rule of an op, where it was seen."""
    name = op.name if op is not None else "an op"
    causes = {
        "sqrt": "the gradient of a root is infinite at 0",
        "vector_norm": "the gradient of a norm has no value at 0",
        "pow": "the gradient of this power is infinite at 0",
        "log": "the gradient of log is infinite at 0",
        "div": "the gradient of a division by 0 is infinite",
    }
    cause = causes.get(op.op, "") if op is not None else ""
    if op is not None and op.is_half:
        cause = "float16 overflows beyond 65504"
    return Finding(
        "gradient_not_finite",
        f"the gradient of {op.op if op else 'an op'} is NaN or infinite in backward {sweep.round + 1}, "
        f"though its forward is a number{': ' + cause if cause else ''}",
        f"the rule for {argument} of {name} is the first that makes one",
        "add a small number before it (x + 1e-8), or compute in float32"
        if cause
        else "tg.detect_anomaly() stops there",
        op.place if op is not None else place_at(sweep.where),
        weight=96,
    )
