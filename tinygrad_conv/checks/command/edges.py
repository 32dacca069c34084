"""Samples at the edges of what an op takes: zeros, equal numbers, axes of size 1, numbers in the thousands.

There branches are taken that no other sample meets, and a rule may be wrong there alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.op import Op
from ...engine.tensor import Tensor
from ..calls import RecordedCall
from ..cases import Sample
from ..function import Function, is_float_array
from ..other_inputs import inputs_with_zeros, is_taken, resized
from .docstring_shapes import documented_shapes, measured, proposals

STEPS = 1e-4, 1e-6  # of differences, a larger and a smaller one
THOUSAND = 1000  # times which an exponential overflows
MOST_NARROW = 4  # axes that are tried at size 1, one after another


def edge_samples(op: Op, sample: Sample, call: RecordedCall) -> Iterator[Sample]:
    """The same call at its edges, as far as the forward takes that. call: the sample as a call."""
    for arrays, name in inputs_with_zeros(call, sample.inputs):
        if has_slopes(call.function(arrays)):
            yield Sample(f"zeros in {name}", arrays, sample.params)
    if sample.label == "example":
        return  # other sizes and numbers may be none that the op is made for
    for arrays in narrow_inputs(op, sample, call):
        yield Sample("an axis of size 1", arrays, sample.params)
    large = tuple(value * THOUSAND if is_float_array(value) else value for value in sample.inputs)
    if is_taken(call, large):
        yield Sample("numbers in the thousands", large, sample.params)


def has_slopes(function: Function) -> bool:
    """Whether a function rises to the left and right of its zeros as any does: not where these are the border
    of its domain, or a root's or a power's slope is without bounds.
    """
    direction = np.where(function.point == 0, 1.0, 0.0)
    far, near = (np.abs(function.one_sided(direction, step)) for step in STEPS)
    return bool(np.isfinite(far).all() and (near <= 2 * far + 1).all())


def narrow_inputs(op: Op, sample: Sample, call: RecordedCall) -> Iterator[tuple[Any, ...]]:
    """The inputs with one of their sizes at 1, one after another."""
    shapes = named_sizes(op, sample) if sample.label == "docstring" else equal_sizes(sample)
    for number, layout in enumerate(shapes):
        arrays = resized(sample.inputs, layout)
        if number < MOST_NARROW and is_taken(call, arrays):
            yield arrays


def named_sizes(op: Op, sample: Sample) -> Iterator[dict[tuple[int, int], int]]:
    """By input and axis: the sizes where one name of the docstring's stands for 1."""
    shapes = documented_shapes(op)
    inputs = op.inputs * (len(sample.inputs) if op.variadic else 1)
    sizes = next(proposals(shapes))
    for name in sizes:
        wholes = [measured(shapes[given], {**sizes, name: 1}) for given, _ in zip(inputs, sample.inputs)]
        yield {(at, axis): size for at, whole in enumerate(wholes) for axis, size in enumerate(whole)}


def equal_sizes(sample: Sample) -> Iterator[dict[tuple[int, int], int]]:
    """The same where all axes of one size get size 1."""
    shapes = [np.shape(value) for value in sample.inputs]
    layout = {(at, axis): size for at, shape in enumerate(shapes) for axis, size in enumerate(shape)}
    for narrow in sorted({*layout.values()} - {0, 1}):
        yield {place: 1 if size == narrow else size for place, size in layout.items()}


def with_equal_numbers(op: Op, sample: Sample, function: Function) -> Function | None:
    """The op as a function of fewer numbers, each of which stands in several places of its inputs: smooth
    where these move together, whatever the op's rule makes of a tie. function: of the sample. None where
    nothing can be equal, or the forward does not take it.
    """
    sizes = [sample.inputs[position].size for position in function.checked]
    count = max(sizes, default=0)
    numbers = np.sort(function.point[: (count + 1) // 2])[::-1].copy()
    if count < 2:
        return None
    tied = partial(of_equal_numbers, op, sample, function.checked)
    try:
        with np.errstate(all="ignore"):
            made = Function(tied, [numbers], [0], ["the equal numbers"])
    except Exception:  # whatever the forward says, it doesn't want these
        return None
    return made if np.isfinite(made.values).all() else None


def of_equal_numbers(op: Op, sample: Sample, checked: tuple[int, ...], numbers: Tensor) -> Any:
    """The op at inputs in which neighbours are equal, and as many inputs begin with the same numbers."""
    inputs = list(sample.inputs)
    for position in checked:
        inputs[position] = numbers[neighbours(inputs[position])]
    return op(*inputs, **sample.params)


def neighbours(array: Array) -> Array:
    """For each place of an array which number stands there: the same for every two."""
    return np.arange(array.size).reshape(array.shape) // 2
