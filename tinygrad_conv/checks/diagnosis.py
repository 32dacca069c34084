"""What kind of wrong a gradient is. Each finding is an exact statement about the whole Jacobian, tried out,
not guessed.

A finding must hold at two points, so a coincidence of the inputs does not count; where none holds, the answer
is "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..errors import show_shape
from .calls import RecordedCall
from .compare import MEMORY, Tolerance
from .evidence import Evidence, flips, gather, is_right, swaps
from .fault import Fault


class Finding(NamedTuple):
    """A kind of wrong, in a word, and what is to be said about it."""

    kind: str
    text: str


UNKNOWN = Finding(
    "unknown", "none of the usual mistakes explains it: compare the rule with the formula, term by term"
)


def diagnose(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """What is wrong with the rule for one input of a call."""
    try:
        evidence = gather(call, argument, output, tolerance)
    except Fault as fault:
        return Finding(fault.kind, fault.text)
    for kinds in IN_ORDER:
        found = [list(dict.fromkeys(finding for look in kinds for finding in look(one))) for one in evidence]
        agreed = [finding for finding in found[0] if all(finding in others for others in found)]
        if agreed:
            return (
                agreed[0]
                if len(agreed) == 1
                else Finding(agreed[0].kind, "; or ".join(one.text for one in agreed[:2]))
            )
    return Finding(UNKNOWN.kind, UNKNOWN.text + how_much(evidence[0]))


def how_much(evidence: Evidence) -> str:
    """Where the gradient is wrong, if that is not everywhere."""
    wrong = np.flatnonzero(evidence.wrong.any(axis=0))
    if wrong.size in (0, evidence.wrong.shape[1]):
        return ""
    first = show_shape(map(int, np.unravel_index(wrong[0], evidence.shape)))
    others = f"and {wrong.size - 1} more" if wrong.size > 1 else "alone"
    return f"; it is wrong at {evidence.name}{first} {others} of {evidence.wrong.shape[1]} elements"


def a_factor(evidence: Evidence) -> Iterator[Finding]:
    """The gradient, times a constant."""
    right, given = evidence.right, evidence.given
    large = (np.abs(right) > 1e-3 * np.max(np.abs(right), initial=0.0)) & evidence.sure
    if not large.any():
        return
    factor = float(np.median(given[large] / right[large]))
    if evidence.explained_by(factor * right):
        name = show_factor(factor, sizes_of(evidence))
        if abs(factor) < 1e-9:
            yield Finding("zero", f"the gradient of {evidence.name} is 0 everywhere: it is lost on the way")
        else:
            yield Finding(
                "factor", f"a constant factor: {name} times the right gradient of {evidence.name}, everywhere"
            )


def sizes_of(evidence: Evidence) -> dict[int, str]:
    """Numbers of elements that a gradient may have been divided by, and what they count."""
    found: dict[int, str] = {}
    for what, shape in ((evidence.name, evidence.shape), ("y", evidence.output_shape)):
        found.setdefault(int(np.prod(shape)), f"the number of elements of {what}")
        for axis, size in enumerate(shape):
            found.setdefault(size, f"the size of dimension {axis} of {what}")
    return found


def show_factor(factor: float, sizes: dict[int, str]) -> str:
    """A factor by its name: 2, ½, -1, 1/12 (12 is the number of elements of x)."""
    fraction = Fraction(factor).limit_denominator(100_000)
    if (
        abs(float(fraction) - factor) > 1e-4 * abs(factor)
        or min(abs(fraction.numerator), fraction.denominator) != 1
    ):
        return f"{factor:.5g}"
    if fraction == -1:
        return "-1 (the sign)"
    large = max(abs(fraction.numerator), fraction.denominator)
    note = f" ({large} is {sizes[large]})" if large > 2 and large in sizes else ""
    return {Fraction(1, 2): "½", Fraction(-1, 2): "-½"}.get(fraction, str(fraction)) + note


def the_remainder(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as the rows that no window touches are cut off the input."""
    position = evidence.call.checked[evidence.argument]
    for at in {position, *(place for place, _ in evidence.others())}:
        cut = without_remainder(evidence, at)
        if cut is not None and is_right(evidence.call.function(cut), evidence.tolerance):
            name = evidence.call.op.inputs[0 if evidence.call.op.variadic else at]
            right, wrong = show_shape(cut[at].shape), show_shape(evidence.arrays[at].shape)
            shapes = f"right with {name} {right}, wrong with {wrong}, the end of which no window reads"
            yield Finding("remainder", f"wrong only where the stride leaves a remainder: {shapes}")


