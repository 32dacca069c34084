"""Other inputs that an op takes: other numbers, other sizes, other params.

What is right at some inputs may be right there by chance, or because two sizes are equal. So there are
others, as different from one another as the forward takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import show_shape
from .calls import RecordedCall
from .function import input_names, is_float_array

LARGEST = 1_000_000  # entries of a Jacobian that is looked into
JITTER = 0.1  # how far, in proportion, other numbers are from those there were
MOST_SPLITS = 60  # how many ways of making sizes differ are tried
OTHER_NUMBERS = "other numbers"


def other_calls(
    call: RecordedCall, arrays: tuple[Any, ...]
) -> Iterator[tuple[RecordedCall, tuple[Any, ...], str]]:
    """The same call with other numbers, with other sizes, and with other params, and what is other.

    Other sizes are such that tell equal ones apart and then, for a rule may be made for equal ones, such that
    do not.
    """
    yield call, jittered(arrays), OTHER_NUMBERS
    resized_arrays, changed = other_sizes(call), with_other_params(call)
    if resized_arrays is not None:
        yield call, resized_arrays, show_shapes(call, resized_arrays)
    for other in (changed, with_default_params(call)):
        if other is not None:
            yield other, arrays, show_params(call, other)
    grown = grown_sizes(call)
    if grown is not None:
        yield call, grown, show_shapes(call, grown)


def show_shapes(call: RecordedCall, arrays: tuple[Any, ...]) -> str:
    """Inputs of other sizes, as one would ask for them: `x [2,4], w [3,4]`."""
    names = input_names(call.op, len(arrays))
    shapes = [f"{name} {show_shape(np.shape(array))}" for name, array in zip(names, arrays) if np.ndim(array)]
    return ", ".join(shapes)


def show_params(call: RecordedCall, changed: RecordedCall) -> str:
    """The params that are others: `stride=2, dilation=3`."""
    before = call.every_param
    params = [(name, value) for name, value in changed.params.items() if value is not before[name]]
    return ", ".join(f"{name}={value!r}" for name, value in params)


def as_floats(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays of floats in float64, all others as they are."""
    return tuple(array.astype(np.float64) if is_float_array(array) else array for array in arrays)


