"""Losses: softmax before the wrong loss or over the wrong axis, outputs that cannot reach the targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...errors import show_shape
from .finding import NOTE, PERHAPS, Finding
from .models import layer_made_at
from .seen import LOSSES, DataSeen, History, InputSeen, OpSeen, Stats, behind, leads_to
from .thresholds import FEW_STEPS, NOT_LOG

LOOKED_BACK = 60  # ops between a comparison and a layer, at most
REGRESSIONS = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
KINDS_OF_SCORES = {"softmax": "probabilities (softmax)"}
BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, float("inf"))}


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the losses."""
    seen: set[object] = set()
    for op in history.training():
        if op.op in LOSSES and op.where not in seen:
            seen.add(op.where)
            yield from before_the_loss(history, op)
            yield from ends(history, op)
            yield from outside_of_probabilities(op)
    yield from softmax_over_the_batch(history)
    yield from softmax_of_one(history)
    yield from by_hand(history)
    yield from constant_loss(history)


def before_the_loss(history: History, loss: OpSeen) -> Iterator[Finding]:
    """What a loss is given: probabilities, log-probabilities, scores."""
    maker = loss.before()
    if maker is not None:
        yield from squashed_twice(history, loss, maker)
        yield from last_op(history, loss, maker)
    if loss.op == "nll_loss" and loss.row_sums is not None:
        yield from not_log_probabilities(loss, *loss.row_sums)
    scores = loss.inputs[0].shape if loss.inputs else ()
    if loss.op == "cross_entropy" and len(scores) == 2 and scores[1] == 1:
        yield Finding(
            "one_class",
            "cross_entropy over one class: the loss is 0 whatever the net says",
            f"the scores are [{scores[0]},1]: the softmax of one score is 1",
            "two outputs for two classes, or one with binary_cross_entropy_with_logits",
            loss.place,
            weight=87,
        )


def squashed_twice(history: History, loss: OpSeen, maker: OpSeen) -> Iterator[Finding]:
    """A softmax or sigmoid before a loss that has one of its own."""
    given = loss_input(loss)
    if loss.op == "cross_entropy" and maker.op in ("softmax", "sigmoid"):
        yield Finding(
            f"{maker.op}_before_cross_entropy",
            f"{maker.op} before cross_entropy, which has a softmax of its own",
            f"its input comes from {maker.op} and goes from {given.low:.3g} to {given.high:.3g}: between "
            "such numbers a softmax hardly tells classes apart, and gradients are small",
            f"give cross_entropy the scores (logits) themselves; {maker.op} only where probabilities "
            "are shown",
            maker.place,
            weight=71,
            cause=layer_made_at(history, maker.layer),
        )
    if loss.op == "cross_entropy" and maker.op == "log_softmax":
        yield Finding(
            "log_softmax_twice",
            "log_softmax twice: before cross_entropy, which does it itself",
            "the second one changes nothing but costs time",
            "give cross_entropy the scores, or nll_loss the log-probabilities",
            maker.place,
            NOTE,
            weight=9,
        )
    if loss.op == "binary_cross_entropy_with_logits" and maker.op in ("sigmoid", "softmax"):
        yield Finding(
            "sigmoid_twice",
            f"{maker.op} before binary_cross_entropy_with_logits, which has a sigmoid of its own",
            f"its input goes from {given.low:.3g} to {given.high:.3g}: the second sigmoid makes that 0.5 to "
            "0.73, so no example can come near its target",
            "give it the scores, or use binary_cross_entropy",
            maker.place,
            weight=71,
            cause=layer_made_at(history, maker.layer),
        )


def last_op(history: History, loss: OpSeen, maker: OpSeen) -> Iterator[Finding]:
    """A dropout or a relu after the last layer."""
    if maker.op == "dropout":
        yield Finding(
            "dropout_before_loss",
            f"dropout is the last op before {loss.op}",
            "it sets scores of classes to 0 at random, and scales the others",
            "put it before the last layer",
            maker.place,
            weight=47,
        )
    if loss.op == "cross_entropy" and maker.op == "relu":
        yield Finding(
            "relu_before_loss",
            "relu after the last layer: cross_entropy never sees a negative score",
            f"{loss_input(loss).zeros:.0%} of the scores are exactly 0, where no gradient passes",
            "leave out the activation after the last layer",
            maker.place,
            weight=57,
            cause=layer_made_at(history, maker.layer),
        )


