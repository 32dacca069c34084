"""From a fault to a message: which op, which rule, at which line, and what kind of wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..dtypes import FLOATS
from ..engine.op import Rule
from ..engine.tensor import Tensor
from ..errors import GradcheckError, RuleError, show_shape
from .calls import Call, gradients, recorded_calls
from .compare import Tolerance, WrongEntry, compare
from .constants import diagnose_constant
from .diagnosis import UNKNOWN, Finding, diagnose
from .fault import Fault
from .function import Function, gradient_of
from .rule_source import SourceFault, rule_faults

MOST_CALLS = 200  # that are looked at one by one, to find the culprit


def failure(
    fn: Callable[..., Any], function: Function, order: int, fault: Exception, tolerance: Tolerance, note: str
) -> GradcheckError:
    """The error to raise for a fault of a function, with the op that is to blame and a diagnosis."""
    rng = np.random.default_rng(0)
    found = culprit(function, order, tolerance, rng)
    if found is None:
        name = getattr(getattr(fn, "func", fn), "__name__", type(fn).__name__)  # of a partial, the function's
        return assemble(name, order, fault, None, None, outside(fault), note)
    call, its_order, its_fault = found
    rule, finding = judge(call, its_order, its_fault, tolerance)
    return assemble(call.op.name, its_order, its_fault, call, rule, finding, note)


def outside(fault: Exception) -> Finding:
    """What is wrong where every op is right by itself."""
    if isinstance(fault, Fault) and fault.kind not in ("wrong", "modes"):
        return Finding(fault.kind, fault.text)
    text = "each op is right by itself: something leaves the tape between them (.data, .detach(), no_grad, NumPy)"
    return Finding("off the tape", text)


def assemble(
    name: str, order: int, fault: Exception, call: Call | None, rule: Rule | None, finding: Finding, note: str
) -> GradcheckError:
    """The message, a line for each thing there is to say."""
    lines = [f"gradcheck of {name} fails at order {order}"]
    if isinstance(fault, WrongEntry):
        lines.append(f"worst entry: {fault}")
    elif str(fault) != finding.text:
        lines.append(str(fault))
    if rule is not None:
        lines.append(str(rule))
    if call is not None and call.node is not None and not call.node.place.startswith("<"):
        lines.append(f"called at {call.node.place}")
    lines.append(f"diagnosis: {finding.text}")
    error = GradcheckError("\n  ".join(lines) + note)
    error.kind = finding.kind
    return error


def culprit(
    function: Function, order: int, tolerance: Tolerance, rng: np.random.Generator
) -> tuple[Call, int, Exception] | None:
    """The first op called by a function that fails by itself, the order at which it does, and its fault."""
    with recorded_calls() as calls:
        try:
            function.call(function.point)
            if order == 2:
                gradient = gradient_of(function, rng)
                gradient.call(gradient.point)
        except Exception:  # the fault itself: what was called up to there is what matters
            pass
    seen = set()
    for call in calls[:MOST_CALLS]:
        if call.describe() in seen or not call.checked:
            continue
        seen.add(call.describe())
        for its_order in (1, 2)[:order]:
            try:
                alone = call.function()
                compare(alone if its_order == 1 else gradient_of(alone, rng), tolerance, rng)
            except (Fault, RuleError) as fault:
                return call, its_order, fault
    return None


def judge(call: Call, order: int, fault: Exception, tolerance: Tolerance) -> tuple[Rule | None, Finding]:
    """The rule that is to blame, and what is wrong with it."""
    if not isinstance(fault, WrongEntry):
        return judge_behaviour(call, fault)
    argument, output = (fault.input, fault.output) if order == 1 else (fault.output, fault.input)
    rule = rule_of(call, argument)
    if any(one.dtype in FLOATS and one.dtype != np.float64 for one in call.outputs):
        return rule, Finding("wrong dtype", f"the forward makes {call.outputs[0].dtype} of float64")
    if rule is None:
        return None, UNKNOWN
    if order == 1:
        return rule, diagnose(call, argument, output, tolerance)
    return rule, diagnose_constant(call, output, argument, tolerance)


def judge_behaviour(call: Call, fault: Exception) -> tuple[Rule | None, Finding]:
    """What is wrong with a forward or a rule that does what it must not."""
    for name, rule, dx, shape in returned(call):
        finding = wrong_return(name, dx, shape, call.op.broadcasting)
        if finding:
            return rule, finding
    if isinstance(fault, Fault) and fault.kind == "modes":
        for rule, found in source_faults(call):
            return rule, Finding("numpy" if found.kind == "numpy" else "modes", f"{fault.text}\n  {found}")
    if isinstance(fault, Fault):
        return None, Finding(fault.kind, fault.text)
    return None, Finding("rule", str(fault))


def returned(call: Call) -> Iterator[tuple[str, Rule | None, Any, tuple[int, ...]]]:
    """(input, its rule, what it returns, the shape it should have) of a call, on arrays."""
    shapes = dict(zip(call.function().names, call.function().shapes))
    try:
        for name, dx in gradients(call):
            position = call.function().names.index(name)
            yield name, rule_of(call, position), dx, shapes[name]
    except Exception:  # a rule that fails has failed before, with its own message
        return


def wrong_return(name: str, dx: Any, shape: tuple[int, ...], broadcasting: bool) -> Finding | None:
    """What is wrong with the kind, dtype or shape of what a rule returned; None if nothing is."""
    if dx is None:
        return Finding("returns None", f"the rule returns None; it must return d{name}, of shape {show_shape(shape)}")
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
        return Finding("axes", f"axes are exchanged: the rule returns {show_shape(dx.shape)}, d{name} is {show_shape(shape)}")
    if can_broadcast(shape, dx.shape):
        mend = "declare the op @primitive(broadcasting=True), or sum it back with sum_to(…, shape=…)"
        text = f"forgotten un-broadcast: the forward stretches {name} {show_shape(shape)} to {show_shape(dx.shape)}; {mend}"
        return Finding("un-broadcast", text)
    return Finding("wrong shape", f"the rule returns {show_shape(dx.shape)}, but d{name} is {show_shape(shape)}")


def can_broadcast(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether an array of one shape broadcasts to the other."""
    try:
        return np.broadcast_shapes(shape, larger) == larger
    except ValueError:
        return False


def source_faults(call: Call) -> Iterator[tuple[Rule, SourceFault]]:
    """What the source of the rules in question says that rules may not say."""
    for argument in range(len(call.checked)):
        rule = rule_of(call, argument)
        if rule is not None:
            yield from ((rule, found) for found in rule_faults(call.op, rule))


def rule_of(call: Call, argument: int) -> Rule | None:
    """The rule for one of the checked inputs."""
    rules: list[Rule | None] = call.op.rules
    return rules[0 if call.op.variadic else call.checked[argument]]
