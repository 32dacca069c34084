"""Dropout and batch norm: in the wrong mode, on a batch of one sample, or with hardly anything left."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.location import place_at
from ...errors import show_shape
from .finding import PERHAPS, Finding
from .models import layer_made_at
from .parameters import listed
from .seen import LOSSES, History, OpSeen
from .thresholds import DROPPED, FEW_STEPS

LOOKED_AHEAD = 40  # ops that read what a dropout or a batch norm gives


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with modes, dropout and batch norm."""
    yield from trained_in_eval(history)
    yield from evaluated_in_training(history)
    yield from batches_of_one(history)
    yield from dropped(history)


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


def is_judged(op: OpSeen) -> bool:
    """Whether what comes of an op is judged (compared, or nothing at all), and not trained on."""
    todo, seen = [op], {id(op)}
    for _ in range(LOOKED_AHEAD):
        if not todo:
            break
        current = todo.pop()
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
