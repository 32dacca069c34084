"""Where two recorded runs part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.registry import OPS
from ..errors import show_array
from .checking import flat, forward
from .page import difference as page
from .recorded import Recorded, arrays_in
from .step import Step


@dataclass(frozen=True, repr=False)
class Difference:
    """The first place at which two runs part."""

    step: Step  # of the first run
    # "op", "number of inputs", "params['stride']", "inputs['w']", "output", "grad_output", "grad_inputs['w']"
    what: str
    index: tuple[int, ...] | None  # where the difference is largest, for arrays of one shape
    mine: Any  # there, or as a whole
    other: Any
    runs: Any = field(default=(), compare=False)  # both recordings, and what counted as equal in them
    rtol: float = 1e-5
    atol: float = 1e-8

    def to_html(self, path: str | Path, title: str = "", size_limit: int = 1_000_000) -> None:
        """Write one self-contained page with both runs side by side, in about `size_limit` bytes.

        Their steps are aligned; of each, both values are seen, and the difference.
        """
        page.write(self, path, title, size_limit)

    save_html = to_html

    def _repr_html_(self) -> str:
        return page.embedded(self)

    def __repr__(self) -> str:
        at = f" at {list(self.index)}" if self.index is not None else ""
        step, values = self.step, f"is {self.mine} here, {self.other} there"
        return f"%{step.number} {step.op}: {self.what}{at} {values}   {step.where}"


def difference(mine: Recorded, other: Recorded, rtol: float, atol: float) -> Difference | None:
    """The first difference, in the order in which the program ran."""
    parted = first_difference(mine, other, rtol, atol)
    return parted and replace(parted, runs=(mine, other), rtol=rtol, atol=atol)


def first_difference(mine: Recorded, other: Recorded, rtol: float, atol: float) -> Difference | None:
    """As `difference`, without the runs themselves."""
    for step, its in zip(mine, other):
        if step.op != its.op:
            return Difference(step, "op", None, step.op, its.op)
    if len(mine) != len(other):
        longer = max(mine, other, key=len)
        step = longer[min(len(mine), len(other))]
        return Difference(step, "number of ops", None, len(mine), len(other))
    pairs = list(zip(mine, other))
    for values, ordered in ((forward_values, pairs), (backward_values, pairs[::-1])):
        for step, its in ordered:
            theirs = dict(values(its))  # by name: params are in the order in which they were passed
            for what, value in values(step):
                parted = parting(value, theirs.get(what, value), rtol, atol)
                if parted:
                    behind = array_behind(step, its, rtol, atol) if what == "output" else None
                    return behind or Difference(step, what, *parted)
    return None


def array_behind(step: Step, its: Step, rtol: float, atol: float) -> Difference | None:
    """Where the inputs agree and the output does not: the array among the params that makes it so, if any.

    The forward is run again with the other's array, and must make another output. To differ is not enough: a
    running mean is not read in training, and a buffer is only written to.
    """
    values = list(flat(step.inputs))
    if step.op not in OPS or any(value is None for value in (*values, *flat(its.inputs))):
        return None
    for name, other in its.params.items():
        parted = parting(step.params.get(name), other, rtol, atol)
        swapped = replace(step, params={**step.params, name: other})
        if parted and parting(forward(step, values), forward(swapped, values), rtol, atol):
            return Difference(step, f"params[{name!r}]", *parted)
    return None


def forward_values(step: Step) -> Iterator[tuple[str, Any]]:
    """What an op read and made; of arrays among its params, `array_behind` tells whether they were read."""
    plain = {name: value for name, value in step.params.items() if next(arrays_in(value), None) is None}
    yield "number of inputs", len(list(flat(step.inputs)))
    yield from ((f"params[{name!r}]", value) for name, value in plain.items())
    yield from ((f"inputs[{name!r}]", value) for name, value in step.inputs.items())
    yield "output", step.output


def backward_values(step: Step) -> Iterator[tuple[str, Any]]:
    """What an op's rules were given and made."""
    yield "grad_output", step.grad_output
    yield from ((f"grad_inputs[{name!r}]", value) for name, value in step.grad_inputs.items())


def parting(
    mine: Any, other: Any, rtol: float, atol: float
) -> tuple[tuple[int, ...] | None, Any, Any] | None:
    """Where two values differ most, and what they are there; None where they agree or one is not known."""
    if isinstance(mine, dict) and isinstance(other, dict):
        if mine.keys() != other.keys():
            return None, mine, other
        mine, other = tuple(mine.values()), tuple([other[name] for name in mine])
    if isinstance(mine, (tuple, list)) and isinstance(other, (tuple, list)):
        if len(mine) != len(other):
            return None, mine, other
        return next((parted for a, b in zip(mine, other) if (parted := parting(a, b, rtol, atol))), None)
    if not isinstance(mine, np.ndarray) or not isinstance(other, np.ndarray):
        known = not isinstance(mine, np.ndarray) and not isinstance(other, np.ndarray)
        return (None, mine, other) if known and mine != other else None
    if mine.shape != other.shape:
        return None, show_array(mine), show_array(other)
    return worst(mine, other, rtol, atol)


def worst(mine: Array, other: Array, rtol: float, atol: float) -> tuple[tuple[int, ...], Any, Any] | None:
    """The index of the largest difference beyond the tolerance, and the two numbers there; NaN equals NaN."""
    apart = ~np.isclose(mine, other, rtol, atol, equal_nan=True)
    if not apart.any():
        return None
    with np.errstate(invalid="ignore"):
        size = np.nan_to_num(np.abs(mine.astype(float) - other.astype(float)), nan=np.inf)
    size = np.where(apart, size, -1.0)
    index = tuple(map(int, np.unravel_index(int(size.argmax()), size.shape)))
    return index, mine[index], other[index]