def without_remainder(evidence: Evidence, at: int) -> tuple[Any, ...] | None:
    """The inputs, with the last rows and columns of one that its output does not depend on cut off; None if
    there are none.
    """
    array = evidence.arrays[at]
    if at not in evidence.call.checked:
        return None
    right = evidence.every_right[evidence.call.checked.index(at)].reshape(-1, *array.shape)
    places = np.argwhere((np.abs(right) > 1e-9).any(axis=0))
    kept = [int(last) + 1 for last in places.max(axis=0, initial=-1)]
    if not all(kept) or tuple(kept) == array.shape:
        return None
    shorter = array[tuple(slice(0, size) for size in kept)]
    arrays = tuple(shorter if place == at else one for place, one in enumerate(evidence.arrays))
    try:
        same_outputs = evidence.call.function(arrays).outputs == evidence.function.outputs
    except (ValueError, TypeError, IndexError):
        return None
    return arrays if same_outputs else None


def the_layout(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as all inputs lie in memory row by row."""
    arrays = tuple(
        np.ascontiguousarray(one) if isinstance(one, np.ndarray) else one for one in evidence.arrays
    )
    scattered = any(isinstance(one, np.ndarray) and not one.flags.c_contiguous for one in evidence.arrays)
    if scattered and is_right(evidence.call.function(arrays), evidence.tolerance):
        yield Finding(
            "layout", f"right where the inputs are contiguous in memory, wrong where they are not: {MEMORY}"
        )


def a_param(evidence: Evidence) -> Iterator[Finding]:
    """Right as soon as one param has its default."""
    op = evidence.call.op
    for name, default in op.defaults.items():
        value = evidence.call.params.get(name, default)
        if not isinstance(value, (int, float, tuple, list, str)) or value == default:
            continue
        try:
            right = is_right(evidence.call.function(evidence.arrays, **{name: default}), evidence.tolerance)
        except (ValueError, TypeError, IndexError):
            continue
        if right and name == "padding":
            yield Finding("border", f"right without padding, wrong at the border with padding={value!r}")
        elif right:
            yield Finding("param", f"right with {name}={default!r}, wrong with {name}={value!r}")


def the_border(evidence: Evidence) -> Iterator[Finding]:
    """Right in the middle of the input, wrong in a frame around it."""
    wrong = evidence.wrong.any(axis=0).reshape(evidence.shape)
    one_side = False
    for axis in range(max(0, wrong.ndim - 2), wrong.ndim):
        lines = np.isin(np.arange(wrong.shape[axis]), np.nonzero(wrong)[axis])
        middle = slice(lines.size // 3, lines.size - lines.size // 3)
        both_ends = lines.size >= 4 and lines[0] and lines[-1]
        if not lines[middle].any() and (both_ends or (lines.size >= 4 and wrong.ndim >= 3)):
            one_side, places = (
                True,
                f"{evidence.name} at {np.flatnonzero(lines).tolist()} of dimension {axis}",
            )
            yield Finding("border", f"right in the middle, wrong at the border: {places}")
    if one_side or wrong.ndim < 2 or min(wrong.shape[-2:]) < 3 or wrong[..., 1:-1, 1:-1].any():
        return
    frame = np.asarray(wrong.any(axis=tuple(range(wrong.ndim - 2))))
    if frame.sum() > 0.75 * (
        frame.size - frame[1:-1, 1:-1].size
    ):  # a few elements that happen to lie there are no border
        yield Finding(
            "border",
            f"right in the middle, wrong at the border of the last two dimensions of {evidence.name}",
        )


def accumulation(evidence: Evidence) -> Iterator[Finding]:
    """Every element that is used several times gets too few, or too many, of its contributions; the others
    are right.
    """
    right, given, wrong = evidence.right, evidence.given, evidence.wrong
    used = np.abs(right) > 1e-6 * np.max(np.abs(right), initial=0.0)
    if not np.array_equal(wrong.any(axis=0), used.sum(axis=0) > 1):
        return
    what = f"accumulation: an element of {evidence.name} that is used several times gets"
    lost = np.abs(given) < evidence.tolerance.atol
    if (lost | ~wrong).all() and (used & ~lost).any(axis=0)[wrong.any(axis=0)].all():
        yield Finding("missing accumulation", f"missing {what} only a part of its gradient")
    ratio = given[used] / right[used]
    if (
        (np.abs(given[~used]) < 1e-6).all()
        and (np.abs(ratio - np.round(ratio)) < 1e-4).all()
        and (ratio > 0.5).all()
    ):
        yield Finding("doubled accumulation", f"doubled {what} its gradient again")


def another_argument(evidence: Evidence) -> Iterator[Finding]:
    """The gradient of another input."""
    for at, right in enumerate(evidence.every_right):
        if (
            at != evidence.argument
            and evidence.function.shapes[at] == evidence.shape
            and evidence.explained_by(right)
        ):
            yield Finding(
                "argument", f"it is the gradient of {evidence.function.names[at]}, not of {evidence.name}"
            )


def exchanged(evidence: Evidence) -> Iterator[Finding]:
    """Two axes of dx, of dy, or of another input are exchanged."""
    for what, whole in views(evidence):
        for first, second in swaps(whole.ndim - 1):
            moved = np.swapaxes(whole, first + 1, second + 1).reshape(whole.shape)
            yield from said(evidence, what, moved, "axes", f"axes {first} and {second} of {{}} are exchanged")
    for at, name in evidence.others():
        array = evidence.arrays[at]
        for first, second in swaps(array.ndim):
            text = f"axes {first} and {second} of {name} are exchanged"
            yield from tried(evidence, at, np.swapaxes(array, first, second), "axes", text)


def reversed_(evidence: Evidence) -> Iterator[Finding]:
    """dx, dy, or another input is reversed along some axes: the kernel is flipped, or is not."""
    for what, whole in views(evidence):
        for axes in flips(whole.ndim - 1):
            moved = np.flip(whole, tuple(axis + 1 for axis in axes))
            yield from said(
                evidence,
                what,
                moved,
                "flip",
                f"{{}} is reversed along {show_axes(axes)}: flip it, or drop a flip",
            )
    for at, name in evidence.others():
        array = evidence.arrays[at]
        for axes in flips(array.ndim):
            text = f"{name} is used reversed along {show_axes(axes)}: flip it, or drop a flip"
            yield from tried(evidence, at, np.flip(array, axes), "flip", text)


def show_axes(axes: tuple[int, ...]) -> str:
    """`axis 1`, `axes 2 and 3`."""
    return "axis " + str(axes[0]) if len(axes) == 1 else "axes " + " and ".join(map(str, axes))


def views(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """The right Jacobian with the axes of the input, and with those of the output, as axes of its own: [the
    rest, *axes].
    """
    rows, columns = evidence.right.shape
    yield f"d{evidence.name}", evidence.right.reshape(rows, *evidence.shape)
    yield "dy", evidence.right.T.reshape(columns, *evidence.output_shape)


def said(evidence: Evidence, what: str, moved: Array, kind: str, text: str) -> Iterator[Finding]:
    """A finding, if the right Jacobian so changed is what the rule gives."""
    whole = moved.reshape(len(moved), -1)
    if evidence.explained_by(whole.T if what == "dy" else whole):
        yield Finding(kind, text.format(what))


def tried(evidence: Evidence, at: int, array: Array, kind: str, text: str) -> Iterator[Finding]:
    """A finding, if the rule gives what would be right if that input were another."""
    if array.shape != evidence.arrays[at].shape or np.array_equal(array, evidence.arrays[at]):
        return
    arrays = tuple(array.copy() if place == at else one for place, one in enumerate(evidence.arrays))
    if evidence.explained_by(evidence.right_with(arrays)):
        yield Finding(kind, text)


IN_ORDER: tuple[tuple[Callable[[Evidence], Iterator[Finding]], ...], ...] = (
    (a_factor,),
    (the_layout,),
    (the_remainder,),
    (another_argument, exchanged, reversed_),
    (a_param,),
    (accumulation,),
    (the_border,),
)
"""What is tried, the surest first; what stands together is said together where several hold."""