def jittered(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs, each number changed by a few per cent: signs and zeros stay, equal ones come apart."""
    rng = np.random.default_rng(1)
    return tuple(
        array * (1 + JITTER * rng.uniform(-1, 1, array.shape)) if is_float_array(array) else array
        for array in arrays
    )


def shuffled(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs, the numbers of each one of floats in other places."""
    rng = np.random.default_rng(6)
    return tuple(
        rng.permutation(array.ravel()).reshape(array.shape) if is_float_array(array) else array
        for array in arrays
    )


def with_other_params(call: RecordedCall) -> RecordedCall | None:
    """The call with other numbers among its params, as many as the forward takes, and all different from one
    another if it takes that; None if it takes none.
    """
    params, changed = call.every_param, None
    plain = [(name, value) for name, value in params.items() if isinstance(value, (int, float, tuple))]
    for by, (name, value) in enumerate(plain, 1):
        for proposal in (another(value, by), another(value, 1), another(value, -1)):
            proposed = replace(call, params={**params, name: proposal})
            if proposal != value and is_taken(proposed, call.arrays):
                changed, params = proposed, proposed.params
                break
    return changed


def with_redrawn_params(call: RecordedCall) -> RecordedCall | None:
    """The call with other numbers in those of its params that are arrays, drawn from their own, as labels or
    masks need it; None where there are none, or they are not taken.
    """
    rng, params = np.random.default_rng(7), call.every_param
    arrays = {
        name: value for name, value in params.items() if isinstance(value, np.ndarray) and value.size > 1
    }
    drawn = {name: rng.choice(value.ravel(), value.shape) for name, value in arrays.items()}
    changed = replace(call, params={**params, **drawn})
    return changed if drawn and is_taken(changed, call.arrays) else None


def calls_of_other_signs(
    call: RecordedCall, arrays: tuple[Any, ...]
) -> Iterator[tuple[RecordedCall, tuple[Any, ...], str]]:
    """The same call where floats take both signs: all inputs at once, or one after another where the forward
    refuses that; then the params. With what is other in words.
    """
    names = input_names(call.op, len(arrays))
    floats = [at for at, array in enumerate(arrays) if is_float_array(array) and array.size]
    proposals = [floats, *([at] for at in floats if len(floats) > 1 and arrays[at].size == 1)]
    if not is_taken(call, with_both_signs(arrays, floats)):
        proposals = [[at] for at in floats]
    for chosen in proposals:
        signed = with_both_signs(arrays, chosen)
        if chosen and is_taken(call, signed):
            yield call, signed, f"{', '.join(names[at] for at in chosen)} of the other sign"
    changed = with_negative_params(call, arrays)
    if changed is not None:
        yield changed, arrays, show_params(call, changed)


def with_both_signs(arrays: tuple[Any, ...], chosen: list[int]) -> tuple[Any, ...]:
    """The inputs, the chosen ones with other numbers of both signs; where there is one number, of the other
    sign.
    """
    rng = np.random.default_rng(5)
    signed = list(arrays)
    for at in chosen:
        signs = rng.choice([-1.0, 1.0], arrays[at].shape)
        signs.flat[0] = -np.copysign(1.0, arrays[at].flat[0])
        signs.flat[1:2] = np.copysign(1.0, arrays[at].flat[1:2])
        signed[at] = np.abs(arrays[at]) * signs * rng.uniform(0.6, 1.4, arrays[at].shape)
    return tuple(signed)


def with_negative_params(call: RecordedCall, arrays: tuple[Any, ...]) -> RecordedCall | None:
    """The call with the signs of its float params changed, of as many as the forward takes; None of none."""
    params, changed = call.every_param, None
    for name, value in list(params.items()):
        if type(value) is float and value:
            proposed = replace(call, params={**params, name: -value})
            if is_taken(proposed, arrays):
                changed, params = proposed, proposed.params
    return changed


def inputs_with_zeros(call: RecordedCall, arrays: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The inputs where one of them has exact zeros, one after another, and its name; where that is taken."""
    for at, (name, array) in enumerate(zip(input_names(call.op, len(arrays)), arrays)):
        if is_float_array(array) and array.size:
            zeroed = array.copy()
            zeroed.flat[:: max(3, array.shape[-1] + 1 if array.ndim else 1)] = 0.0
            other = (*arrays[:at], zeroed, *arrays[at + 1 :])
            if is_taken(call, other):
                yield other, name


def with_another_slot(call: RecordedCall) -> RecordedCall | None:
    """The call of a variadic op with an input more; None where there is no such."""
    if not call.op.variadic or not call.checked:
        return None
    more = replace(call, inputs=(*call.inputs, call.inputs[call.checked[-1]]))
    return more if is_taken(more, more.arrays) else None


def with_default_params(call: RecordedCall) -> RecordedCall | None:
    """The call with every param that has a default at that; None where it is so, or is not taken."""
    params = {**call.params, **call.op.defaults}
    if all(params[name] is value or params[name] == value for name, value in call.params.items()):
        return None
    default = replace(call, params=params)
    return default if is_taken(default, call.arrays) else None


def another(value: Any, by: int) -> Any:
    """A larger number, or a smaller one where `by` is negative; whatever holds none as it is."""
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


def grown_sizes(call: RecordedCall) -> tuple[Any, ...] | None:
    """Inputs whose sizes are all larger, equal ones still equal; None where the forward refuses them."""
    shapes = [np.shape(array) for array in call.arrays]
    layout = {
        (at, axis): size + (size > 1) for at, shape in enumerate(shapes) for axis, size in enumerate(shape)
    }
    arrays = resized(call.arrays, layout)
    return arrays if is_taken(call, arrays) else None


def sizes_apart(call: RecordedCall) -> tuple[Any, ...] | None:
    """Inputs whose sizes are larger by 1, 2, 3 …, equal ones still equal: so that none is another one less
    the same as before. None where the forward refuses them.
    """
    shapes = [np.shape(array) for array in call.arrays]
    layout = {(at, axis): size for at, shape in enumerate(shapes) for axis, size in enumerate(shape)}
    growth = {size: by for by, size in enumerate(sorted({*layout.values()} - {0, 1}), 1)}
    arrays = resized(call.arrays, {place: size + growth.get(size, 0) for place, size in layout.items()})
    return arrays if is_taken(call, arrays) else None


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
