"""Wrong exactly where a comparison of known quantities holds: a wrong branch, mask or clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .places import box_of, entries_of, is_of_places, what_there
from .quantities import Quantity, quantities

COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "{} == {}": np.equal,
    "{} != {}": np.not_equal,
    "{} > {}": np.greater,
    "{} < {}": np.less,
    "abs({}) > {}": lambda a, b: np.abs(a) > b,
    "abs({}) < {}": lambda a, b: np.abs(a) < b,
}

Limit = tuple[str, Array]


def a_branch(evidence: Evidence) -> Iterator[Finding]:
    """Wrong where a comparison holds, right where it does not."""
    wrong = evidence.wrong
    name = evidence.name
    seen = set()
    for others, shape in enumerate((evidence.shape, evidence.output_shape)):
        mask = np.asarray(wrong.any(axis=others))
        if mask.all() or mask.sum() < 2 or (~mask).sum() < 2:
            continue
        if box_of(mask.reshape(shape)) is not None and is_of_places(evidence, mask, others):
            continue  # a slice of each axis says more
        for condition in conditions_at_points(evidence, shape, others, mask):
            if condition not in seen:
                seen.add(condition)
                where = "for outputs where" if others else "where"
                rest = "right elsewhere"
                there = what_there(evidence, entries_of(evidence, mask, others))
                text = f"wrong exactly {where} {condition}{there}, {rest}"
                yield Finding("branch", f"{text}: that branch of d{name}, or its condition")


def conditions_at_points(evidence: Evidence, shape: tuple[int, ...], others: int, mask: Array) -> list[str]:
    """The comparisons that hold exactly where it is wrong, here and at other numbers; or if none does, here.

    mask: the wrong elements of the input or the output, others: the Jacobian's other axis.
    """
    at_first = list(conditions(evidence, shape, mask))
    common = at_first
    for point in evidence.points[1:] if len(at_first) > 1 else ():
        wrong = np.asarray(point.wrong.any(axis=others))
        if not wrong.all():
            there = set(conditions(point, shape, wrong))
            common = [condition for condition in common if condition in there]
    return common or at_first


def conditions(evidence: Evidence, shape: tuple[int, ...], mask: Array) -> Iterator[str]:
    """The comparisons of inputs, outputs, kept values and params that hold exactly where a mask does."""
    known = [
        quantity
        for quantity in quantities(evidence, shape)
        if np.ptp(quantity.values) > 0 and "axis" not in quantity.name
    ]
    plain = [quantity for quantity in known if quantity.is_plain]
    names = {f"({a.name} - {b.name})" for a in plain for b in plain}
    differences = [quantity for quantity in known if quantity.name in names]
    numbers = {name: float(value) for name, value in evidence.readable.items() if value.ndim == 0}
    limits: list[Limit] = [("0", np.zeros(shape))]
    limits += [(name, np.full(shape, number)) for name, number in numbers.items()]
    limits += [(f"-{name}", np.full(shape, -number)) for name, number in numbers.items() if number]
    by_name = {*numbers.values(), *(-number for number in numbers.values())}
    ones = [(f"{one:g}", np.full(shape, one)) for one in (1.0, -1.0) if one not in by_name]
    pairs = (
        comparisons([quantity], [(other.name, other.values) for other in plain[at + 1 :]], mask)
        for at, quantity in enumerate(plain)
    )
    groups = [comparisons(known, to, mask) for known in (plain, differences) for to in (limits, ones)]
    for group in (*groups, chain(*pairs)):
        texts = list(group)
        yield from texts
        if texts:
            return


def comparisons(known: list[Quantity], limits: list[Limit], mask: Array) -> Iterator[str]:
    """Those of the quantities with the limits that hold exactly where a mask does."""
    for quantity in known:
        is_mask = np.isin(quantity.values, (0, 1)).all()  # it holds, or it does not
        for limit, values in limits:
            if limit == quantity.name or (is_mask and limit != "0"):
                continue
            for text, holds in COMPARISONS.items():
                if np.array_equal(holds(quantity.values, values).ravel(), mask):
                    yield text.format(quantity.name, limit)
