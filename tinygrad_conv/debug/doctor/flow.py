"""Gradient flow: how large values, gradients and steps are in each layer, as a table and as bars."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.location import Place
from ...engine.registry import if_open
from ...members import grouped
from .finding import PERHAPS, Finding
from .models import begun_at, key_of
from .seen import ACTIVATIONS, PASSING, History, OpSeen, Update, leads_to
from .thresholds import (
    DEAD_BATCHES,
    DEAD_SAMPLES,
    DEAD_SHARE,
    EXPLODING,
    FEW_STEPS,
    FLOW_STEPS,
    SATURATED_SHARE,
    VANISHING,
)

BETWEEN = PASSING | {"dropout", "max_pool2d", "avg_pool2d", "batch_norm"}  # an activation and the next layer
BARS = 24  # columns of a bar
LOWEST = -6  # the power of ten at which a bar begins


@dataclass(frozen=True)
class LayerFlow:
    """A layer with a weight, as it was on an average of the last steps."""

    layer: str
    op: str
    y: float  # root mean square of its output
    zeros: float  # the share of zeros in it, or in the activation after it
    dy: float  # root mean square of the gradient that arrives
    dw: float  # |dw|
    relative: float  # |dw| / |w|
    update: float  # |Δw| / |w| of a step; NaN where none was seen
    place: Place


class Flow:
    """The gradient flow by layer, in the order of the forward: `print(d.flow)`, `for layer in d.flow`."""

    def __init__(self, layers: list[LayerFlow]) -> None:
        self.layers = layers

    def __iter__(self) -> Iterator[LayerFlow]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __str__(self) -> str:
        if not self.layers:
            return "no backward has passed a layer with a weight"
        rows = list(self.rows())
        width = max(len(name) for name, *_ in rows)
        aligned = []
        for name, *numbers, drawn in rows:
            cells = " ".join(f"{number:>9}" for number in numbers)
            aligned.append(f"{name:<{width}}  {cells}  {drawn}".rstrip())
        return "\n".join(aligned)

    __repr__ = __str__

    def _repr_html_(self) -> str | None:
        return if_open("layers_html", self)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of the table, its head first; of each line the last is a bar."""
        yield "layer", "|y|", "zeros", "|dy|", "|dw|", "|dw|/|w|", "step/|w|", f"|dw|/|w|: 1e{LOWEST} to 1"
        for layer in self.layers:
            numbers = (layer.y, layer.zeros, layer.dy, layer.dw, layer.relative, layer.update)
            yield layer.layer, *map(show, numbers), bar(layer.relative)


def show(number: float) -> str:
    """A number in a table."""
    return "-" if math.isnan(number) else f"{number:.2g}"


def bar(number: float) -> str:
    """A number on a logarithmic scale."""
    if not number > 0:
        return ""
    share = (min(math.log10(number), 0.0) - LOWEST) / -LOWEST
    return "█" * max(1, round(share * BARS)) if share > 0 else "▏"


def flow_of(history: History) -> Flow:
    """The flow of the last steps that were seen."""
    layers = [layer_flow(history, ops) for ops in by_layer(history).values()]
    return Flow(layers)


def by_layer(history: History) -> dict[Any, list[OpSeen]]:
    """The ops that multiply with a parameter and that a backward has passed, by the parameter."""
    ops = history.training()
    return grouped((op.weight, op) for op in ops if op.weight is not None and op.dy is not None)


def layer_flow(history: History, ops: list[OpSeen]) -> LayerFlow:
    """One layer's, the mean of its last calls."""
    last, weight = ops[-3:], ops[-1].weight
    grads = [sweep.grads[weight] for sweep in history.sweeps if weight in sweep.grads][-3:]
    updates = [update.ratio for update in history.updates if update.leaf is weight][-3:]
    activation = next((reader for reader in ops[-1].readers if reader.op in ACTIVATIONS), ops[-1])
    size = mean([grad.norm for grad in grads])
    weights = mean([grad.weight_norm for grad in grads])
    key = key_of(history, weight)
    return LayerFlow(
        layer=ops[-1].layer or key.removesuffix(".weight"),
        op=ops[-1].op,
        y=mean([op.stats.rms for op in last]),
        zeros=activation.stats.zeros,
        dy=mean([op.dy.rms for op in last if op.dy is not None]),
        dw=size,
        relative=size / weights if weights else 0.0,
        update=mean(updates) if updates else float("nan"),
        place=ops[-1].place,
    )


