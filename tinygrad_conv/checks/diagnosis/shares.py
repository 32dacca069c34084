"""Which outputs have a share in an element's gradient, and which should: wrong sums, lost shares."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .places import what_there

TINY = 1e-7  # in proportion, of an entry that counts as 0
DENSE = 0.9  # of all entries: where more are in use, their places say nothing


def a_foreign_share(evidence: Evidence) -> Iterator[Finding]:
    """Elements get shares of outputs at another index, where 0 is due."""
    given, right = used(evidence)
    name, count = evidence.name, len(evidence.output_shape)
    foreign = [
        pair for pair in axis_pairs(evidence) if is_aligned(right, *pair) and not is_aligned(given, *pair)
    ]
    for a, b in foreign[:2]:
        other = f"of y at another index of axis {a} than its own along axis {b - count}"
        text = f"an element of {name} gets shares {other}, where 0 is due"
        yield Finding("places", f"{text}: a sum over the wrong axis, a transpose or a shift")


def used(evidence: Evidence) -> tuple[Array, Array]:
    """Which entries of the Jacobian are not 0, as the rule gives it and as is right: [*y, *x] each."""
    shape = (*evidence.output_shape, *evidence.shape)
    scale = np.abs(np.where(evidence.sure, evidence.right, 0.0)).max(initial=0.0)
    least = TINY * scale + evidence.tolerance.atol
    given, right = (
        (np.abs(np.where(evidence.sure, jacobian, 0.0)) > least).reshape(shape)
        for jacobian in (evidence.given, evidence.right)
    )
    return given, right


def axis_pairs(evidence: Evidence) -> Iterator[tuple[int, int]]:
    """Axes of the output and of the input, as axes of the Jacobian, that are of one size."""
    shape = (*evidence.output_shape, *evidence.shape)
    count = len(evidence.output_shape)
    for a, b in product(range(count), range(count, len(shape))):
        if shape[a] == shape[b] > 1:
            yield a, b


def is_aligned(entries: Array, a: int, b: int) -> bool:
    """Whether entries are in use only where the indices along two axes are the same."""
    others = tuple(axis for axis in range(entries.ndim) if axis not in (a, b))
    plane = np.asarray(entries.any(axis=others))
    return not (plane & ~np.eye(len(plane), dtype=bool)).any()


def a_share(evidence: Evidence) -> Iterator[Finding]:
    """Some entries of the Jacobian are lost, too much or multiplied, the other ones right."""
    name, there = evidence.name, what_there(evidence)
    if there and (evidence.right[~evidence.wrong] != 0).any():
        count = f"{int(evidence.wrong.sum())} of {evidence.wrong.size}"
        text = f"of all shares of outputs in d{name}, {count} are wrong{there}"
        yield Finding("part", f"{text}; the other shares are right")
        return
    _, right = used(evidence)
    if right.mean() > DENSE or not right.any():
        return
    at_points = {lost_and_foreign(point) for point in evidence.points}
    lost, foreign = at_points.pop() if len(at_points) == 1 else (False, False)
    if lost and foreign:
        text = f"shares of outputs in d{name} are in wrong places: some are 0, and some are where 0 is due"
        yield Finding("places", text)
    elif foreign:
        yield Finding("places", f"d{name} has shares of outputs where 0 is due")
    elif lost:
        yield Finding("part", f"d{name} lacks shares of outputs: they are 0")


def lost_and_foreign(evidence: Evidence) -> tuple[bool, bool]:
    """Whether shares of outputs are 0 where they should not be, and whether some are where 0 is due."""
    given, right = used(evidence)
    return bool((right & ~given).any()), bool((given & ~right).any())


def is_in_right_places(evidence: Evidence) -> bool:
    """Whether the rule gives 0 just where 0 is due, and that tells something."""
    given, right = used(evidence)
    return bool(0 < right.mean() <= DENSE and np.array_equal(given, right))
