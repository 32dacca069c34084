"""Inputs at the border of an op's domain, or beyond it: what is not finite is no mistake of a sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import show_shape
from ..fault import Finding
from .evidence import Evidence

ADVICE = "check at inputs inside of the domain, some way off its border"


def outside_the_domain(evidence: Evidence) -> Finding | None:
    """The finding that inputs, differences or the rule's numbers are not finite; None where all are."""
    name = evidence.name
    for position, array in enumerate(evidence.arrays):
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and not np.isfinite(array).all():
            text = f"{evidence.name_at(position)} has numbers that are not finite"
            return Finding("domain", f"{text}, so there is no gradient to compare with: {ADVICE}")
    values = evidence.function.values[evidence.rows]
    if not np.isfinite(values).all():
        text = f"the forward gives {show_number(values)} at these inputs: they lie outside of its domain"
        return Finding("domain", f"{text}; {ADVICE}")
    finite = np.isfinite(evidence.right)
    if not finite.all() and not evidence.wrong.any():
        place = place_of(~finite, evidence.shape)
        beside = f"{evidence.step:g} beside {name}{place}"
        text = f"the forward is not finite {beside}: that is the border of its domain"
        return Finding("domain", f"{text}; {ADVICE}")
    given_off = ~np.isfinite(evidence.given) & finite
    if given_off.any():
        place = place_of(given_off, evidence.shape)
        numbers = show_number(evidence.given[given_off])
        text = f"the rule gives {numbers} for {name}{place}, where the right gradient is finite"
        return Finding("domain", f"{text}: a division by 0, or a log or root of what it must not see")
    if not evidence.wrong.any():
        text = f"differences at two steps disagree wherever the gradient of {name} looks wrong"
        return Finding("domain", f"{text}: nobody can tell so near to a border or a pole; {ADVICE}")
    return None


def show_number(numbers: Any) -> str:
    """nan or inf, whichever is there."""
    return "nan" if np.isnan(numbers).any() else "inf"


def place_of(where: Array, shape: tuple[int, ...]) -> str:
    """The first input element with such an entry."""
    column = int(np.flatnonzero(where.any(axis=0))[0])
    return show_shape(map(int, np.unravel_index(column, shape)))
