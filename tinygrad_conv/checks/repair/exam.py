"""What a right rule gives: gradients, by finite differences of the forward, for random cotangents.

A rule that mends one case may be right there by chance, or because two sizes are equal. So there are several:
the inputs at which the fault was seen, the same with other numbers, and inputs of other sizes, as different
from one another as the forward takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from ...dtypes import FLOATS, Array
from ...engine.registry import OPS
from ...errors import show_shape
from ..calls import RecordedCall, readable_values
from ..diagnosis.evidence import LARGEST, jittered
from ..function import Function, can_broadcast, input_names, is_float_array
from ..introspection import REFUSALS
from ..tolerance import Tolerance

COTANGENTS = 2  # for each case
MOST_SPLITS = 60  # how many ways of making sizes differ are tried


class Case:
    """One set of inputs: what a rule may read there, and what it has to return for some cotangents."""

    def __init__(
        self,
        call: RecordedCall,
        arrays: tuple[Any, ...],
        argument: int,
        tolerance: Tolerance,
        label: str = "",
    ) -> None:
        """label: in what its inputs differ from those of the call."""
        self.label = label
        function = call.function(arrays)
        if function.values.size * function.point.size > LARGEST:
            raise ValueError("the Jacobian is too large to be looked into")
        self.values, outputs = readable_values(call, arrays)
        self.params = {**call.op.defaults, **call.params}
        self.tolerance, self.broadcasting = tolerance, call.op.broadcasting
        self.member = argument if call.op.variadic else None  # of the tuple that a variadic rule returns
        columns = function.domain.places(argument)
        self.shape = function.domain.shapes[argument]
        right = function.differences(tolerance.eps)[:, columns]
        again = function.differences(tolerance.eps / 10)[:, columns]
        if not np.isfinite(right).all():
            raise ValueError("the forward has no finite differences here")
        self.sure = tolerance.allows(again, right, function.values, tolerance.eps / 10).all(axis=0)
        rng = np.random.default_rng(3)
        cotangents = rng.standard_normal((COTANGENTS, len(right)))
        self.dys = [as_dy(cotangent, function, outputs) for cotangent in cotangents]
        self.expected = [cotangent @ right for cotangent in cotangents]
        self.largest = max(1.0, float(np.max(np.abs(function.values), initial=0.0)))

    def passed_by(self, rule: Any, reads: tuple[str, ...], params: tuple[str, ...]) -> bool:
        """Whether a rule, which reads these values and params, returns the right gradients."""
        named = {name: self.params[name] for name in params}
        for dy, expected in zip(self.dys, self.expected):
            dx = rule(dy, *[self.values[name] for name in reads], **named)
            if not self.is_right(dx, expected):
                return False
        return True

    def is_right(self, dx: Any, expected: Array) -> bool:
        """Whether what a rule returned is the gradient."""
        if self.member is not None:
            dx = dx[self.member]
        if not isinstance(dx, (np.ndarray, np.generic)) or dx.dtype not in FLOATS:
            return False
        if dx.shape != self.shape:
            if not self.broadcasting or not can_broadcast(self.shape, dx.shape):
                return False
            dx = OPS["sum_to"](np.asarray(dx), shape=self.shape)
        margin = self.tolerance.margin(expected, np.array([self.largest]), self.tolerance.eps)
        scale = self.tolerance.rtol * float(np.max(np.abs(expected), initial=0.0))
        near = np.abs(np.ravel(dx) - expected) <= margin + scale
        return bool((near | ~self.sure).all())


def as_dy(cotangent: Array, function: Function, outputs: tuple[Any, ...]) -> Any:
    """A cotangent as a rule gets it: an array, or a tuple with None for outputs of integers."""
    pieces = iter(function.codomain.split(cotangent))
    dys = [next(pieces) if np.asarray(output).dtype in FLOATS else None for output in outputs]
    return dys[0] if len(outputs) == 1 else tuple(dys)


def cases_of(call: RecordedCall, argument: int, tolerance: Tolerance) -> list[Case]:
    """The cases that a repaired rule has to pass; the first is the one where the fault was seen.

    Raises ValueError where there is nothing to compare with.
    """
    arrays, resized_arrays, changed = as_floats(call.arrays), other_sizes(call), with_other_params(call)
    cases = [Case(call, arrays, argument, tolerance)]
    with suppress(*REFUSALS):  # the op may not be defined at a point
        cases.append(Case(call, jittered(arrays), argument, tolerance, "other numbers"))
    if resized_arrays is not None:
        with suppress(*REFUSALS):
            cases.append(Case(call, resized_arrays, argument, tolerance, show_sizes(call, resized_arrays)))
    if changed is not None:
        with suppress(*REFUSALS):
            cases.append(Case(changed, arrays, argument, tolerance, show_params(call, changed)))
    return cases


def show_sizes(call: RecordedCall, arrays: tuple[Any, ...]) -> str:
    """Inputs of other sizes, as one would ask for them: `x [2,4], w [3,4]`."""
    names = input_names(call.op, len(arrays))
    shapes = [f"{name} {show_shape(np.shape(array))}" for name, array in zip(names, arrays) if np.ndim(array)]
    return ", ".join(shapes)


def show_params(call: RecordedCall, changed: RecordedCall) -> str:
    """The params that are others: `stride=2, dilation=3`."""
    before = {**call.op.defaults, **call.params}
    return ", ".join(f"{name}={value!r}" for name, value in changed.params.items() if value != before[name])


def as_floats(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays of floats in float64, all others as they are."""
    return tuple(array.astype(np.float64) if is_float_array(array) else array for array in arrays)


