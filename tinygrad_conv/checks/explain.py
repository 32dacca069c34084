"""From a fault to a message: which op, which rule, at which line, and what kind of wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..dtypes import FLOATS
from ..engine.declare import Rule
from ..engine.location import show_place
from ..engine.tensor import Tensor
from ..errors import GradcheckError, RuleError, show_shape
from .calls import RecordedCall, gradients, recorded_calls
from .compare import Tolerance, WrongEntry, assert_pure, assert_same_in_any_layout, compare
from .constants import diagnose_constant
from .diagnosis import UNKNOWN, Finding, diagnose
from .fault import Fault
from .function import Function, gradient_of
from .rule_source import rule_faults

MOST_CALLS = 200  # that are looked at one by one, to find the culprit
EXPLAINS = {
    "modes": ("numpy", "method", "callee", "in place"),
    "rule mutates": ("in place",),
}  # by what a rule's source says


def failure(
    fn: Callable[..., Any], function: Function, order: int, fault: Exception, tolerance: Tolerance, note: str
) -> GradcheckError:
    """The error to raise for a fault of a function, with the op that is to blame and a diagnosis."""
    found = (
        (fault.call, 1, fault)
        if isinstance(fault, Fault) and fault.call
        else culprit(function, order, tolerance)
    )
    if found is None:
        fn = getattr(fn, "func", fn)  # of a partial, the function's
        name, body = (
            getattr(fn, "__name__", type(fn).__name__),
            getattr(fn, "forward", fn),
        )  # of a layer, its forward's
        place = f"function {name} ({show_place(body)})" if hasattr(body, "__code__") else ""
        return assemble(name, order, fault, [place], outside(fault), note)
    call, its_order, its_fault = found
    rule, finding = judge(call, its_order, its_fault, tolerance)
    places = [
        str(rule) if rule else f"forward {call.op.name} ({show_place(call.op.forward)})",
        called_at(call),
    ]
    return assemble(call.op.name, its_order, its_fault, places, finding, note)


def called_at(call: RecordedCall) -> str:
    """The user's line that calls an op, where there is one."""
    place = call.node.place if call.node else "<unknown>"
    return "" if place.startswith("<") else f"called at {place}"


def outside(fault: Exception) -> Finding:
    """What is wrong where every op is right by itself."""
    if isinstance(fault, Fault) and fault.kind not in ("wrong", "modes"):
        return Finding(fault.kind, fault.text)
    text = "each op is right by itself: something leaves the tape between them (.data, .detach(), no_grad, NumPy)"
    return Finding("off the tape", text)


def assemble(
    name: str, order: int, fault: Exception, places: list[str], finding: Finding, note: str
) -> GradcheckError:
    """The message, a line for each thing there is to say."""
    lines = [f"gradcheck of {name} fails at order {order}"]
    if isinstance(fault, WrongEntry):
        lines.append(f"worst entry: {fault}")
    elif str(fault) != finding.text:
        lines.append(str(fault))
    lines += [place for place in places if place and place not in lines[-1]]
    lines.append(f"diagnosis: {finding.text}")
    error = GradcheckError("\n  ".join(lines) + note)
    error.kind = finding.kind
    return error


def culprit(
    function: Function, order: int, tolerance: Tolerance
) -> tuple[RecordedCall, int, Exception] | None:
    """The first op called by a function that fails by itself, the order at which it does, and its fault.

    At order 2 the ops that rules call are among them; one that is wrong at order 1 explains what those rules
    get wrong.
    """
    rng = np.random.default_rng(0)
    with recorded_calls() as calls:
        try:
            function.call(function.point)
            if order == 2:
                gradient = gradient_of(function, rng)
                gradient.call(gradient.point)
        except Exception:  # the fault itself: what was called up to there is what matters
            pass
    different: dict[Any, RecordedCall] = {}
    for call in calls[:MOST_CALLS]:
        if call.checked:
            different.setdefault(call.describe(), call)
    for its_order in (1, 2)[:order]:
        for call in different.values():
            fault = fault_alone(call, its_order, tolerance)
            if fault is not None:
                return call, its_order, fault
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


