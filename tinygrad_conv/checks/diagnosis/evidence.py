"""The Jacobian of one output of an op with respect to one input: what the rule gives, and what is right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import RuleError
from ..calls import RecordedCall, readable_values
from ..fault import Fault
from ..function import Function, is_float_array
from ..introspection import REFUSALS
from ..other_inputs import (
    LARGEST,
    calls_of_other_signs,
    grown_sizes,
    jittered,
    other_sizes,
    shuffled,
    sizes_apart,
    with_another_slot,
    with_other_params,
    with_redrawn_params,
)
from ..pullback import jacobian
from ..tolerance import Tolerance


class Evidence:
    """A call of an op, and the Jacobian of its output number `output` for its checked input `argument`.

    given: what the rule gives, right: what finite differences give, both [outputs, inputs] with output and
    input as vectors. sure: the entries where the differences can be trusted, which they cannot at a kink.
    every_right: the right Jacobians for all checked inputs.
    """

    def __init__(
        self, call: RecordedCall, arrays: tuple[Any, ...], argument: int, output: int, tolerance: Tolerance
    ) -> None:
        self.call, self.arrays = call, arrays
        self.argument, self.output = argument, output
        self.tolerance, self.step = tolerance, tolerance.eps
        self.function = call.function(arrays)
        self.rows = self.function.codomain.places(output)
        self.columns = self.function.domain.places(argument)
        self.given = jacobian(self.function)[self.rows, self.columns]
        right = self.function.differences(self.step)[self.rows]
        again = self.function.differences(self.step / 10)[self.rows]
        inputs = range(len(self.function.domain.shapes))
        self.every_right = [right[:, self.function.domain.places(number)] for number in inputs]
        self.right = self.every_right[argument]
        self.quantities: dict[tuple[int, ...], list[Any]] = {}  # what is known, by the shape it is laid over
        sure = tolerance.allows(again, right, self.function.values, self.step / 10)
        self.sure = sure[:, self.columns]

    @cached_property
    def readable(self) -> dict[str, Array]:
        """All numbers that a rule of the op may read at these inputs, by name."""
        try:
            readable, _ = readable_values(self.call, self.arrays)
        except Exception:  # a forward that is not to be called so: nothing is known then
            return {}
        values = {**readable, **self.call.every_param}
        by_name: dict[str, Array] = {}
        for name, value in values.items():
            if isinstance(value, tuple) and not name.endswith("_shape"):
                arrays = [(number, part) for number, part in enumerate(value) if isinstance(part, np.ndarray)]
                by_name.update({f"{name}[{number}]": array for number, array in arrays})
            elif isinstance(value, (np.ndarray, float, np.generic)) or type(value) is int:
                by_name[name] = np.asarray(value)
        return {
            name: array.astype(np.float64) for name, array in by_name.items() if array.dtype.kind in "fiub"
        }

    @property
    def name(self) -> str:
        """The input's name."""
        return self.function.names[self.argument]

    @property
    def shape(self) -> tuple[int, ...]:
        """The input's shape."""
        return self.function.domain.shapes[self.argument]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The output's shape."""
        return self.function.codomain.shapes[self.output]

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

    def may_be_explained_by(self, function: Function) -> bool:
        """Whether the rule gives this function's derivative along one direction.

        Where it does not, the Jacobian of the function need not be looked at.
        """
        if not self.sure.all():
            return True
        direction = np.zeros_like(function.point)
        direction[self.columns] = np.random.default_rng(3).uniform(0.5, 1.5, self.given.shape[1])
        slope = function.slope(direction, self.step)[self.rows]
        given = self.given @ direction[self.columns]
        scale = np.abs(given).max(initial=0.0) + np.abs(slope).max(initial=0.0)
        return bool((np.abs(slope - given) <= 1e-3 * scale + 1e-6).all())

    def right_with(self, arrays: tuple[Any, ...]) -> Array:
        """What would be right for this input if the op's inputs were others, [outputs, inputs]."""
        return self.call.function(arrays).differences(self.step)[self.rows, self.columns]

    def is_right_with(self, arrays: tuple[Any, ...], **params: Any) -> bool:
        """Whether the op's whole gradient is right, off kinks, at other inputs or with other params."""
        function = self.call.function(arrays, **params)
        right = function.differences(self.step)
        try:
            given = jacobian(function)
        except Exception:  # whatever a rule says that fails there, it is not right
            return False
        return bool(self.tolerance.allows(given, right, function.values, self.step).all())

    def other_inputs(self) -> Iterator[tuple[int, str]]:
        """(position, name) of the other floating-point inputs."""
        own = self.call.checked[self.argument]
        for position, array in enumerate(self.arrays):
            if position != own and is_float_array(array) and array.ndim:
                yield position, self.name_at(position)

    def name_at(self, position: int) -> str:
        """What the op calls its input at a position."""
        return f"input {position}" if self.call.op.variadic else self.call.op.inputs[position]

    def arrays_with(self, position: int, array: Array) -> tuple[Any, ...]:
        """The inputs, with another array at one position."""
        return (*self.arrays[:position], array, *self.arrays[position + 1 :])

    @cached_property
    def points(self) -> list[Evidence]:
        """Evidence here, at numbers nearby, at others of both signs, and with other arrays as params: what is
        said of all elements must hold at each. Only points where the rule is wrong, and of the same shapes.
        """
        redrawn = with_redrawn_params(self.call)
        others = [(self.call, jittered(self.arrays)), *self.calls_of_other_signs]
        others += [(redrawn, self.arrays)] if redrawn is not None else []
        points = [self, *(point for call, arrays in others for point in self.elsewhere(call, arrays))]
        same = [point for point in points if (point.shape, point.output_shape) == self.shapes]
        return [self] + [point for point in same[1:] if point.wrong.any()]

    @cached_property
    def variants(self) -> list[Evidence]:
        """Evidence at other sizes, of other params and of more inputs: it tells by what a number is meant."""
        sizes = (other_sizes(self.call), grown_sizes(self.call), sizes_apart(self.call))
        resized = [arrays for arrays in sizes if arrays]
        calls = [call for call in (with_other_params(self.call), with_another_slot(self.call)) if call]
        others = [(self.call, arrays) for arrays in resized] + [(call, call.arrays) for call in calls]
        others += self.calls_of_other_signs
        return [variant for call, arrays in others for variant in self.elsewhere(call, arrays)]

    @cached_property
    def grown(self) -> list[Evidence]:
        """Evidence where all sizes are larger, if the forward takes that and the rule is wrong there."""
        arrays = grown_sizes(self.call)
        there = list(self.elsewhere(self.call, arrays)) if arrays else []
        return [point for point in there if point.wrong.any()]

    @cached_property
    def shuffled(self) -> list[Evidence]:
        """Evidence where the inputs' numbers are in other places, if the rule is wrong there."""
        return [point for point in self.elsewhere(self.call, shuffled(self.arrays)) if point.wrong.any()]

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The input's and the output's shape."""
        return self.shape, self.output_shape

    @cached_property
    def calls_of_other_signs(self) -> list[tuple[RecordedCall, tuple[Any, ...]]]:
        """Calls where inputs and params take both signs, with their inputs."""
        return [(call, arrays) for call, arrays, _ in calls_of_other_signs(self.call, self.arrays)]

    def elsewhere(self, call: RecordedCall, arrays: tuple[Any, ...]) -> Iterator[Evidence]:
        """The same evidence at another call, if all is finite there."""
        try:
            there = Evidence(call, arrays, self.argument, self.output, self.tolerance)
        except (RuleError, ArithmeticError, *REFUSALS):  # neither op nor rule need be defined there
            return
        if np.isfinite(there.right).all() and np.isfinite(there.given).all():
            yield there


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
