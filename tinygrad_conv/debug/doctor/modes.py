"""Layers in the wrong mode: dropout and batch norm in training and evaluation; numbers that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...engine.location import place_at
from ...errors import show_count, show_shape
from .finding import PERHAPS, Finding
from .models import layer_made_at
from .parameters import listed
from .rates import bad_data, has_diverged
from .seen import LOSSES, History, OpSeen, SweepSeen
from .thresholds import DROPPED, FEW_STEPS, LEFT_OUT

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
    """What is wrong with modes and numbers."""
    yield from trained_in_eval(history)
    yield from evaluated_in_training(history)
    yield from batches_of_one(history)
    yield from dropped(history)
    yield from not_finite(history)
    yield from loaded(history)


def trained_in_eval(history: History) -> Iterator[Finding]:
    """Steps with layers that are in eval mode."""
    stepped = {update.leaf for update in history.updates}
    by_mode = [entry for entry in history.eval_sweeps if any(leaf in stepped for leaf in entry[0].grads)]
    if len(by_mode) < 2:
        return
    sweep, paths = by_mode[-1]
    asked = list(history.evals.values())
    yield Finding(
        "trained_in_eval_mode",
        f"the model is trained in eval mode: {listed(paths)} do not do what they do in training",
        f"training is False in {len(by_mode)} of {len(history.sweeps)} backwards: dropout passes all, batch "
        "norms use their running statistics and do not update them",
        "model.train() before the loop, and again after each evaluation",
        place_at(sweep.where),
        weight=68,
        cause=place_at(asked[-1]) if asked else None,
    )


def evaluated_in_training(history: History) -> Iterator[Finding]:
    """The first forward under no_grad with dropout on, or with a batch norm that uses the batch."""
    for op in history.ops:
        random = op.op == "dropout" or (op.op == "batch_norm" and op.params.get("training"))
        if not random or op.recording or not is_judged(op):
            continue
        what = (
            "dropout drops"
            if op.op == "dropout"
            else "batch norm uses the batch, and changes its running statistics"
        )
        yield Finding(
            "evaluated_in_training_mode",
            f"evaluated in training mode: {op.name} is not in eval mode",
            f"under no_grad {what}: the same sample is judged differently each time",
            "model.eval() before evaluating, and model.train() after it"
            if op.layer
            else "F.dropout(x, p, training=self.training)",
            op.place,
            PERHAPS,
            weight=54,
            cause=None if op.called is None else place_at(op.called),
        )
        return


def is_judged(op: OpSeen, depth: int = 40) -> bool:
    """Whether what comes of an op is judged (compared, or nothing at all), and not trained on."""
    todo, seen = [op], {id(op)}
    while todo and depth:
        current, depth = todo.pop(), depth - 1
        if current.recorded:
            return False
        for reader in current.readers:
            if reader.op in LOSSES | {"argmax", "eq", "max", "gt", "sum", "mean"} and not reader.recorded:
                return True
            if id(reader) not in seen:
                seen.add(id(reader))
                todo.append(reader)
    return not any(reader.recorded for reader in op.readers)


def batches_of_one(history: History) -> Iterator[Finding]:
    """Batch norms that see one sample at a time."""
    norms = [op for op in history.training() if op.op == "batch_norm" and op.params.get("training")]
    single = [op for op in norms if op.shape and op.shape[0] == 1]
    if len(single) >= FEW_STEPS and len(single) == len(norms):
        yield Finding(
            "batch_of_one",
            f"{single[0].name} is a batch norm and sees batches of one sample",
            f"{show_shape(single[0].shape)} in {len(single)} forwards: each sample is normalised "
            "by itself, and the running statistics jump",
            "larger batches, or nn.GroupNorm",
            single[0].place,
            PERHAPS,
            weight=51,
        )


def dropped(history: History) -> Iterator[Finding]:
    """Dropouts that leave next to nothing."""
    for op in history.training():
        share = op.params.get("p", 0.0)
        if op.op == "dropout" and isinstance(share, float) and share >= DROPPED:
            yield Finding(
                "drops_nearly_all",
                f"{op.name} drops {share:.0%} of what passes",
                f"p = {share:g} is the share that is dropped, not the one that is kept; "
                f"{op.stats.zeros:.0%} of its outputs are 0",
                f"p = {1 - share:.2g}, if that share was to be dropped",
                op.place,
                weight=62,
                cause=layer_made_at(history, op.layer),
            )
            return


def not_finite(history: History) -> Iterator[Finding]:
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


def loaded(history: History) -> Iterator[Finding]:
    """State dicts that were loaded in part, or into other layers."""
    for load in history.loads:
        place = place_at(load.where)
        owner = type(load.module).__name__
        if load.missing or load.unexpected:
            keys = [key for key, _ in load.module.named_parameters()]
            left = [key for key in load.missing if key in keys]
            if not left or not load.unexpected and len(left) < LEFT_OUT * len(keys):
                continue
            others = f"; without a place: {listed(load.unexpected)}" if load.unexpected else ""
            yield Finding(
                "loaded_in_part",
                f"load_state_dict(strict=False) left {len(left)} of "
                f"{show_count(len(keys), 'parameter')} of {owner} "
                f"as they were{': it loaded nothing, for no name fits' if len(left) == len(keys) else ''}",
                f"missing: {listed(left)}{others}",
                "rename the keys so that they fit; strict=True says which do not",
                place,
                "fault" if len(left) == len(keys) or load.unexpected else PERHAPS,
                weight=67,
            )
        if load.others:
            pairs = [f"{key} has the numbers of {origin}" for key, origin in load.others]
            owner = type(load.root).__name__
            yield Finding(
                "loaded_elsewhere",
                f"a state dict was loaded into another layer of the same shape of {owner}",
                f"{listed(pairs)} in another {owner}",
                "load each key under its own name",
                place,
                PERHAPS,
                weight=61,
            )