def with_other_params(call: RecordedCall) -> RecordedCall | None:
    """The call with other numbers among its params, as many as the forward takes, and all different from one
    another if it takes that; None if it takes none.
    """
    params, changed = {**call.op.defaults, **call.params}, None
    for by, (name, value) in enumerate([*params.items()], 1):
        for proposal in (another(value, by), another(value, 1)):
            proposed = replace(call, params={**params, name: proposal})
            if proposal != value and is_taken(proposed, call.arrays):
                changed, params = proposed, proposed.params
                break
    return changed


def another(value: Any, by: int) -> Any:
    """A larger number; whatever holds none as it is."""
    if type(value) is tuple:
        return tuple(another(member, by) for member in value)
    if type(value) is int:
        return value + by
    return value * (1 + by / 4) if type(value) is float else value


def other_sizes(call: RecordedCall) -> tuple[Any, ...] | None:
    """Inputs of other sizes that the forward takes: axes of one size get several, where it lets them."""
    sizes = {size for array in call.arrays for size in np.shape(array)}
    classes = {
        size: [(at, axis) for at, array in enumerate(call.arrays) for axis in places_of(array, size)]
        for size in sizes
    }
    layout = {place: size for size, places in classes.items() for place in places}
    taken: tuple[Any, ...] | None = None
    for changed in changes_of(classes, MOST_SPLITS):
        now = [layout[place] for place in changed]
        alone = list(layout.values()).count(now[0]) == 1 and now[0] not in classes
        if alone or len({*now}) > 1:
            continue  # they have come apart already
        proposal = {**layout, **dict.fromkeys(changed, unused_size(layout))}
        arrays = resized(call.arrays, proposal)
        if is_taken(call, arrays):
            layout, taken = proposal, arrays
    return taken


def places_of(array: Any, size: int) -> list[int]:
    """The axes of an array that have this size."""
    return [axis for axis, its_size in enumerate(np.shape(array)) if its_size == size]


def changes_of(classes: dict[int, list[tuple[int, int]]], most: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Which axes to give one new size: each by itself, then pairs of one size, then all of one size."""
    groups = list(classes.values())
    proposals = [
        *[(place,) for places in groups for place in places],
        *[pair for places in groups for pair in combinations(places, 2)],
        *[tuple(places) for places in groups if len(places) > 2],
    ]
    yield from proposals[:most]
    yield from proposals[:most]  # what was refused may be taken now that others have grown


def unused_size(layout: dict[tuple[int, int], int]) -> int:
    """The smallest size from 2 on that no axis has."""
    used = set(layout.values())
    return next(size for size in range(2, len(used) + 3) if size not in used)


def resized(arrays: tuple[Any, ...], layout: dict[tuple[int, int], int]) -> tuple[Any, ...]:
    """Arrays of these sizes, filled with numbers drawn from the old ones, floats a little moved."""
    rng = np.random.default_rng(4)
    new: list[Any] = []
    for at, array in enumerate(arrays):
        if not isinstance(array, np.ndarray) or not array.ndim or not array.size:
            new.append(array)
            continue
        shape = tuple(layout[at, axis] for axis in range(array.ndim))
        drawn = rng.choice(array.ravel(), shape)
        new.append(drawn * rng.uniform(0.9, 1.1, shape) if is_float_array(array) else drawn)
    return tuple(new)


def is_taken(call: RecordedCall, arrays: tuple[Any, ...]) -> bool:
    """Whether the forward makes finite numbers of these inputs, and few enough to be differenced."""
    try:
        with np.errstate(all="ignore"):
            function = call.function(arrays)
    except Exception:  # whatever it says, it doesn't want these
        return False
    finite = bool(np.isfinite(function.values).all())
    return finite and 0 < function.values.size * function.point.size <= LARGEST
