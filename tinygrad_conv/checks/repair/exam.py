"""What a right rule gives, at several inputs: gradients, by finite differences of the forward for random
cotangents; and what a right derivation of a kept value gives: what the forward keeps.

The inputs are those at which the fault was seen, and others that the forward takes (other_inputs.py).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import FLOATS, Array
from ...engine.registry import OPS
from ...engine.rule import Rule
from ..calls import RecordedCall, readable_values
from ..function import Function, can_broadcast
from ..introspection import REFUSALS
from ..other_inputs import (
    LARGEST,
    OTHER_NUMBERS,
    as_floats,
    calls_of_other_signs,
    inputs_with_zeros,
    other_calls,
)
from ..tolerance import Tolerance

COTANGENTS = 2  # for each case


class Case(NamedTuple):
    """One set of inputs: what a rule may read there, and what it has to return.

    label: in what its inputs differ from those of the call. leading: what it is called with before what it
    reads, one after another: a dy. expected: what is due for each of these, sure: where that can be told.
    member: of the tuple that a variadic rule returns. margin: how far from what is due a result may be.
    """

    label: str
    values: dict[str, Any]
    params: dict[str, Any]
    leading: list[tuple[Any, ...]]
    expected: list[Array]
    sure: Array
    margin: Array
    member: int | None = None
    broadcasting: bool = False
    may_raise: bool = False  # for a forward may take sizes and params that its op is not made for
    has_other_sizes: bool = False
    is_beyond: bool = False  # of other signs, or with zeros: what fails there alone is said with that limit

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is due."""
        return self.expected[0].shape

    def passed_by(self, rule: Any, reads: tuple[str, ...], params: tuple[str, ...]) -> bool:
        """Whether a rule, which reads these values and params, returns what is due."""
        named = {name: self.params[name] for name in params}
        for leading, expected in zip(self.leading, self.expected):
            returned = rule(*leading, *[self.values[name] for name in reads], **named)
            if not self.is_right(returned, expected):
                return False
        return True

    def is_refused_by(self, rule: Rule) -> bool:
        """Whether a rule raises here."""
        values, params = rule.arguments(self.values, self.params)
        try:
            rule.function(*self.leading[0], *values, **params)
        except Exception:
            return True
        return False

    def is_right(self, returned: Any, expected: Array) -> bool:
        """Whether what a rule returned is what is due."""
        if self.member is not None:
            returned = returned[self.member]
        if not isinstance(returned, (np.ndarray, np.generic)) or returned.dtype not in FLOATS:
            return False
        if returned.shape != self.shape:
            if not self.broadcasting or not can_broadcast(self.shape, returned.shape):
                return False
            returned = OPS["sum_to"](np.asarray(returned), shape=self.shape)
        return bool(((np.abs(returned - expected) <= self.margin) | ~self.sure).all())


def cases_of(call: RecordedCall, argument: int | str, rule: Rule, tolerance: Tolerance) -> list[Case]:
    """The cases of a rule; the first is the one where the fault was seen.

    argument: the number of a checked input, or the name of a kept value whose derivation it is. Raises
    ValueError where there is nothing to compare with.
    """
    arrays = as_floats(call.arrays)
    make = case_of_derivation if isinstance(argument, str) else case_of_gradient
    cases = [make(call, arrays, argument, tolerance, "")]
    for changed, others, label in other_calls(call, arrays):
        with suppress(*REFUSALS):  # the op may not be defined at a point
            case = make(changed, others, argument, tolerance, label)
            if label == OTHER_NUMBERS:
                cases.append(case)
                continue
            has_other_sizes = changed is call
            is_default = all(changed.params.get(name) is value for name, value in call.op.defaults.items())
            may_raise = has_other_sizes or (not is_default and case.is_refused_by(rule))
            cases.append(case._replace(may_raise=may_raise, has_other_sizes=has_other_sizes))
    if not isinstance(argument, str):
        cases += cases_beyond(call, arrays, argument, tolerance)
    return cases


def cases_beyond(
    call: RecordedCall, arrays: tuple[Any, ...], argument: int, tolerance: Tolerance
) -> list[Case]:
    """Cases of other signs and with exact zeros; of the latter what lies at a kink is not compared."""
    cases = []
    for changed, others, label in calls_of_other_signs(call, arrays):
        with suppress(*REFUSALS):
            case = case_of_gradient(changed, others, argument, tolerance, label)
            cases.append(case._replace(is_beyond=True))
    for others, name in inputs_with_zeros(call, arrays):
        with suppress(*REFUSALS):
            case = case_of_gradient(call, others, argument, tolerance, f"zeros in {name}")
            function = only_input(call.function(others), argument)
            sides = [function.one_sided(unit, tolerance.eps) for unit in np.eye(function.point.size)]
            smooth = [np.allclose(left, right, rtol=1e-3, atol=1e-3) for left, right in sides]
            sure = case.sure & np.reshape(smooth, case.shape)
            cases.append(case._replace(is_beyond=True, sure=sure))
    return cases


def case_of_gradient(
    call: RecordedCall, arrays: tuple[Any, ...], argument: Any, tolerance: Tolerance, label: str
) -> Case:
    """What is due for a checked input. Raises ValueError where the forward has no differences."""
    function = call.function(arrays)
    if function.values.size * function.point.size > LARGEST:
        raise ValueError("the Jacobian is too large to be looked into")
    values, outputs = readable_values(call, arrays)
    function = only_input(function, argument)
    right, again = function.differences(tolerance.eps), function.differences(tolerance.eps / 10)
    if not np.isfinite(right).all():
        raise ValueError("the forward has no finite differences here")
    shape = function.domain.shapes[0]
    sure = tolerance.allows(again, right, function.values, tolerance.eps / 10).all(axis=0)
    cotangents = np.random.default_rng(3).standard_normal((COTANGENTS, len(right)))
    expected = [(cotangent @ right).reshape(shape) for cotangent in cotangents]
    largest = np.array([max(1.0, float(np.max(np.abs(function.values), initial=0.0)))])
    scale = tolerance.rtol * float(np.max(np.abs(expected), initial=0.0))
    margin = tolerance.margin(np.max(np.abs(expected), axis=0), largest, tolerance.eps) + scale
    return Case(
        label,
        values,
        call.every_param,
        [(as_dy(cotangent, function, outputs),) for cotangent in cotangents],
        expected,
        sure.reshape(shape),
        margin,
        argument if call.op.variadic else None,
        call.op.broadcasting,
    )


def only_input(function: Function, argument: int) -> Function:
    """A function of one of its inputs alone."""
    return Function(function.fn, function.inputs, [function.checked[argument]], [function.names[argument]])


def case_of_derivation(
    call: RecordedCall, arrays: tuple[Any, ...], name: Any, tolerance: Tolerance, label: str
) -> Case:
    """What is due for a kept value: that which the forward keeps."""
    values, _ = readable_values(call, arrays)
    kept = np.asarray(values.pop(name))
    margin = np.full(kept.shape, tolerance.rtol * (1e-3 + np.max(np.abs(kept), initial=0.0)))
    params = call.every_param
    return Case(label, values, params, [()], [kept], np.ones(kept.shape, bool), margin)


def as_dy(cotangent: Array, function: Function, outputs: tuple[Any, ...]) -> Any:
    """A cotangent as a rule gets it: an array, or a tuple with None for outputs of integers."""
    pieces = iter(function.codomain.split(cotangent))
    dys = [next(pieces) if np.asarray(output).dtype in FLOATS else None for output in outputs]
    return dys[0] if len(outputs) == 1 else tuple(dys)
