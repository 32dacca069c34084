"""One number followed through the whole net, both ways: where its value and its gradient came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..members import members_of
from .explain import Index, checked, products_of
from .recorded import Recorded
from .rerun import node_of, placeholders_of
from .step import Source, Step
from .stepping import contributions


class Hop(NamedTuple):
    """One op on the way."""

    step: Step
    at: str  # the number in its input or output that the way goes on with: `x[0, 1, 2, 2]`, `y[0, 3, 1, 1]`
    value: float  # that number; on the way to the loss, its gradient
    share: float  # what it contributes, of
    whole: float  # the sum of everything that contributes
    many: int  # how many numbers do

    def __repr__(self) -> str:
        rank = f"the largest of {self.many:,}" if self.many > 1 else "the only one"
        part = f"({self.share:+.4g} of {self.whole:.4g}, {rank})"
        op = f"%{self.step.number} {self.step.op}"
        return f"{op:<16} {self.at} = {self.value:.6g}   {part}   {self.step.where.layer}".rstrip()


class Trace(NamedTuple):
    """The two ways of a number, each along what contributes most."""

    of: str
    value: float
    gradient: float
    sources: list[Hop]  # from the number down to a leaf: which input made it what it is
    effects: list[Hop]  # from the number on to the loss: through which output its gradient comes
    ends: tuple[str, str]  # why each way ends where it does

    def __repr__(self) -> str:
        first, last = self.ends
        head = f"{self.of} = {self.value:.6g}, gradient {self.gradient:.6g}"
        back = "\n    ".join(["where the value comes from:", *map(repr, self.sources), first])
        on = "\n    ".join(["where the gradient comes from:", *map(repr, self.effects), last])
        return "\n".join([head, back, on])


def trace(recording: Recorded, of: Any, index: int | Sequence[int]) -> Trace:
    """Follow one number of a leaf or an intermediate result through the net.

    Back to where its value comes from, always to the input number with the largest |∂y/∂x · x|; and on to the
    loss, always to the output number through which most of its gradient comes. Raises KeyError and IndexError
    as `explain` does.
    """
    gradient = recording.grad_of(of)
    index, source = checked(index, gradient.shape), recording.source(of)
    sources, first = way_back(recording, source, index)
    effects, last = way_on(recording, source, index)
    name = f"{source if isinstance(source, str) else f'%{source.number}'}{list(index) or ''}"
    value = value_of(recording, source, index)
    return Trace(name, value, float(gradient[index]), sources, effects, (first, last))


def value_of(recording: Recorded, source: Source | str, index: Index) -> float:
    """A number of a leaf or a result; NaN where the forward value is not known."""
    if isinstance(source, str):
        return float(recording.leaves[source][index])
    array = members_of(recording[source.number - 1].output)[source.slot]
    return float("nan") if array is None else float(array[index])


def way_on(recording: Recorded, source: Source | str, index: Index) -> tuple[list[Hop], str]:
    """Along the largest product of each gradient, to where the backward began."""
    hops: list[Hop] = []
    while source not in recording.seeds:
        products = [product for user in recording.users(source) for product in products_of(user, index)]
        largest = max(products, key=lambda product: abs(product.product), default=None)
        if largest is None or largest.product == 0:
            return hops, f"no gradient comes through: {nothing_but_zeros(len(products))}"
        slot, index = (largest.at[0], largest.at[1:]) if largest.step.several else (0, largest.at)
        name = f"dy{list(largest.at) or ''}"
        whole = sum(product.product for product in products)
        hops.append(Hop(largest.step, name, largest.dy, largest.product, whole, len(products)))
        source = Source(largest.step.number, slot)
    return hops, "the backward began here"


def way_back(recording: Recorded, source: Source | str, index: Index) -> tuple[list[Hop], str]:
    """Along the largest ∂y/∂x · x, to a leaf."""
    hops: list[Hop] = []
    while isinstance(source, Source):
        step = recording[source.number - 1]
        candidates = influences(step, source.slot, index)
        if not candidates:
            return hops, f"the inputs of %{step.number} {step.op} are constants, or not known"
        largest = max(candidates, key=lambda influence: np.abs(influence.shares).max(initial=0.0))
        shares = largest.shares
        if not np.abs(shares).max(initial=0.0):
            return hops, f"%{step.number} {step.op} makes it of nothing but zeros"
        index = tuple(map(int, np.unravel_index(int(np.abs(shares).argmax()), shares.shape)))
        whole = float(sum(np.sum(influence.shares) for influence in candidates))
        count = int(sum(np.count_nonzero(influence.shares) for influence in candidates))
        name = f"{largest.input}{list(index) or ''}"
        hops.append(Hop(step, name, float(largest.x[index]), float(shares[index]), whole, count))
        source = largest.source
    return hops, f"{source}, a leaf"


def nothing_but_zeros(count: int) -> str:
    """That so many products are 0."""
    return "its only product is 0" if count == 1 else f"all {count:,} products are 0"


class Influence(NamedTuple):
    """What an input on the tape contributes to a number of an output."""

    input: str  # `x`; of a variadic one `xs[0]`
    source: Any  # where it came from
    x: Array
    shares: Array  # ∂y[index]/∂x · x


def influences(step: Step, slot: int, index: Index) -> list[Influence]:
    """The influence of each input on the tape whose values are known."""
    dys = [np.zeros(shape, dtype) if dtype.kind == "f" else None for shape, dtype in step.shapes]
    dys[slot][index] = 1  # type: ignore[index]
    node = node_of(step, placeholders_of(step))
    known = []
    for position, part in contributions(node, step.as_dy(dys)):
        argument = node.op.variadic or node.op.inputs[position]
        x, source, name = step.inputs[argument], step.sources[argument], argument
        if step.variadic:
            x, source, name = x[position], source[position], f"{argument}[{position}]"
        if x is not None:
            known.append(Influence(name, source, x, part * x))
    return known
