"""A term of the gradient that is missing, wrong or too much: what is true of right less given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...dtypes import Array
from ..fault import Finding
from .evidence import Evidence
from .named import names_of, raised
from .quantities import Quantity, end_to_end, known_at, quantities, show_axis, subsets

LARGE = 30_000  # entries of a Jacobian above which only plain quantities are tried
MOST = 2  # ways to say the same that are said
SMALL = 1e-4  # in proportion, of what is left of a difference once a term explains it


class Multiples(NamedTuple):
    """Along these axes, the difference is a multiple of a quantity."""

    name: str
    axes: tuple[int, ...]


def a_term(evidence: Evidence) -> Iterator[Finding]:
    """What is missing, by its names: dy * q, or p * sum(dy * q) along axes."""
    if not difference(evidence).any():
        return
    elementwise = list(an_elementwise_term(evidence))
    if elementwise:
        yield from elementwise
        return
    points = [*evidence.points, *evidence.grown]
    of_input, of_output = multiples_at_all(points)
    if of_input:
        yield from shown(evidence, of_input, of_output)
    else:
        said = list(two_statistics(evidence))
        yield from (text for text in said if all(text in two_statistics(point) for point in points[1:]))
        yield from (summed(evidence, multiples) for multiples in of_output[:MOST])


def multiples_at_all(points: list[Evidence]) -> tuple[list[Multiples], list[Multiples]]:
    """Of what the difference is a multiple at each of these points, on the input's side and the output's."""
    of_input: list[Multiples] = []
    of_output: list[Multiples] = []
    for number, point in enumerate(points):
        known = quantities(point, point.shape)
        missing = difference(point)
        again = along(missing, point.shape, known)
        of_input = again if not number else [multiples for multiples in of_input if multiples in again]
        same_shape = point.shape == point.output_shape
        known_of_output = known if same_shape else quantities(point, point.output_shape)
        again = along(missing.T, point.output_shape, known_of_output)
        of_output = again if not number else [multiples for multiples in of_output if multiples in again]
    return widest(of_input), widest(of_output)


def widest(multiples: list[Multiples]) -> list[Multiples]:
    """Those along as many axes as possible; the constant ones first."""
    by_name: dict[str, list[Multiples]] = {}
    for name, axes in multiples:
        its_own = by_name.setdefault(name, [])
        if not any(set(axes) < set(other.axes) for other in its_own):
            its_own.append(Multiples(name, axes))
    kept = {other for its_own in by_name.values() for other in its_own}
    return sorted((each for each in multiples if each in kept), key=lambda each: each.name != "1")


def difference(evidence: Evidence) -> Array:
    """What the rule lacks: right less given, 0 where they agree or nobody can tell, [outputs, inputs]."""
    missing = np.where(evidence.wrong, evidence.right - evidence.given, 0.0)
    return np.where(np.isfinite(missing), missing, 0.0)


def an_elementwise_term(evidence: Evidence) -> Iterator[Finding]:
    """What is missing is dy times a quantity, element by element."""
    if evidence.shape != evidence.output_shape or evidence.right.shape[0] < 2:
        return
    points = evidence.points
    missing = [difference(point) for point in points]
    diagonals = [np.diag(at_point) for at_point in missing]
    if any((at_point != np.diag(own)).any() for at_point, own in zip(missing, diagonals)):
        return
    diagonal = end_to_end(diagonals)
    chosen = diagonal != 0
    known = [Quantity("1", np.ones(diagonal.size), True), *known_at(points, evidence.shape)]
    for name, values in names_of(diagonal, known, chosen):
        where = f", at {int((diagonals[0] != 0).sum())} of {diagonals[0].size} elements"
        for extent, term in (("", values), (where, np.where(chosen, values, 0.0))):
            if lack(points, np.split(term, len(points))):
                text = f"the gradient of {evidence.name} lacks the term {times_dy(name)}{extent}"
                yield Finding("term", text)
                break


def times_dy(name: str) -> str:
    """dy times what has this name: `dy`, `-dy`, `dy * x`."""
    return f"{name[:-1]}dy" if name in ("1", "-1") or name.endswith(" * 1") else f"dy * {name}"


def lack(points: list[Evidence], terms: list[Array]) -> bool:
    """Whether the gradient is right at each point once dy times these terms is added."""
    return all(point.explained_by(point.right - np.diag(term)) for point, term in zip(points, terms))


def along(missing: Array, shape: tuple[int, ...], known: list[Quantity]) -> list[Multiples]:
    """Of which quantities the difference is a multiple, along which axes; many axes first.

    missing: [the other side's elements, this side's], shape: this side's.
    """
    if missing.size > LARGE:
        known = [quantity for quantity in known if quantity.is_plain]
    fields = fields_of(shape, known)
    # what fails on the largest need not be tried on all
    largest = missing[[np.argmax(np.abs(missing).max(axis=1))]]
    multiples: list[Multiples] = []
    for axes in sorted(subsets(len(shape)), key=len, reverse=True):
        if np.prod([shape[axis] for axis in axes]) < 2:
            continue
        along_these = f"axis={axes[0] if len(axes) == 1 else axes}"
        for name, field in fields:
            if "axis=" in name and along_these not in name:
                continue
            if not is_multiple(largest, field, axes):
                continue
            if varies(field, axes, name) and is_multiple(missing, field, axes):
                multiples.append(Multiples(name, axes))
    return multiples


def fields_of(shape: tuple[int, ...], known: list[Quantity]) -> list[tuple[str, Array]]:
    """What a difference may be a multiple of: 1, what is known, and the inverse of what is plain."""
    fields = [("1", np.ones(shape)), *((name, values) for name, values, _ in known)]
    with np.errstate(all="ignore"):
        return fields + [(raised(name, -1), 1 / values) for name, values, is_plain in known if is_plain]


def varies(field: Array, axes: tuple[int, ...], name: str) -> bool:
    """Whether a field is more than a constant along axes ("1" is that), and no mere 1 and -1."""
    if name == "1":
        return True
    if " - mean(" in name and np.prod([field.shape[axis] for axis in axes]) < 3:
        return False
    spread = np.ptp(field, axis=axes)
    return bool(np.isfinite(field).all() and (spread > 1e-6 * np.abs(field).max(initial=0.0)).any())


def is_multiple(missing: Array, field: Array, axes: tuple[int, ...]) -> bool:
    """Whether the difference, in each slice along axes, is a multiple of a field: each row by itself."""
    return is_small(without(missing.reshape(-1, *field.shape), field[None], axes), missing)


def without(parts: Array, field: Array, axes: tuple[int, ...]) -> Array:
    """What is left of parts, [rows, *shape], when their share along a field is taken away."""
    at = tuple(axis + 1 for axis in axes)
    squares = np.sum(field * field, axis=at, keepdims=True)
    shares = np.sum(parts * field, axis=at, keepdims=True)
    rest: Array = parts - field * np.divide(shares, squares, out=np.zeros_like(shares), where=squares > 0)
    return rest


def is_small(rest: Array, whole: Array) -> bool:
    """Whether what is left is nothing beside what there was, in more places than one."""
    scale = np.abs(whole).max()
    return bool((np.abs(rest) <= SMALL * scale).all())


def shown(evidence: Evidence, of_input: list[Multiples], of_output: list[Multiples]) -> Iterator[Finding]:
    """What is wrong, by its multiples on both sides."""
    name = evidence.name
    for multiples in of_input[:MOST]:
        along_axes = f"along {show_axis(multiples.axes)} of {name}"
        if multiples.name == "1":
            text, source = f"what is wrong is the same for all elements {along_axes}", "a sum or a mean"
        else:
            text = f"what is wrong is, {along_axes}, a multiple of {multiples.name}"
            source = "a norm or a variance" if name in multiples.name else ""
        sums = [other for other in of_output if other.name != "1"] or of_output
        if evidence.shape == evidence.output_shape:
            sums = [other for other in sums if other.axes == multiples.axes]
        if sums:
            dy = "dy" if sums[0].name == "1" else f"dy * {sums[0].name}"
            text = f"{text}, by sum({dy}) over {show_axis(sums[0].axes)} of y"
        hint = f" (as {source} leaves)" if source and sums else ""
        yield Finding("term", f"{text}: a term like that{hint} is missing, wrong or too much")


def summed(evidence: Evidence, multiples: Multiples) -> Finding:
    """What is wrong, where only what dy is multiplied by is known."""
    dy = "dy" if multiples.name == "1" else f"dy * {multiples.name}"
    text = f"what is wrong comes from sum({dy}) over {show_axis(multiples.axes)} of y alone"
    return Finding(
        "term", f"{text}: that sum is missing, wrong or too much in the gradient of {evidence.name}"
    )


def two_statistics(evidence: Evidence) -> Iterator[Finding]:
    """What is wrong is, along some axes, a constant and a multiple of the input: mean and variance."""
    shape, missing = evidence.shape, difference(evidence)
    own = evidence.arrays[evidence.call.checked[evidence.argument]]
    parts = missing.reshape(-1, *shape)
    for axes in sorted(subsets(len(shape)), key=len, reverse=True):
        if np.prod([shape[axis] for axis in axes]) < 3:
            continue
        centred = own - own.mean(axis=axes, keepdims=True)
        rest = without(without(parts, np.ones((1, *shape)), axes), centred[None], axes)
        if is_small(rest, missing):
            text = f"what is wrong is, along {show_axis(axes)}, a constant and a multiple of {evidence.name}"
            yield Finding("term", f"{text}: terms of a mean and a variance (or norm), missing or wrong")
            return
