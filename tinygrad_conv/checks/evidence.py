"""The Jacobian of one output of an op with respect to one input: what the rule gives, and what is right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from .calls import RecordedCall
from .compare import Tolerance, differences, jacobian
from .fault import Fault
from .function import Function

LARGEST = 1_000_000  # entries of a Jacobian that is looked into
JITTER = 0.1  # how far, in proportion, the inputs of a second look are from those of the first


class Evidence:
    """A call of an op, and the Jacobian of its output number `output` for its checked input number
    `argument`.

    given: what the rule gives, right: what finite differences give, both [outputs, inputs] with output and
    input as vectors. sure: the entries where the differences can be trusted, which they cannot at a kink.
    """

    def __init__(
        self, call: RecordedCall, arrays: tuple[Any, ...], argument: int, output: int, tolerance: Tolerance
    ) -> None:
        self.call, self.arrays, self.argument, self.output, self.tolerance = (
            call,
            arrays,
            argument,
            output,
            tolerance,
        )
        self.function = call.function(arrays)
        self.step = tolerance.eps
        ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.function.outputs])
        self.rows = slice(ends[output], ends[output + 1])
        self.given = jacobian(self.function)[self.rows, self.columns(argument)]
        whole = differences(self.function, self.step)[self.rows]
        again = differences(self.function, self.step / 10)[self.rows]
        self.every_right = [whole[:, self.columns(at)] for at in range(len(self.function.shapes))]
        self.right = self.every_right[argument]
        self.sure = tolerance.allows(again, whole, self.function.values, self.step / 10)[
            :, self.columns(argument)
        ]

    def columns(self, argument: int) -> slice:
        """The places of one input in the vector of all."""
        return slice(self.function.ends[argument], self.function.ends[argument + 1])

    @property
    def name(self) -> str:
        """The input's name."""
        return self.function.names[self.argument]

    @property
    def shape(self) -> tuple[int, ...]:
        """The input's shape."""
        return self.function.shapes[self.argument]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The output's shape."""
        return self.function.outputs[self.output]

    @cached_property
    def wrong(self) -> Array:
        """Where the rule is wrong, [outputs, inputs]."""
        return ~self.near(self.right)

    def near(self, expected: Array) -> Array:
        """Where the rule gives what is expected, or where nobody can tell, [outputs, inputs]."""
        return self.tolerance.allows(self.given, expected, self.function.values, self.step) | ~self.sure

    def explained_by(self, expected: Array) -> bool:
        """Whether the rule gives just that everywhere."""
        return bool(expected.shape == self.given.shape and self.near(expected).all())

    def right_with(self, arrays: tuple[Any, ...]) -> Array:
        """What would be right for this input if the op's inputs were others, [outputs, inputs]."""
        return differences(self.call.function(arrays), self.step)[self.rows, self.columns(self.argument)]

    def others(self) -> Iterator[tuple[int, str]]:
        """(position, name) of the other floating-point inputs."""
        own = self.call.checked[self.argument]
        names = (
            self.call.op.inputs
            if not self.call.op.variadic
            else [f"input {at}" for at in range(len(self.arrays))]
        )
        for at, array in enumerate(self.arrays):
            if at != own and isinstance(array, np.ndarray) and array.dtype in FLOATS and array.ndim:
                yield at, names[at]


def gather(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> list[Evidence]:
    """Evidence at the call's inputs and, so that no coincidence counts, at others nearby.

    Raises Fault where the Jacobian is too large to be looked into.
    """
    function = call.function()
    if function.values.size * function.point.size > LARGEST:
        raise Fault("unknown", "the Jacobian is too large to be looked into; smaller inputs would tell more")
    first = Evidence(call, call.arrays, argument, output, tolerance)
    moved = jittered(call.arrays)
    try:
        second = Evidence(call, moved, argument, output, tolerance)
    except (ValueError, TypeError, FloatingPointError):  # the op may not be defined there
        return [first]
    return [first, second] if np.isfinite(second.right).all() and second.wrong.any() else [first]


def jittered(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs, each number changed by a few per cent of itself: signs and zeros stay, equal ones come
    apart.
    """
    rng = np.random.default_rng(1)
    return tuple(
        one * (1 + JITTER * rng.uniform(-1, 1, one.shape))
        if isinstance(one, np.ndarray) and one.dtype in FLOATS
        else one
        for one in arrays
    )


def flips(ndim: int) -> list[tuple[int, ...]]:
    """Axes along which a thing may have been reversed by mistake: the last two, or any one."""
    both = [(ndim - 2, ndim - 1)] if ndim >= 2 else []
    return both + [(axis,) for axis in range(ndim)]


def swaps(ndim: int) -> list[tuple[int, int]]:
    """Pairs of axes that may have been exchanged by mistake."""
    return list(combinations(range(ndim), 2))


def is_right(function: Function, tolerance: Tolerance) -> bool:
    """Whether a function's whole gradient is right, where it is not at a kink."""
    given, right = jacobian(function), differences(function, tolerance.eps)
    return bool(tolerance.allows(given, right, function.values, tolerance.eps).all())
