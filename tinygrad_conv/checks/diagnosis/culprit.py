"""Which of the ops that a function calls is to blame, and which of the op's rules."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...engine.rule import Rule
from ...errors import RuleError
from ..behaviour import assert_pure, assert_same_in_any_layout
from ..calls import RecordedCall, calls_of
from ..compare import compare
from ..fault import Fault
from ..function import Function
from ..pullback import gradient_of
from ..tolerance import Tolerance

MOST_CALLS = 200  # of which each is looked at by itself


class Culprit(NamedTuple):
    """A call of an op that is wrong by itself, the order at which it is, and its fault."""

    call: RecordedCall
    order: int
    fault: Exception


def find_culprit(function: Function, order: int, tolerance: Tolerance) -> Culprit | None:
    """The first op called by a function that fails by itself.

    At order 2 the ops that rules call are among them; one that is wrong at order 1 explains what those rules
    get wrong.
    """
    different: dict[Any, RecordedCall] = {}
    for call in calls_of(function, order)[:MOST_CALLS]:
        if call.checked:
            different.setdefault(call.describe(), call)
    for its_order in (1, 2)[:order]:
        for call in different.values():
            fault = fault_alone(call, its_order, tolerance)
            if fault is not None:
                return Culprit(call, its_order, fault)
    return None


def fault_alone(call: RecordedCall, order: int, tolerance: Tolerance) -> Exception | None:
    """What is wrong with a call of an op by itself, if anything is."""
    rng = np.random.default_rng(0)
    try:
        function = call.function()
        compare(function if order == 1 else gradient_of(function, rng), tolerance, rng)
    except (Fault, RuleError) as fault:
        return fault
    return None


def at_the_root(call: RecordedCall, argument: int, tolerance: Tolerance) -> int:
    """The number of the checked input whose rule is wrong by itself, where the rule for a checked input calls
    that one; else the same input.
    """
    rule = call.rule_of(argument)
    if rule is None or call.op.variadic:
        return argument
    function: Any = rule.function
    known, names = getattr(function, "__globals__", {}), function.__code__.co_names
    called = [known.get(name) for name in names]
    for number in range(len(call.checked)):
        other = call.rule_of(number)
        if other is None or number == argument or not any(other.function is each for each in called):
            continue
        if fault_alone(call.only(number), 1, tolerance) is not None:
            return number
    return argument


def misbehaving_rule(call: RecordedCall, order: int, tolerance: Tolerance) -> Rule | None:
    """The rule that fails when no other runs; None where the forward already does what it must not."""
    try:
        assert_pure(call.function())
        assert_same_in_any_layout(call.function())
    except Fault:
        return None
    arguments = range(len(call.checked))
    failing = (number for number in arguments if fault_alone(call.only(number), order, tolerance))
    return call.rule_of(next(failing, 0))