def not_log_probabilities(loss: OpSeen, low: float, high: float) -> Iterator[Finding]:
    """What nll_loss is given though its exponentials do not add up to 1: their sums go from low to high."""
    if 1 - NOT_LOG <= low and high <= 1 + NOT_LOG:
        return
    maker = loss.before()
    given = "what comes in" if maker is None else KINDS_OF_SCORES.get(maker.op, "scores (logits)")
    yield Finding(
        "not_log_probabilities",
        f"nll_loss is given {given}; it needs log-probabilities, from log_softmax",
        f"Σ exp(x) over the classes goes from {low:.3g} to {high:.3g} and would have to be 1; the loss is "
        f"{loss.value if loss.value is not None else float('nan'):.4g}",
        "F.log_softmax(scores, dim=1) before it, or F.cross_entropy of the scores",
        loss.place,
        weight=73,
    )


def loss_input(loss: OpSeen) -> Stats:
    """The numbers that a loss is given."""
    maker = loss.inputs[0].producer if loss.inputs else None
    return maker.stats if maker is not None else loss.stats


def target_of(loss: OpSeen) -> DataSeen | None:
    """The data that a loss compares with."""
    given: InputSeen | None = loss.input("target")
    return given.data if given is not None else None


def ends(history: History, loss: OpSeen) -> Iterator[Finding]:
    """Outputs that can never reach their targets; squared errors of classes."""
    maker, target = loss.before(), target_of(loss)
    if loss.op not in REGRESSIONS or target is None or not target.sample.size:
        return
    bounds = BOUNDS.get(maker.op) if maker is not None else None
    low, high = target.stats.low, target.stats.high
    if maker is not None and bounds is not None and (low < bounds[0] - 0.05 or high > bounds[1] + 0.05):
        yield Finding(
            "unreachable_targets",
            f"{maker.op} after the last layer cannot reach the targets",
            f"it gives {bounds[0]:g} to {bounds[1]:g}, and the targets go from {low:.3g} to {high:.3g}",
            "leave out the activation after the last layer, or scale the targets",
            maker.place,
            weight=69,
            cause=layer_made_at(history, maker.layer),
        )
    elif is_one_hot(target) and (maker is None or maker.op not in ("softmax", "sigmoid")):
        yield Finding(
            "squared_error_of_classes",
            "the mean squared error of scores against one-hot targets",
            f"the targets are rows of one 1 among {target.shape[1]}; it works, and learns slower than "
            "cross-entropy where scores are far off",
            "F.cross_entropy(scores, labels), if you like",
            loss.place,
            NOTE,
            weight=8,
        )


def outside_of_probabilities(loss: OpSeen) -> Iterator[Finding]:
    """Targets of a binary cross-entropy that are no probabilities: it has no lower bound then."""
    target = target_of(loss)
    if not loss.op.startswith("binary") or target is None or 0 <= target.stats.low <= target.stats.high <= 1:
        return
    yield Finding(
        "targets_outside",
        f"the targets of {loss.op} are outside of 0 to 1",
        f"they go from {target.stats.low:.3g} to {target.stats.high:.3g}: labels out of range make the loss "
        "negative, without bound",
        "targets of 0 and 1: (y + 1) / 2 for -1 and 1, y / 255 for pixels",
        loss.place,
        weight=82,
    )


def is_one_hot(target: DataSeen) -> bool:
    """Whether the rows of a target are one-hot."""
    rows = target.sample
    if len(target.shape) != 2 or target.shape[1] < 2 or rows.ndim != 2:
        return False
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all())


def softmax_over_the_batch(history: History) -> Iterator[Finding]:
    """A softmax that runs over the samples."""
    told: set[object] = set()
    for op in history.training():
        if op.op not in ("softmax", "log_softmax") or len(op.shape) not in (2, 4) or op.where in told:
            continue
        dim = op.params.get("dim")
        if dim not in (0, -len(op.shape)) or op.shape[0] < 2 or not near_a_loss(op):
            continue
        told.add(op.where)
        yield Finding(
            "softmax_over_batch",
            f"{op.op} runs over the batch axis: the samples of a batch compete with each other",
            f"dim={dim} of {show_shape(op.shape)} is the batch of {op.shape[0]} samples; the classes are "
            "dim 1",
            f"F.{op.op}(x, dim=1)",
            op.place,
            weight=84,
            cause=layer_made_at(history, op.layer),
        )