def mean(numbers: list[float]) -> float:
    """Their mean; NaN for none."""
    return sum(numbers) / len(numbers) if numbers else float("nan")


def examine(history: History) -> Iterator[Finding]:
    """What the flow shows."""
    yield from blocked_flow(history)
    yield from quiet_units(history)
    yield from saturated(history)
    yield from symmetric(history)
    yield from only_linear(history)


def relative_gradients(history: History) -> list[tuple[OpSeen, float]]:
    """(first op of a layer, its median |dw|/|w|), in the order of the forward, while all was finite."""
    layers = []
    for weight, ops in by_layer(history).items():
        grads = [sweep.grads[weight] for sweep in history.sweeps if weight in sweep.grads]
        ratios = [grad.norm / grad.weight_norm for grad in grads if grad.finite and grad.weight_norm]
        if len(ratios) >= FLOW_STEPS:
            layers.append((ops[0], float(np.median(ratios))))
    return layers


def blocked_flow(history: History) -> Iterator[Finding]:
    """Gradients that vanish or explode on the way back."""
    layers = relative_gradients(history)
    if len(layers) < 2:
        return
    (first, ratio), largest = layers[0], max(layers[1:], key=lambda layer: layer[1])
    if largest[1] > 0 and ratio < VANISHING * largest[1]:
        passed = [op.op for op in history.training() if op.op in ("sigmoid", "tanh", "softmax")]
        what = "nothing" if ratio == 0 else f"{ratio:.1e}"
        squashing = sorted(set(passed))
        through = f"; on the way are {', '.join(squashing)}, which pass a fraction each" if passed else ""
        yield Finding(
            "vanishing_gradient",
            f"the gradient vanishes before it reaches the first layer, {first.name}",
            f"|dw|/|w| is {largest[1]:.1e} in {largest[0].name} and {what} in {first.name}, the first of "
            f"{len(layers)} layers{through}",
            "use relu in place of sigmoid or tanh, initialise for it (nn.init.kaiming_normal_), add batch "
            "norm or residual connections, or take layers out",
            first.place,
            weight=70,
        )
    ratios = sorted(ratio for _, ratio in layers)
    median = ratios[len(ratios) // 2]
    smallest = min((each for each in ratios if each), default=0.0)
    if first.stats.finite and ratio > 1 and median > 0 and ratio > EXPLODING * smallest > 0:
        yield Finding(
            "exploding_gradient",
            f"the gradient explodes on its way back to {first.name}",
            f"|dw|/|w| is {ratio:.1e} in {first.name}, the first layer, and {layers[-1][1]:.1e} in the last",
            "initialise smaller (nn.init.kaiming_normal_), clip (nn.utils.clip_grad_norm_), add norms",
            first.place,
            weight=75,
        )


def quiet_units(history: History) -> Iterator[Finding]:
    """Relus whose units give 0 for everything."""
    lines: dict[object, list[OpSeen]] = {}
    for op in history.training():
        maker = op.before()
        if op.quiet_units is not None and op.op == "relu" and maker is not None:
            weight = behind_norms(maker)
            lines.setdefault((weight.weight if weight else None, op.where), []).append(op)
    for ops in lines.values():
        same = [op for op in ops if op.quiet_units is not None and op.shape[1:] == ops[0].shape[1:]]
        samples = sum(op.shape[0] for op in same)
        if len(same) < DEAD_BATCHES or samples < DEAD_SAMPLES:
            continue
        late = same[len(same) // 2 :] if len(same) >= 2 * DEAD_BATCHES else same
        quiet = np.logical_and.reduce([op.quiet_units for op in late if op.quiet_units is not None])
        count, units = int(quiet.sum()), quiet.size
        if units < 2 or count < DEAD_SHARE * units:
            continue
        maker = same[-1].before()
        name = maker.name if maker is not None else same[-1].name
        yield Finding(
            "dead_units",
            f"{count} of {units} relu units after {name} are dead",
            f"they gave 0 for every sample of the last {len(late)} batches, so no gradient passes them; the "
            f"input of the relu is at most {maker.stats.high if maker else 0:.3g} now",
            "lower the learning rate, or initialise anew (biases at 0, nn.init.kaiming_normal_); "
            "leaky_relu keeps a gradient",
            same[-1].place,
            weight=65 + 10 * (count == units),
        )


def behind_norms(op: OpSeen | None) -> OpSeen | None:
    """The layer with a weight behind an activation, past norms and dropouts."""
    for _ in range(8):
        if op is None or op.weight is not None:
            return op
        op = op.before()
    return None


def saturated(history: History) -> Iterator[Finding]:
    """Hidden sigmoids and tanhs at their ends."""
    squashing = [op for op in history.training() if op.op in ("sigmoid", "tanh") and op.recorded]
    for ops in grouped((op.where, op) for op in squashing if feeds_a_layer(op)).values():
        share = float(np.median([op.saturation for op in ops]))
        if len(ops) < FEW_STEPS or share < SATURATED_SHARE:
            continue
        maker = ops[-1].before()
        low, high = (maker.stats.low, maker.stats.high) if maker else (0.0, 0.0)
        yield Finding(
            "saturated",
            f"{ops[-1].op} is saturated: {share:.0%} of its outputs are at the ends, where the gradient is 0",
            f"its inputs go from {low:.3g} to {high:.3g}; beyond ±5 it is flat",
            "make its inputs smaller: standardise the data, initialise by the fan in "
            "(nn.init.xavier_uniform_), or put a norm before it",
            ops[-1].place,
            weight=66,
        )


def feeds_a_layer(op: OpSeen) -> bool:
    """Whether a layer with a weight reads what comes of an op."""
    return leads_to(op, lambda reader: reader.weight is not None, past=lambda reader: reader.op in BETWEEN)


def symmetric(history: History) -> Iterator[Finding]:
    """Layers whose units are all the same, and stay so; weights that are zero, and stay so."""
    for weight, ops in by_layer(history).items():
        grads = [sweep.grads[weight] for sweep in history.sweeps if weight in sweep.grads]
        moved = [update for update in history.updates if update.leaf is weight and update.moved]
        if len(grads) >= FLOW_STEPS and all(grad.alike for grad in grads[1:]) and moved:
            yield Finding(
                "symmetric_units",
                f"all {weight.shape[0]} units of {ops[0].name} are identical",
                f"the rows of its weight are equal and get equal gradients in {len(grads)} backwards, so "
                "they stay one and the same unit: the symmetry is never broken",
                "initialise at random (nn.init.kaiming_uniform_), not with a constant or zeros; only "
                "biases may begin equal",
                ops[0].place,
                weight=78,
                cause=begun_at(history, ops[0]),
            )
        elif len(grads) >= FLOW_STEPS and all(grad.weight_is_zero and not grad.norm for grad in grads):
            yield Finding(
                "zero_weights",
                f"the weights of {ops[0].name} are zero and stay zero",
                f"in {len(grads)} backwards |w| = 0 and |dw| = 0: with all layers zero, nothing tells "
                "the units apart",
                "initialise at random (nn.init.kaiming_uniform_), not with zeros",
                ops[0].place,
                weight=78,
                cause=begun_at(history, ops[0]),
            )


def only_linear(history: History) -> Iterator[Finding]:
    """Layers with nothing but linear ops between them."""
    pairs: dict[object, tuple[OpSeen, OpSeen]] = {}
    curved = any(op.op in ACTIVATIONS for op in history.training())
    for op in history.training():
        earlier = linear_before(op)
        if earlier is None or op.weight is None or earlier.weight is op.weight:
            continue
        narrow, widest = earlier.weight.shape[0], min(earlier.weight.shape[1], op.weight.shape[0])
        joined = {earlier.op, op.op}
        if (joined == {"linear"} or not curved and joined <= {"linear", "conv2d"}) and narrow >= widest:
            pairs.setdefault((earlier.weight, op.weight), (earlier, op))
    others = {op.weight for op in history.training() if op.weight is not None}
    whole = "" if curved else "; nowhere in the net is an activation"
    for earlier, later in list(pairs.values())[: None if curved else 1]:
        level = PERHAPS if curved and len(others) > 2 else "fault"
        yield Finding(
            "only_linear",
            f"there is no non-linearity between {earlier.name} and {later.name}",
            f"two linear layers in a row, {earlier.weight.shape[1]} → {earlier.weight.shape[0]} → "
            f"{later.weight.shape[0]}, are no more than one{whole}",
            "put an activation between them, F.relu for one, or leave one of them out",
            later.place,
            level,
            weight=40,
        )


def linear_before(op: OpSeen) -> OpSeen | None:
    """The layer whose output an op reads with nothing but dropout in between."""
    maker = op.before()
    while maker is not None and maker.op == "dropout":
        maker = maker.before()
    return maker if maker is not None and maker.weight is not None and maker.weight.data.ndim >= 2 else None


def median_ratio(updates: list[Update]) -> float:
    """The median |Δw|/|w| of steps."""
    return float(np.median([update.ratio for update in updates])) if updates else 0.0
