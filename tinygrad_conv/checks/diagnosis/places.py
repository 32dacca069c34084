"""Right numbers in wrong places, and the places that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence

TINY = 1e-9  # in proportion, of an entry that counts as 0


def transposed(evidence: Evidence) -> Iterator[Finding]:
    """J times dy, where Jᵀ is due."""
    if evidence.right.shape[0] == evidence.right.shape[1] and evidence.explained_by(evidence.right.T):
        text = f"the Jacobian is used where its transpose is due: d{evidence.name} is J dy, not Jᵀ dy"
        yield Finding("transposed", text)


def shifted(evidence: Evidence) -> Iterator[Finding]:
    """The gradient of another element along an axis: all are shifted, round the end or over it."""
    views = (
        ("d" + evidence.name, evidence.right, evidence.shape),
        ("dy", evidence.right.T, evidence.output_shape),
    )
    for name, right, shape in views:
        view = right.reshape(-1, *shape)
        for axis, size in enumerate(shape):
            for by in [by for by in (1, -1, 2, -2, 3, -3) if 2 * abs(by) <= size]:
                yield from shifted_so(evidence, name, view, axis, by)


def shifted_so(evidence: Evidence, name: str, view: Array, axis: int, by: int) -> Iterator[Finding]:
    """The finding, if the right Jacobian shifted so is what the rule gives."""
    rolled = np.roll(view, by, axis + 1)
    cut = rolled.copy()
    lost = slice(0, by) if by > 0 else slice(by, None)
    cut[(slice(None),) * (axis + 1) + (lost,)] = 0.0
    for moved, end in ((rolled, "round the end"), (cut, "what goes over the end is lost")):
        matrix = moved.reshape(len(moved), -1)
        if evidence.explained_by(matrix.T if name == "dy" else matrix):
            yield Finding("places", f"{name} is shifted by {by} along axis {axis}, {end}")


def permuted(evidence: Evidence) -> Iterator[Finding]:
    """Each element of the input gets the gradient that is due to another one."""
    right, given = evidence.right, evidence.given
    if right.shape[1] > 400 or not evidence.sure.all():
        return
    distance = np.abs(given[:, :, None] - right[:, None, :]).max(axis=0) if right.size < 20_000 else None
    if distance is None:
        return
    scale = np.abs(right).max()
    source = distance.argmin(axis=1)
    if (distance.min(axis=1) > 1e-4 * scale).any() or np.unique(source).size != source.size:
        return
    moved = np.flatnonzero(source != np.arange(source.size))
    if moved.size < 2 or not evidence.explained_by(right[:, source]):
        return
    name = evidence.name
    pairs = [
        f"d{name}{show(at, evidence.shape)} is that of {name}{show(source[at], evidence.shape)}"
        for at in moved
    ]
    text = f"right numbers in wrong places: {', '.join(pairs[:3])}"
    yield Finding("places", text + (f" and {moved.size - 3} more" if moved.size > 3 else ""))


def show(position: Any, shape: tuple[int, ...]) -> str:
    """An element's index."""
    return "[" + ",".join(str(int(index)) for index in np.unravel_index(int(position), shape)) + "]"


def a_part(evidence: Evidence) -> Iterator[Finding]:
    """Wrong exactly at one part of the input or of the output, right at the rest of it."""
    wrong = evidence.wrong
    sides = ((evidence.name, evidence.shape, 0), ("y", evidence.output_shape, 1))
    for name, shape, others in sides:
        mask = np.asarray(wrong.any(axis=others))
        if mask.all() or not shape or not is_of_places(evidence, mask, others):
            continue
        box = box_of(mask.reshape(shape))
        if box is not None:
            side = f"wrong exactly at {name}[{', '.join(box)}]"
            rest = (
                "the other elements are right"
                if name != "y"
                else f"d{evidence.name} is right for the rest of y"
            )
            there = what_there(evidence, entries_of(evidence, mask, others))
            yield Finding("part", f"{side}{there}; {rest}")


def is_of_places(evidence: Evidence, mask: Array, others: int) -> bool:
    """Whether the same elements are wrong once the inputs' numbers are in other places: then it is the place
    that counts, not what stands there.

    mask: the wrong elements of the input or the output, others: the Jacobian's other axis.
    """
    return all(np.array_equal(point.wrong.any(axis=others), mask) for point in evidence.shuffled)


def a_simple_part(evidence: Evidence) -> Iterator[Finding]:
    """One part that is wrong in a simple way: 0, or a multiple."""
    if what_there(evidence):
        yield from a_part(evidence)


