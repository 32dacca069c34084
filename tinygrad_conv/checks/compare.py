"""The gradient of a function beside its finite differences.

The whole Jacobian where it is small (here), its sums along random directions where it is large
(directions.py). Kinks are told apart from mistakes (kinks.py), and what else is asked of a gradient stands in
behaviour.py.
"""

from __future__ import annotations

import numpy as np

from .behaviour import (
    assert_linear,
    assert_memory_of_its_own,
    assert_modes_agree,
    assert_pure,
    assert_repeatable,
    assert_same_gradient_in_any_layout,
    assert_same_in_any_layout,
)
from .directions import compare_directions
from .function import Function
from .kinks import describe_kink, look_again
from .pullback import jacobian
from .tolerance import Tolerance, WrongEntry

WHOLE = 10_000  # entries of a Jacobian that is compared entry by entry


def compare(function: Function, tolerance: Tolerance, rng: np.random.Generator) -> list[str]:
    """Raise Fault where the gradient, in either mode of the rules, is not what finite differences give.

    Returns a line for each kink that was met.
    """
    assert_pure(function)
    assert_repeatable(function, rng)
    assert_linear(function, rng)  # before the numbers: where it is not, there is no Jacobian to compare
    kinks = compare_numbers(function, tolerance, rng)
    assert_memory_of_its_own(function)
    assert_modes_agree(function, rng)
    assert_same_in_any_layout(function)
    assert_same_gradient_in_any_layout(function, rng)
    return kinks


def compare_numbers(function: Function, tolerance: Tolerance, rng: np.random.Generator) -> list[str]:
    """Compare the numbers of the Jacobian, as many as there are. Raises WrongEntry; returns the kinks."""
    entries = function.values.size * function.point.size
    if entries == 0:
        return []
    if entries <= WHOLE:
        return compare_entries(function, tolerance)
    return compare_directions(function, tolerance, rng)


def compare_entries(function: Function, tolerance: Tolerance) -> list[str]:
    """Compare every entry of the Jacobian. Raises WrongEntry for the worst; returns the kinks."""
    analytic, numeric = jacobian(function), function.differences(tolerance.eps)
    right = tolerance.allows(analytic, numeric, function.values, tolerance.eps)
    kinks: list[str] = []
    for column in map(int, np.flatnonzero(~right.all(axis=0))):
        agrees, at_kink = look_again(function, column, analytic[:, column], tolerance)
        right[:, column] |= agrees | at_kink
        if (at_kink & ~agrees).any():
            kinks.append(describe_kink(function, column))
    if not right.all():
        distance = np.where(right, 0.0, np.nan_to_num(np.abs(analytic - numeric), nan=np.inf))
        row, column = divmod(int(np.argmax(distance)), distance.shape[1])
        raise WrongEntry(function, row, column, analytic[row, column], numeric[row, column])
    return kinks
