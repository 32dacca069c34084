"""Running statistics of batch norms that fit what arrives at another layer, and not what arrives here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.location import place_at
from ...engine.observe import Call
from .finding import PERHAPS, Finding
from .seen import History, Loaded, OpSeen
from .thresholds import FITS, FITS_NOT, MEASURED

EPSILON = 1e-5  # added to variances, as the norm does


@dataclass(frozen=True, eq=False)
class Channels:
    """The mean and the variance of each channel."""

    mean: Array
    variance: Array


@dataclass(frozen=True, eq=False)
class Normed:
    """What a batch norm in eval mode has, and what arrives there."""

    running: Channels
    arrived: Channels


def normed_by(call: Call) -> Normed | None:
    """The statistics of a batch norm that uses its running ones."""
    running = [array_of(call.params.get(name)) for name in ("running_mean", "running_var")]
    x = array_of(call.inputs.get("x"))
    if call.params.get("training") or x is None or x.ndim < 2 or running[0] is None or running[1] is None:
        return None
    if x.size < MEASURED * x.shape[1]:
        return None
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    with np.errstate(all="ignore"):
        arrived = Channels(x.mean(axis=axes, dtype=np.float64), x.var(axis=axes, dtype=np.float64))
    return Normed(Channels(running[0].reshape(-1).copy(), running[1].reshape(-1).copy()), arrived)


def array_of(value: Any) -> Array | None:
    """An array, or that of a Tensor."""
    array = getattr(value, "_data", value)
    return array if isinstance(array, np.ndarray) else None


def distance(arrived: Channels, running: Channels) -> float:
    """The divergence of two normal distributions (Kullback and Leibler 1951), the median of the channels."""
    variance, own = arrived.variance + EPSILON, running.variance + EPSILON
    with np.errstate(all="ignore"):
        shift = (arrived.mean - running.mean) ** 2 / own
        divergences = 0.5 * (shift + variance / own - 1 - np.log(variance / own))
    return float(np.median(divergences))


def examine(history: History) -> Iterator[Finding]:
    """Loaded statistics that are another layer's."""
    if not history.loads or any(load.others for load in history.loads):
        return  # where the numbers came from is known better
    first: dict[str, OpSeen] = {}
    for op in history.ops:
        if op.normed is not None and op.layer:
            first.setdefault(op.layer, op)
    for layer, op in first.items():
        load = loaded_into(history, layer)
        others = [other for name, other in first.items() if name != layer and fits_better(op, other)]
        if load is not None and others:
            yield finding_of(op, min(others, key=lambda other: distance_at(op, other)), load)


def distance_at(op: OpSeen, other: OpSeen) -> float:
    """How far what arrives at a norm is from the running statistics of another."""
    return distance(op.normed.arrived, other.normed.running)


def fits_better(op: OpSeen, other: OpSeen) -> bool:
    """Whether the statistics of another norm are those of what arrives, and the own ones far from it."""
    if op.normed.running.mean.shape != other.normed.running.mean.shape:
        return False
    return distance_at(op, op) > FITS_NOT and distance_at(op, other) < FITS


def loaded_into(history: History, layer: str) -> Loaded | None:
    """The last state dict that a layer, or a module around it, was given."""
    for load in reversed(history.loads):
        path = vars(load.module).get("_path", "")
        if path and (layer == path or layer.startswith(path + ".")):
            return load
    return None


def finding_of(op: OpSeen, other: OpSeen, load: Loaded) -> Finding:
    """The finding about a norm."""
    arrived, running = op.normed.arrived, op.normed.running
    return Finding(
        "statistics_elsewhere",
        f"the running statistics of {op.layer} do not fit what arrives there: a state_dict was loaded into "
        "another layer of the same shape",
        f"what arrives has a mean of {size(arrived.mean):.3g} and a standard deviation of "
        f"{size(arrived.variance**0.5):.3g} (root mean squares over the channels); its batch norm expects "
        f"{size(running.mean):.3g} and {size(running.variance**0.5):.3g}, while the statistics of "
        f"{other.layer} would fit",
        "load each layer by its own name, not by its place in a sorted list",
        place_at(load.where),
        PERHAPS,
        weight=62,
        cause=op.place,
    )


def size(numbers: Array) -> float:
    """Their root mean square."""
    return float(np.sqrt(np.mean(np.square(numbers))))
