"""How large would what an op makes be? Asked before it is run on what a file says.

No number of a file may lead to more memory than a few times what its arrays take.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import show_shape
from ...members import members_of
from ...ops.arguments.windows import window_of
from ..checking import flat
from ..recorded import arrays_in
from ..step import Step

LIMIT, RATIO = 2**20, 32
"""How many numbers an op may handle: so many, or so many times those that it read and made."""

COUNTS = ("input_size", "output_size", "size", "shape")
"""Params that say how large a part of the output is."""


def check_sizes(step: Step, broadcasting: bool) -> None:
    """Raise ValueError where the params of a step would make something else than what was recorded."""
    made: tuple[int, ...] = step.shapes[0][0]
    shapes = list(shapes_of(step))
    if broadcasting:
        masks = [array.shape for array in arrays_in(step.params)]
        check_made(np.broadcast_shapes(*shapes, *masks), made)
    if "sides" in step.params:
        check_made(with_borders(shapes[0], step.params["sides"]), made)
    if "repeats" in step.params:
        repeats = members_of(step.params["repeats"])
        count = math.prod(map(abs, shapes[0])) * math.prod(repeats)
        check_made((count,), (math.prod(made),))
    for name in COUNTS:
        if name in step.params and step.op != "conv2d_weight_grad":
            check_count(name, step.params[name], made)
    if "padding" in step.params:
        check_padded(step, shapes)


def check_made(shape: tuple[int, ...], made: tuple[int, ...]) -> None:
    """What is made is what was recorded."""
    if shape != made:
        raise ValueError(f"it makes {show_shape(shape)}, not {show_shape(made)}")


def shapes_of(step: Step) -> Iterator[tuple[int, ...]]:
    """The shapes of the inputs: of those whose values are not known what a rule has read of them."""
    for name, value in step.inputs.items():
        arrays, known = members_of(value), step.read.get(f"{name}_shape")
        shapes = known if step.variadic and known is not None else (known,) * len(arrays)
        for array, shape in zip(arrays, shapes):
            if array is not None or shape is not None:
                yield shape if array is None else array.shape


def with_borders(shape: tuple[int, ...], sides: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with (before, after) of the last dimension, and so on."""
    sizes = list(shape)
    for place, side in enumerate(sides):
        sizes[-1 - place // 2] += side
    return tuple(sizes)


def check_count(name: str, value: Any, made: tuple[int, ...]) -> None:
    """What a param says of the size of the output is not more than the output has."""
    counts = value if isinstance(value, (tuple, list)) else (value,)
    count = math.prod(abs(number) for number in counts if number is not None)
    if count > max(math.prod(made), 1) and 0 not in made:
        raise ValueError(f"{name} is {value}, but it made {show_shape(made)}")


def check_padded(step: Step, shapes: list[tuple[int, ...]]) -> None:
    """An image with its padding is not too large. Raises ShapeError where no window fits it."""
    params, image = step.params, step.shapes[0][0]
    size = next((params[name] for name in COUNTS if name in params), shapes[0][-2:])
    kernel = params.get("kernel_size") or shapes[1][2:]
    stride = params.get("stride") or None  # () is as good as None
    dilation, ceil_mode = params.get("dilation", 1), params.get("ceil_mode", False)
    window = window_of(step.op, size, kernel, stride, params["padding"], dilation, None, ceil_mode)
    padded = [count + sum(pads) for count, pads in zip(window.size, window.padding)]
    planes = math.prod((image if "input_size" in params else shapes[0])[:-2])
    check_within(planes * math.prod(padded), step)


def check_within(count: int, step: Step) -> None:
    """So many numbers are in proportion to the arrays of a step."""
    held = sum(array.size for array in arrays_in([*flat(step.inputs), step.grad_output, step.read]))
    limit = max(LIMIT, RATIO * held)
    if count > limit:
        raise ValueError(f"it would handle {count:,} numbers, and its arrays have {held:,}")
