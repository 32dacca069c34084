"""A factor that is missing, or too much: one for each element of the input, or of the output; or a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .moved_axes import views
from .named import POWERS, names_of, raised
from .quantities import end_to_end, known_at, show_axis, subsets


class Side(NamedTuple):
    """The Jacobian seen from one side: [the other side's elements, this side's], and this side's shape."""

    element: str
    shape: tuple[int, ...]
    given: Array
    right: Array
    sure: Array
    wrong: Array  # this side's elements that have a wrong entry


AtPoints = list[tuple[Evidence, Side]]
"""A side at each of several points."""
Factors = list[tuple[Array, Array]]
"""(factor, chosen) at each point: by what is multiplied what a side's elements get, and where that counts."""


def sides(evidence: Evidence) -> list[Side]:
    """The input's side, and the output's."""
    given, right, sure, wrong = evidence.given, evidence.right, evidence.sure, evidence.wrong
    return [
        Side(evidence.name, evidence.shape, given, right, sure, np.asarray(wrong.any(axis=0))),
        Side("dy", evidence.output_shape, given.T, right.T, sure.T, np.asarray(wrong.T.any(axis=0))),
    ]


def sides_at_points(evidence: Evidence) -> Iterator[AtPoints]:
    """Each side at all points of the evidence: a name must fit the numbers at all of them."""
    yield from map(list, zip(*[[(point, side) for side in sides(point)] for point in evidence.points]))


