"""Wrong exactly where a comparison of known quantities holds: a wrong branch, mask or clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .places import what_there
from .quantities import Quantity, plain_values, quantities

COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "{} > {}": np.greater,
    "{} < {}": np.less,
    "{} == {}": np.equal,
    "{} != {}": np.not_equal,
    "abs({}) > {}": lambda a, b: np.abs(a) > b,
    "abs({}) < {}": lambda a, b: np.abs(a) < b,
}


def a_branch(evidence: Evidence) -> Iterator[Finding]:
    """Wrong where a comparison holds, right where it does not."""
    wrong = evidence.wrong
    name = evidence.name
    sides = ((name, evidence.shape, wrong.any(axis=0)), ("y", evidence.output_shape, wrong.any(axis=1)))
    seen = set()
    for side, shape, mask in sides:
        if mask.all() or mask.sum() < 2 or (~mask).sum() < 2:
            continue
        for condition in conditions(evidence, shape, mask):
            if condition not in seen:
                seen.add(condition)
                rest = "right elsewhere"
                text = f"wrong exactly where {condition}{what_there(evidence)}, {rest}"
                yield Finding("branch", f"{text}: that branch of d{name}, or its condition")


def conditions(evidence: Evidence, shape: tuple[int, ...], mask: Array) -> Iterator[str]:
    """The comparisons that hold exactly where a mask does."""
    known = [quantity for quantity in quantities(evidence, shape) if not quantity.name.startswith("(1")]
    known = [quantity for quantity in known if np.ptp(quantity.values) > 0][:150]
    plain = [quantity for quantity in known if quantity.is_plain]
    numbers = {name: float(value) for name, value in plain_values(evidence).items() if value.ndim == 0}
    limits: list[tuple[str, Array]] = [("0", np.zeros(shape)), ("1", np.ones(shape)), ("-1", -np.ones(shape))]
    limits += [(name, np.full(shape, number)) for name, number in numbers.items()]
    limits += [(f"-{name}", np.full(shape, -number)) for name, number in numbers.items() if number]
    limits += [(quantity.name, quantity.values) for quantity in plain]
    found = list(comparisons(plain, limits, mask))
    yield from found or comparisons(known, limits, mask)


def comparisons(known: list[Quantity], limits: list[tuple[str, Array]], mask: Array) -> Iterator[str]:
    """Those of the quantities with the limits that hold exactly where a mask does."""
    for quantity in known:
        for limit, values in limits:
            if limit == quantity.name:
                continue
            for text, holds in COMPARISONS.items():
                if np.array_equal(holds(quantity.values, values).ravel(), mask):
                    yield text.format(quantity.name, limit)
