"""A factor that is missing, or too much: one for each element of the input, or of the output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .named import POWERS, names_of, raised
from .quantities import quantities, show_axis, subsets


class Side(NamedTuple):
    """The Jacobian seen from one side: [the other side's elements, this side's], and this side's shape."""

    element: str
    shape: tuple[int, ...]
    given: Array
    right: Array
    sure: Array
    wrong: Array  # this side's elements that have a wrong entry


def sides(evidence: Evidence) -> list[Side]:
    """The input's side, and the output's."""
    given, right, sure, wrong = evidence.given, evidence.right, evidence.sure, evidence.wrong
    return [
        Side(evidence.name, evidence.shape, given, right, sure, np.asarray(wrong.any(axis=0))),
        Side("dy", evidence.output_shape, given.T, right.T, sure.T, np.asarray(wrong.T.any(axis=0))),
    ]


def a_known_factor(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, times a quantity that the rule can name."""
    for side in sides(evidence):
        factor, chosen = factors_of(side)
        if is_one_number(factor[chosen]) or not holds(evidence, side, np.where(chosen, factor, 1.0)):
            continue
        texts = list(named_factors(evidence, side, factor, chosen))
        yield from texts
        if texts:
            return


def a_factor_of_both(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient times a known quantity beside dy, and times another one beside dx."""
    inputs, outputs = sides(evidence)
    plain = [quantity for quantity in quantities(evidence, outputs.shape) if quantity.is_plain]
    with np.errstate(all="ignore"):
        beside_dy = [
            (raised(quantity.name, power), quantity.values.ravel() ** power)
            for quantity in plain
            for power in POWERS
        ]
    known = [quantity for quantity in quantities(evidence, inputs.shape) if "axis" not in quantity.name]
    for name, values in beside_dy:
        values = np.where(np.isfinite(values), values, 0.0)  # as 1 / 0 where no gradient flows
        if np.ptp(values) == 0:
            continue
        scaled = inputs._replace(right=inputs.right * values[:, None])
        factor, chosen = factors_of(scaled)
        if not chosen.any() or not holds(evidence, scaled, np.where(chosen, factor, 1.0)):
            continue
        for other, numbers in names_of(factor, known, chosen, with_products=False):
            if holds(evidence, scaled, np.where(chosen, numbers, 1.0)):
                text = f"it is {other} times the right gradient of {evidence.name} for dy times {name}"
                yield Finding("factor", text)
                return


def a_nameless_factor(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, times something that nothing known is."""
    for side in sides(evidence):
        yield from nameless_factors(evidence, side)


def named_factors(evidence: Evidence, side: Side, factor: Array, chosen: Array) -> Iterator[Finding]:
    """The factor by its names; everywhere, or where the gradient is wrong."""
    known = quantities(evidence, side.shape)
    for name, values in names_of(factor, known, chosen):
        if not holds(evidence, side, np.where(chosen, values, 1.0)):
            continue
        everywhere = holds(evidence, side, values)
        where = "" if everywhere else f", where it is wrong: {extent(side, chosen)}"
        beside = "" if side.element == evidence.name else ", as if dy were multiplied by it"
        text = f"it is {name} times the right gradient of {evidence.name}{beside}{where}"
        yield Finding("factor", text + show_missing(name))


def show_missing(name: str) -> str:
    """What a factor of 1 / gamma means: gamma is missing."""
    if name.startswith("1 / ") and name.count(" / ") == 1 and " * " not in name:
        return f" (the factor {name[4:]} is missing)"
    return ""


def extent(side: Side, chosen: Array) -> str:
    """At how many elements of its side."""
    return f"at {int(chosen.sum())} of {chosen.size} elements of {side.element}"


def factors_of(side: Side) -> tuple[Array, Array]:
    """(factor, chosen): by what each element's gradients are multiplied, and which elements are wrong."""
    right = np.where(side.sure, side.right, 0.0)
    squares = np.sum(right * right, axis=0)
    has_gradient = squares > 1e-12 * max(float(np.max(squares, initial=0.0)), 1e-300)
    overlap = np.sum(right * side.given, axis=0)
    factor = np.divide(overlap, squares, out=np.ones_like(squares), where=has_gradient)
    return factor, side.wrong & has_gradient


def holds(evidence: Evidence, side: Side, factor: Array) -> bool:
    """Whether these factors explain all."""
    if not np.isfinite(factor).all():
        return False
    expected = side.right * factor
    return evidence.explained_by(expected if side.element == evidence.name else expected.T)


def nameless_factors(evidence: Evidence, side: Side) -> Iterator[Finding]:
    """A factor that depends on some axes alone, or that sums have in common."""
    factor, chosen = factors_of(side)
    if is_one_number(factor[chosen]) or not holds(evidence, side, np.where(chosen, factor, 1.0)):
        return
    which = "" if side.element == evidence.name else " of dy"
    laid = np.where(chosen, factor, np.nan).reshape(side.shape)
    for axes in subsets(laid.ndim):
        others = tuple(axis for axis in range(laid.ndim) if axis not in axes)
        elements = np.prod([laid.shape[axis] for axis in others])
        if elements > 1 and is_constant_along(laid, others):
            text = f"a factor that depends on {show_axis(axes)}{which} alone is missing or too much"
            yield Finding("factor", f"{text}: it is the right gradient of {evidence.name} but for it")
            return
    used = np.abs(side.right) > 1e-9 * np.abs(side.right).max()
    if (used.sum(axis=0)[chosen] > 1).all() and chosen.sum() > 1:
        text = f"each element of {side.element} has a wrong factor, the same in all its sums"
        yield Finding("factor", f"{text}: the sums of the gradient of {evidence.name} are right")


def is_one_number(factors: Array) -> bool:
    """Whether factors are all the same, or none."""
    return not factors.size or bool(np.ptp(factors) <= 1e-4 * np.abs(factors).max())


def is_constant_along(laid: Array, axes: tuple[int, ...]) -> bool:
    """Whether numbers are the same along axes; NaN stands for any."""
    if np.isnan(laid).any():
        return False
    spread = np.ptp(laid, axis=axes)
    return bool((spread <= 1e-4 * np.abs(laid).max()).all())