def what_there(evidence: Evidence, part: Array | None = None) -> str:
    """What the rule gives where it is wrong, if that is simple.

    part: the entries of the Jacobian of which this is said, where some of them may be right.
    """
    wrong = evidence.wrong
    given, right = evidence.given[wrong], evidence.right[wrong]
    scale = np.abs(evidence.right).max(initial=0.0)
    whole = part is None or not (part & ~wrong & (np.abs(evidence.right) > 1e-6 * scale)).any()
    if (np.abs(given) <= 1e-6 * scale).all():
        return ", where it gives 0" if whole else ", where what is wrong is 0"
    if (np.abs(right) <= 1e-6 * scale).all():
        return ", where 0 is due" if whole else ", where 0 is due for what is wrong"
    ratio = given / np.where(right == 0, np.inf, right)
    if np.ptp(ratio) >= 1e-4 * np.abs(ratio).max():
        return ""
    times = f"{round(float(ratio[0]), 6):g} times"
    there = f"it gives {times} the right gradient" if whole else f"what is wrong is {times} what is due"
    return f", where {there}"


def entries_of(evidence: Evidence, mask: Array, others: int) -> Array:
    """The entries of the Jacobian of some elements of the input, or of the output (others = 1)."""
    return np.broadcast_to(mask if others == 0 else mask[:, None], evidence.wrong.shape)


def box_of(mask: Array) -> list[str] | None:
    """The indices of a mask, axis by axis, if it is a product of such; None if it is not."""
    axes = range(mask.ndim)
    lines = [np.asarray(mask.any(axis=tuple(a for a in axes if a != axis))) for axis in axes]
    if mask.sum() != np.prod([line.sum() for line in lines]):
        return None
    return [show_line(line) for line in lines]


def show_line(line: Array) -> str:
    """Indices along an axis: `:`, `2`, `3:6`, `::2` or a list."""
    at = np.flatnonzero(line)
    if at.size == line.size:
        return ":"
    if at.size == 1:
        return str(int(at[0]))
    steps = np.unique(np.diff(at))
    if steps.size == 1 and steps[0] == 1:
        start = "" if at[0] == 0 else str(int(at[0]))
        end = "" if at[-1] == line.size - 1 else str(int(at[-1]) + 1)
        return f"{start}:{end}"
    if steps.size == 1 and at.size > 2:
        return f"{int(at[0]) or ''}::{int(steps[0])}"
    return str(at.tolist())


RELATIONS: tuple[tuple[str, Callable[..., Array], str], ...] = (
    ("is that of x", np.equal, "of the same index"),
    ("is another than that of x", np.not_equal, "of other indices"),
    ("is larger than that of x", np.greater, "of later indices"),
    ("is smaller than that of x", np.less, "of earlier indices"),
)


def by_order(evidence: Evidence) -> Iterator[Finding]:
    """Wrong only where output and input lie so to another along an axis: a step's own, or later ones; and at
    each such pair of indices something is.
    """
    count = len(evidence.output_shape)
    wrong = evidence.wrong.reshape(*evidence.output_shape, *evidence.shape)
    scale = np.abs(evidence.right).max(initial=0.0)
    matters = (np.abs(evidence.right) > TINY * scale) | (np.abs(evidence.given) > TINY * scale)
    matters = matters.reshape(wrong.shape)
    for a, b in product(range(count), range(len(evidence.shape))):
        size = evidence.output_shape[a]
        if size != evidence.shape[b] or size < 3:
            continue
        others = tuple(axis for axis in range(wrong.ndim) if axis not in (a, count + b))
        is_wrong, is_used = np.asarray(wrong.any(axis=others)), np.asarray(matters.any(axis=others))
        yield from relations(evidence, is_wrong, is_used, (a, b))


def relations(
    evidence: Evidence, is_wrong: Array, is_used: Array, axes: tuple[int, int]
) -> Iterator[Finding]:
    """The relation of the indices that tells wrong from right, [index of y, index of x]."""
    i, j = np.ogrid[: is_wrong.shape[0], : is_wrong.shape[1]]
    name = evidence.name
    for relation, holds, share in RELATIONS:
        chosen = holds(i, j) & is_used
        if np.array_equal(is_wrong, chosen) and (is_used & ~chosen).any() and chosen.sum() > 1:
            where = relation.replace(" of x", f" of {name} along axis {axes[1]}")
            text = f"wrong only where the index of y along axis {axes[0]} {where}{what_there(evidence)}"
            yield Finding("part", f"{text}: in the shares {share} in d{name}")
            return
