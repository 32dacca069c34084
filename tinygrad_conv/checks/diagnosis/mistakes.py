"""The usual mistakes in a rule, and which of them explains a gradient that is wrong.

Each finding is an exact statement about the whole Jacobian, tried out, not guessed. It must hold at two
points, so a coincidence of the inputs does not count; where none holds, the answer is "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...dtypes import Array
from ...errors import RuleError, show_shape
from ..calls import RecordedCall
from ..fault import UNKNOWN, Fault, Finding
from ..introspection import REFUSALS
from ..tolerance import Tolerance
from .branches import a_branch
from .conditions import a_param, an_ignored_input, an_ignored_param, the_layout, the_remainder
from .constant_factor import a_factor
from .domain import outside_the_domain
from .evidence import Evidence, gather
from .factors import a_factor_of_both, a_known_factor, a_matrix, a_nameless_factor
from .moved_axes import exchanged_axes, reversed_axes
from .places import a_part, a_simple_part, by_order, is_of_places, permuted, shifted, transposed
from .shares import a_foreign_share, a_share, is_in_right_places
from .terms import a_term

Look = Callable[[Evidence], Iterator[Finding]]


def find_mistake(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """What is wrong with the rule for one input of a call."""
    try:
        evidence = gather(call, argument, output, tolerance)
    except Fault as fault:
        return Finding(fault.kind, fault.text)
    outside = outside_the_domain(evidence[0])
    if outside:
        return outside
    for looks in IN_ORDER:
        agreed = list(dict.fromkeys(finding for look in looks for finding in agreed_by(look, evidence)))
        if agreed:
            finding = joined(agreed[:1] if looks == (a_term,) else agreed)
            return Finding(
                finding.kind, finding.text + (show_extent(evidence[0]) if looks == (a_term,) else "")
            )
    return Finding(UNKNOWN.kind, UNKNOWN.text + show_extent(evidence[0]))


def agreed_by(look: Look, evidence: list[Evidence]) -> list[Finding]:
    """What a look finds at each of the points."""
    agreed = seen_by(look, evidence[0])
    for at_point in evidence[1:] if look not in LOOK_ELSEWHERE else ():
        if agreed:
            again = set(seen_by(look, at_point))
            agreed = [finding for finding in agreed if finding in again]
    return agreed


def seen_by(look: Look, evidence: Evidence) -> list[Finding]:
    """What a look finds. Where it asks the op for what that cannot be, with a param of 0, it sees nothing."""
    try:
        return list(look(evidence))
    except (RuleError, ArithmeticError, *REFUSALS):
        return []


def joined(findings: list[Finding]) -> Finding:
    """The first two findings, said together."""
    return Finding(findings[0].kind, "; or ".join(finding.text for finding in findings[:2]))


def show_extent(evidence: Evidence) -> str:
    """Where the gradient is wrong, if that is not everywhere."""
    if is_in_right_places(evidence):
        return f"; each output's share in d{evidence.name} is in its right place, but its weight is wrong"
    wrong = np.flatnonzero(evidence.wrong.any(axis=0))
    elements = evidence.wrong.shape[1]
    if wrong.size in (0, elements):
        return ""
    first = show_shape(map(int, np.unravel_index(wrong[0], evidence.shape)))
    others = f"and {wrong.size - 1} more" if wrong.size > 1 else "alone"
    return f"; it is wrong at {evidence.name}{first} {others} of {elements} elements"


def another_argument(evidence: Evidence) -> Iterator[Finding]:
    """The gradient of another input."""
    function = evidence.function
    for number, right in enumerate(evidence.every_right):
        if number == evidence.argument or function.domain.shapes[number] != evidence.shape:
            continue
        if evidence.explained_by(right):
            text = f"it is the gradient of {function.names[number]}, not of {evidence.name}"
            yield Finding("argument", text)


def accumulation(evidence: Evidence) -> Iterator[Finding]:
    """Elements that are used several times get too few or too many contributions; the others are right."""
    right, given, wrong = evidence.right, evidence.given, evidence.wrong
    used = np.abs(right) > 1e-6 * np.max(np.abs(right), initial=0.0)
    used_again = used.sum(axis=0) > 1
    if not np.array_equal(wrong.any(axis=0), used_again):
        return
    text = f"accumulation: an element of {evidence.name} that is used several times gets"
    lost = np.abs(given) < evidence.tolerance.atol
    if (lost | ~wrong).all() and (used & ~lost).any(axis=0)[used_again].all():
        yield Finding("missing accumulation", f"missing {text} only a part of its gradient")
    if are_multiples(given[used], right[used]) and (np.abs(given[~used]) < 1e-6).all():
        yield Finding("doubled accumulation", f"doubled {text} its gradient again")


def are_multiples(given: Array, right: Array) -> bool:
    """Whether each number is the right one, once or several times."""
    ratio = given / right
    return bool((np.abs(ratio - np.round(ratio)) < 1e-4).all() and (ratio > 0.5).all())


def the_border(evidence: Evidence) -> Iterator[Finding]:
    """Right in the middle of the input, wrong in a frame around it."""
    mask = np.asarray(evidence.wrong.any(axis=0))
    if not is_of_places(evidence, mask, 0):
        return
    wrong = mask.reshape(evidence.shape)
    sides = list(wrong_sides(wrong, evidence.name))
    yield from sides
    if not sides and is_frame(wrong):
        place = f"the border of the last two dimensions of {evidence.name}"
        yield Finding("border", f"right in the middle, wrong at {place}")


def wrong_sides(wrong: Array, name: str) -> Iterator[Finding]:
    """Of the last two dimensions those along which all that is wrong lies at the ends."""
    for axis in range(max(0, wrong.ndim - 2), wrong.ndim):
        lines = np.isin(np.arange(wrong.shape[axis]), np.nonzero(wrong)[axis])
        middle = lines[lines.size // 3 : lines.size - lines.size // 3]
        if lines.size < 4 or middle.any():
            continue
        if wrong.ndim >= 3 or (lines[0] and lines[-1]):
            place = f"{name} at {np.flatnonzero(lines).tolist()} of dimension {axis}"
            yield Finding("border", f"right in the middle, wrong at the border: {place}")


def is_frame(wrong: Array) -> bool:
    """Whether all that is wrong lies in a frame around the last two dimensions, and nearly fills it."""
    if wrong.ndim < 2 or min(wrong.shape[-2:]) < 3 or wrong[..., 1:-1, 1:-1].any():
        return False
    plane = np.asarray(wrong.any(axis=tuple(range(wrong.ndim - 2))))
    sides = (plane[0, 1:-1], plane[-1, 1:-1], plane[1:-1, 0], plane[1:-1, -1])
    if not all(side.any() for side in sides):  # two lines of a small plane are most of its frame
        return False
    frame_size = plane.size - plane[1:-1, 1:-1].size
    return bool(plane.sum() > 0.75 * frame_size)  # a few elements that happen to lie there are no border


IN_ORDER: tuple[tuple[Look, ...], ...] = (
    (a_factor,),
    (the_layout,),
    (the_remainder,),
    (another_argument, exchanged_axes, reversed_axes),
    (a_param,),
    (transposed,),
    (an_ignored_param, an_ignored_input),
    (a_known_factor,),
    (a_factor_of_both, a_matrix),
    (accumulation,),
    (shifted,),
    (permuted,),
    (the_border,),
    (a_branch,),
    (a_simple_part,),
    (a_foreign_share,),
    (a_term,),
    (by_order,),
    (a_part,),
    (a_share,),
    (a_nameless_factor,),
)
"""What is tried, the surest first; what stands together is said together where several hold."""

LOOK_ELSEWHERE: tuple[Look, ...] = (a_factor, a_known_factor, a_factor_of_both, a_term)
"""What goes to other points by itself (Evidence.points, Evidence.variants): it gives numbers names."""