def softmax_of_one(history: History) -> Iterator[Finding]:
    """A softmax over a single score of a layer: 1, whatever the score is."""
    sizes: dict[object, set[int]] = {}
    latest: dict[object, OpSeen] = {}
    for op in history.training():
        dim = op.params.get("dim")
        if op.op not in ("softmax", "log_softmax") or not isinstance(dim, int) or not op.shape:
            continue
        sizes.setdefault((op.where, op.layer), set()).add(op.shape[dim])
        latest[op.where, op.layer] = op
    for key, op in latest.items():
        maker = op.before()
        if sizes[key] != {1} or maker is None or maker.weight is None or not near_a_loss(op):
            continue
        always = 1 if op.op == "softmax" else 0
        yield Finding(
            "softmax_of_one",
            f"{op.op} over one single score: it is always {always}, whatever {maker.name} gives",
            f"dim={op.params['dim']} of {show_shape(op.shape)} has size 1; the output is constant, "
            f"and the gradient of it is 0",
            "sigmoid for one output, or binary_cross_entropy_with_logits of the score itself; or two outputs",
            op.place,
            weight=88,
            cause=layer_made_at(history, op.layer),
        )


def near_a_loss(op: OpSeen) -> bool:
    """Whether what comes of an op is a loss a few ops on, and no layer with a weight is between."""
    return leads_to(
        op,
        lambda reader: reader.op in LOSSES or (reader.value is not None and reader.weight is None),
        past=lambda reader: reader.weight is None,
    )


def by_hand(history: History) -> Iterator[Finding]:
    """Losses written by hand, whose shapes broadcast against each other; comparisons that do."""
    told: set[object] = set()
    for op in history.ops:
        if op.op not in ("sub", "eq", "mul", "maximum", "minimum", "ne") or op.where in told:
            continue
        shapes = [given.shape for given in op.inputs]
        if len(shapes) != 2 or not crossed(*shapes):
            continue
        from_data = [given.producer is None and given.data is not None for given in op.inputs]
        depends = [given.wanted for given in op.inputs]
        loss_like = op.op == "sub" and any(from_data) and any(depends)
        comparison = op.op in ("eq", "ne") and sum(map(comes_from_a_layer, op.inputs)) == 1
        if not (loss_like or comparison or op.op == "sub" and any(depends) and not all(depends)):
            continue
        told.add(op.where)
        a, b, made = map(show_shape, (*shapes, op.shape))
        what = "the loss" if not comparison else "the accuracy"
        yield Finding(
            "broadcast_target",
            f"{a} and {b} broadcast to {made}: each output meets each target, not its own",
            f"{what} is made of {np.prod(op.shape):,} pairs where {max(shapes[0][0], shapes[1][0])} were "
            "meant; the best that can be learned is the mean of all targets" * (what == "the loss"),
            "make the shapes equal first: prediction.squeeze(1), or target.reshape(-1, 1)",
            op.place,
            weight=86,
        )


def comes_from_a_layer(given: InputSeen) -> bool:
    """Whether a layer with a weight stands behind an input."""
    return any(op.weight is not None for op in behind([given.producer], LOOKED_BACK))


def crossed(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether one is [N] and the other [N, 1], with several N."""
    flat, tall = sorted((a, b), key=len)
    return len(flat) == 1 and len(tall) == 2 and tall[1] == 1 and tall[0] == flat[0] and flat[0] > 1


def constant_loss(history: History) -> Iterator[Finding]:
    """Losses that are the same in every step though weights move."""
    losses = history.main_losses()
    moving = [update for update in history.updates if update.ratio > 1e-4]
    if len(losses) < 3 * FEW_STEPS or len(moving) < 3 * FEW_STEPS:
        return
    if np.isfinite(losses).all() and max(losses) - min(losses) <= 1e-9 * max(1.0, abs(losses[0])):
        yield Finding(
            "constant_loss",
            "the loss is the same in every step, though the weights move",
            f"{losses[0]:.6g} in {len(losses)} backwards",
            "look at what the loss is computed of: does it depend on the output?",
            history.sweeps[-1].roots[0].place if history.sweeps[-1].roots else None,
            PERHAPS,
            weight=50,
        )