def a_known_factor(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, times a quantity that the rule can name: everywhere, or where it is wrong."""
    for at_points in sides_at_points(evidence):
        factors = [factors_of(side) for _, side in at_points]
        wrong = [(factor, chosen) for factor, _, chosen in factors]
        if not hold(at_points, [np.where(chosen, factor, 1.0) for factor, chosen in wrong]):
            continue
        all_factors = [(factor, has_gradient) for factor, has_gradient, _ in factors]
        texts = list(named_factors(at_points, all_factors, is_everywhere=True))
        texts = texts or list(named_factors(at_points, wrong, is_everywhere=False))
        yield from texts
        if texts:
            return


def a_factor_of_both(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient times a known quantity beside dy, and times another one beside dx."""
    points = evidence.points
    inputs = [sides(point)[0] for point in points]
    known = [quantity for quantity in known_at(points, evidence.shape) if "axis" not in quantity.name]
    for name, beside_dy in powers_beside_dy(points):
        scaled = [
            (point, side._replace(right=side.right * values[:, None]))
            for point, side, values in zip(points, inputs, beside_dy)
        ]
        factors = [factors_of(side) for _, side in scaled]
        chosen = end_to_end(has_gradient for _, has_gradient, _ in factors)
        expected = [np.where(has_gradient, factor, 1.0) for factor, has_gradient, _ in factors]
        if not chosen.any() or not hold(scaled, expected):
            continue
        for other, numbers in names_of(end_to_end(expected), known, chosen, with_products=False):
            if hold(scaled, np.split(numbers, len(points))):
                text = f"it is {other} times the right gradient of {evidence.name} for dy times {name}"
                yield Finding("factor", text)
                return


def powers_beside_dy(points: list[Evidence]) -> Iterator[tuple[str, list[Array]]]:
    """Powers of plain quantities over the output's elements, at each point; those that are no one number."""
    plain = [quantity for quantity in known_at(points, points[0].output_shape) if quantity.is_plain]
    for quantity, power in product(plain, POWERS):
        with np.errstate(all="ignore"):
            values = quantity.values**power
        flows = end_to_end(np.asarray(point.right.any(axis=1)) for point in points)
        if not np.isfinite(values[flows]).all():
            continue
        at_points = np.split(np.where(flows, values, 0.0), len(points))  # 0 for 1 / 0 where nothing flows
        if np.ptp(at_points[0]) > 0:
            yield raised(quantity.name, power), at_points


def a_nameless_factor(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, times something that nothing known is."""
    for side in sides(evidence):
        yield from nameless_factors(evidence, side)


def named_factors(at_points: AtPoints, factors: Factors, is_everywhere: bool) -> Iterator[Finding]:
    """The factor by its names; everywhere, or where the gradient is wrong."""
    evidence, side = at_points[0]
    factor, chosen = end_to_end(values for values, _ in factors), end_to_end(where for _, where in factors)
    if is_one_number(factor[chosen]):
        return
    for name, values in names_of(factor, known_at([point for point, _ in at_points], side.shape), chosen):
        where = "" if is_everywhere else f", where it is wrong: {extent(side, factors[0][1])}"
        expected = values if is_everywhere else np.where(chosen, values, 1.0)
        if not hold(at_points, np.split(expected, len(at_points))):
            continue
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


def factors_of(side: Side) -> tuple[Array, Array, Array]:
    """(factor, has_gradient, chosen): by what each element's gradients are multiplied, which elements have
    gradients, and which of these are wrong.
    """
    right = np.where(side.sure, side.right, 0.0)
    squares = np.sum(right * right, axis=0)
    has_gradient = squares > 1e-12 * max(float(np.max(squares, initial=0.0)), 1e-300)
    overlap = np.sum(right * side.given, axis=0)
    factor = np.divide(overlap, squares, out=np.ones_like(squares), where=has_gradient)
    return factor, has_gradient, side.wrong & has_gradient


def hold(at_points: AtPoints, factors: list[Array]) -> bool:
    """Whether these factors, those of each point, explain all."""
    return all(holds(*at_point, factor) for at_point, factor in zip(at_points, factors))


def holds(evidence: Evidence, side: Side, factor: Array) -> bool:
    """Whether these factors explain all."""
    if not np.isfinite(factor).all():
        return False
    expected = side.right * factor
    return evidence.explained_by(expected if side.element == evidence.name else expected.T)


def nameless_factors(evidence: Evidence, side: Side) -> Iterator[Finding]:
    """A factor that depends on some axes alone, or that sums have in common."""
    factor, _, chosen = factors_of(side)
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


def a_matrix(evidence: Evidence) -> Iterator[Finding]:
    """The right gradient, multiplied by a matrix along an axis; or the other way round."""
    shapes = (evidence.shape, evidence.output_shape)
    given_views = (evidence.given, evidence.given.T)
    for (name, right), shape, flat_given in zip(views(evidence), shapes, given_views):
        given = flat_given.reshape(right.shape)
        for axis, size in enumerate(shape):
            for matrix_name, matrix in square_matrices(evidence, size):
                along = f"along axis {axis} of {name}"
                if explains(evidence, name, multiplied(right, matrix, axis)):
                    yield Finding("matrix", f"multiplied by {matrix_name} {along}: it is too much there")
                if is_same(multiplied(given, matrix, axis), right) and evidence.sure.all():
                    yield Finding("matrix", f"the multiplication by {matrix_name} {along} is missing")


def square_matrices(evidence: Evidence, size: int) -> Iterator[tuple[str, Array]]:
    """The square matrices of this size that a rule may read, and their transposes."""
    for name, values in evidence.readable.items():
        if values.shape == (size, size) and size > 1:
            yield name, values
            if not np.array_equal(values, values.T):
                yield f"{name}ᵀ", values.T


def multiplied(view: Array, matrix: Array, axis: int) -> Array:
    """A view, [the rest, *axes], multiplied from the left by a matrix along one of its axes."""
    return np.moveaxis(np.tensordot(matrix, view, (1, axis + 1)), 0, axis + 1)


def explains(evidence: Evidence, name: str, moved: Array) -> bool:
    """Whether the rule gives just that."""
    matrix = moved.reshape(len(moved), -1)
    return evidence.explained_by(matrix.T if name == "dy" else matrix)


def is_same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same but for what differences leave."""
    return bool((np.abs(a - b) <= 1e-5 * np.abs(b).max(initial=1e-300) + 1e-9).all())