def judge(
    call: RecordedCall, order: int, fault: Exception, tolerance: Tolerance
) -> tuple[Rule | None, Finding]:
    """The rule that is to blame, or None for the forward, and what is wrong with it."""
    if not isinstance(fault, WrongEntry):
        return judge_behaviour(call, order, fault, tolerance)
    argument, output = (fault.input, fault.output) if order == 1 else (fault.output, fault.input)
    rule = call.rule_of(argument)
    if any(one.dtype in FLOATS and one.dtype != np.float64 for one in call.outputs):
        return None, Finding("wrong dtype", f"the forward makes {call.outputs[0].dtype} of float64")
    if rule is None:
        return None, UNKNOWN
    if order == 1:
        return rule, diagnose(call, argument, output, tolerance)
    finding = diagnose_constant(call, output, argument, tolerance)
    return rule, off_the_tape(call, rule) if finding is UNKNOWN else finding


def off_the_tape(call: RecordedCall, rule: Rule) -> Finding:
    """Why the gradient's own gradient is wrong where it is no value that the rule reads: what its source
    says, if it does.
    """
    for found in rule_faults(call.op, rule):
        if found.kind in ("method", "numpy"):
            return Finding("constant", f"right at order 1, wrong at order 2: {found}")
    text = "right at order 1, wrong at order 2: something in the rule leaves the tape (.data, .detach(), no_grad, NumPy)"
    return Finding("unknown", text)


def judge_behaviour(
    call: RecordedCall, order: int, fault: Exception, tolerance: Tolerance
) -> tuple[Rule | None, Finding]:
    """What is wrong with a forward or a rule that does what it must not."""
    for name, rule, dx, shape in returned(call):
        finding = wrong_return(name, dx, shape, call.op.broadcasting)
        if finding:
            return rule, finding
    if not isinstance(fault, Fault):
        return None, Finding("rule", str(fault))
    to_blame = fault.rule if fault.call else misbehaving_rule(call, order, tolerance)
    for found in rule_faults(call.op, to_blame) if to_blame else []:
        if found.kind in EXPLAINS.get(fault.kind, ()):
            return to_blame, Finding("numpy" if found.kind == "numpy" else fault.kind, str(found))
    return to_blame, Finding(fault.kind, fault.text)


def misbehaving_rule(call: RecordedCall, order: int, tolerance: Tolerance) -> Rule | None:
    """The rule that fails when no other runs; None where the forward already does what it must not."""
    try:
        assert_pure(call.function())
        assert_same_in_any_layout(call.function())
    except Fault:
        return None
    failing = (at for at in range(len(call.checked)) if fault_alone(call.only(at), order, tolerance))
    return call.rule_of(next(failing, 0))


def returned(call: RecordedCall) -> Iterator[tuple[str, Rule, Any, tuple[int, ...]]]:
    """(input, its rule, what it returns, the shape it should have) of a call, on arrays."""
    shapes = dict(zip(call.function().names, call.function().shapes))
    try:
        for name, rule, dx in gradients(call):
            yield name, rule, dx, shapes[name]
    except Exception:  # a rule that fails has failed before, with its own message
        return


def wrong_return(name: str, dx: Any, shape: tuple[int, ...], broadcasting: bool) -> Finding | None:
    """What is wrong with the kind, dtype or shape of what a rule returned; None if nothing is."""
    if dx is None:
        return Finding(
            "returns None", f"the rule returns None; it must return d{name}, of shape {show_shape(shape)}"
        )
    if isinstance(dx, Tensor):
        return Finding("modes", "the rule returns a Tensor where it is given arrays: it makes one itself")
    if not isinstance(dx, (np.ndarray, np.generic)):
        text = f"the rule returns {type(dx).__name__}; it must return d{name}, of shape {show_shape(shape)}"
        return Finding("wrong type", text)
    if dx.dtype not in FLOATS:
        return Finding("wrong dtype", f"the rule returns {dx.dtype}; d{name} must be floating-point")
    if dx.shape == shape or broadcasting:
        return None
    if sorted(dx.shape) == sorted(shape):
        return Finding(
            "axes",
            f"axes are exchanged: the rule returns {show_shape(dx.shape)}, d{name} is {show_shape(shape)}",
        )
    if can_broadcast(shape, dx.shape):
        mend = "declare the op @primitive(broadcasting=True), or sum it back with sum_to(…, shape=…)"
        text = f"forgotten un-broadcast: the forward stretches {name} {show_shape(shape)} to {show_shape(dx.shape)}; {mend}"
        return Finding("un-broadcast", text)
    return Finding(
        "wrong shape", f"the rule returns {show_shape(dx.shape)}, but d{name} is {show_shape(shape)}"
    )


def can_broadcast(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether an array of one shape broadcasts to the other."""
    try:
        return np.broadcast_shapes(shape, larger) == larger
    except ValueError:
        return False
