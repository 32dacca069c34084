"""Weights as they begin: too large or too small, so that what passes grows or fades from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .finding import Finding
from .flow import by_layer
from .models import begun_at
from .rates import loss_said
from .seen import History, OpSeen, behind
from .thresholds import FADED, FEWEST_LAYERS, GREW, LARGE_INIT, SMALLEST_FAN_IN, TIMES_USUAL

LOOKED_BACK = 60  # ops between a layer and those before it, at most
NORMS = {"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"}


def examine(history: History) -> Iterator[Finding]:
    """What is wrong with the weights as they begin."""
    layers = by_layer(history)
    yield from large_weights(history, layers)
    yield from growing(history, layers)


def begun(history: History, weight: Any) -> float | None:
    """The root mean square of a weight at the first backward that reached it."""
    first = next((sweep.grads[weight] for sweep in history.sweeps if weight in sweep.grads), None)
    return None if first is None or not weight.data.size else float(first.weight_norm / weight.data.size**0.5)


def fan_in(op: OpSeen) -> int:
    """How many numbers a unit adds up: the rows of the b of a @ b, else all but a weight's first axis."""
    shape = op.weight.shape
    return int(shape[-2] if op.op == "matmul" and len(shape) >= 2 else np.prod(shape[1:]))


def usual(op: OpSeen) -> float:
    """√(2 / fan in), which keeps the size of what passes a relu (He et al. 2015)."""
    return float((2 / fan_in(op)) ** 0.5) if fan_in(op) else float("inf")


def large_weights(history: History, layers: dict[Any, list[OpSeen]]) -> Iterator[Finding]:
    """Weights that begin far too large."""
    for weight, ops in layers.items():
        size, inputs = begun(history, weight), fan_in(ops[0])
        if size is None or inputs < SMALLEST_FAN_IN or size <= LARGE_INIT * usual(ops[0]):
            continue
        yield Finding(
            "large_weights",
            f"the weights of {ops[0].name} begin too large",
            f"their root mean square is {size:.2g}; for {inputs} inputs √(2/{inputs}) = "
            f"{usual(ops[0]):.2g} keeps the size of what passes (it makes outputs of {ops[0].stats.rms:.3g})",
            "initialise by the fan in: nn.init.kaiming_normal_(weight), or leave the default",
            ops[0].place,
            weight=72,
            cause=begun_at(history, ops[0]),
        )


def growing(history: History, layers: dict[Any, list[OpSeen]]) -> Iterator[Finding]:
    """Activations that grow, or fade, by a factor in each layer of the first forward."""
    chain = longest_chain({weight: ops[0] for weight, ops in layers.items()})
    shares = [share_of_usual(history, op) for op in chain]
    if len(chain) < FEWEST_LAYERS or not all(op.stats.finite and op.stats.rms > 0 for op in chain):
        return
    ratio, inner = chain[-1].stats.rms / chain[0].stats.rms, shares[1:-1]
    large = ratio > GREW and sum(share > TIMES_USUAL for share in inner) > len(inner) / 2
    small = ratio < FADED and sum(share < 1 / TIMES_USUAL for share in inner) > len(inner) / 2
    if not (large or small):
        return
    worst = max(chain[1:-1], key=lambda op: share_of_usual(history, op) * (1 if large else -1))
    size, inputs = begun(history, worst.weight) or 0.0, fan_in(worst)
    yield Finding(
        "growing_activations" if large else "fading_activations",
        f"activations {'explode' if large else 'fade to nothing'} from layer to layer: the weights begin too "
        f"{'large' if large else 'small'}",
        f"from {chain[0].name} to {chain[-1].name}, {len(chain)} layers, what passes becomes {ratio:.1e} "
        f"times as large in the first forward, {ratio ** (1 / (len(chain) - 1)):.3g} a layer; the standard "
        f"deviation of the weights of {worst.name} is {size:.2g}, and for {inputs} inputs √(2/{inputs}) = "
        f"{usual(worst):.2g} would keep the size{loss_said(history)}",
        "initialise by the fan in: nn.init.kaiming_normal_(weight), or leave the default",
        worst.place,
        weight=81.5,
        cause=begun_at(history, worst),
    )


def share_of_usual(history: History, op: OpSeen) -> float:
    """The size of a weight at the beginning over the usual one."""
    return (begun(history, op.weight) or 0.0) / usual(op)


def longest_chain(first: dict[Any, OpSeen]) -> list[OpSeen]:
    """The layers one after the other, each but once, with no norm between them."""
    chains: dict[int, list[OpSeen]] = {}
    for op in first.values():
        before = layers_before(op)
        chains[id(op)] = [*max((chains.get(id(each), []) for each in before), key=len, default=[]), op]
    return max(chains.values(), key=len, default=[])


def layers_before(op: OpSeen) -> list[OpSeen]:
    """The nearest ops with a weight that an op's input comes from; what a norm has passed does not count."""
    before = behind(
        [op.inputs[0].producer], LOOKED_BACK, lambda each: each.weight is None and each.op not in NORMS
    )
    return [each for each in before if each.weight is not None]
