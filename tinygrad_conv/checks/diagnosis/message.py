"""From a fault to the error that is raised: which op, which rule, at which line, and what kind of wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.location import show_place
from ...errors import GradcheckError
from ..calls import RecordedCall
from ..fault import Fault, Finding
from ..function import Function
from ..repair.repair import repairs_of
from ..tolerance import Tolerance, WrongEntry
from .culprit import Culprit, find_culprit
from .state_or_chance import why_different
from .verdict import judge


def error_of(
    fn: Callable[..., Any],
    function: Function,
    order: int,
    fault: Exception,
    tolerance: Tolerance,
    note: str,
    repair: bool = False,
) -> GradcheckError:
    """The error to raise for a fault of a function, with the op that is to blame and a diagnosis.

    order: of the comparison that found it; note: what the message ends with; repair: look for an edit of the
    rule that makes it right, too.
    """
    with np.errstate(all="ignore"):  # what is tried out may overflow
        if isinstance(fault, Fault) and fault.call:
            culprit: Culprit | None = Culprit(fault.call, 1, fault)
        else:
            culprit = find_culprit(function, order, tolerance)
        if culprit is None:
            return error_outside_ops(fn, function, order, fault, note)
        return error_of_op(culprit, tolerance, note, order if repair else 0)


def error_of_op(culprit: Culprit, tolerance: Tolerance, note: str, repaired_to: int) -> GradcheckError:
    """The error where a call of an op is wrong by itself; with repairs that hold up to this order, if any."""
    op = culprit.call.op
    rule, finding = judge(culprit, tolerance)
    to_blame = str(rule) if rule else f"forward {op.name} ({show_place(op.forward)})"
    places = [to_blame, called_at(culprit.call)]
    repairs = repairs_of(culprit, rule, repaired_to, tolerance) if repaired_to and rule else []
    return assemble(op.name, culprit.order, culprit.fault, places, finding, repairs, note)


def called_at(call: RecordedCall) -> str:
    """The user's line that calls an op, where there is one."""
    place = call.node.place if call.node else "<unknown>"
    return "" if place.startswith("<") else f"called at {place}"


def error_outside_ops(
    fn: Callable[..., Any], function: Function, order: int, fault: Exception, note: str
) -> GradcheckError:
    """The error where every op that a function calls is right by itself."""
    fn = getattr(fn, "func", fn)  # of a partial, the function's
    name = getattr(fn, "__name__", type(fn).__name__)
    body = getattr(fn, "forward", fn)  # of a layer, its forward's
    place = f"function {name} ({show_place(body)})" if hasattr(body, "__code__") else ""
    return assemble(name, order, fault, [place], finding_outside_ops(fault, body, function), [], note)


def finding_outside_ops(fault: Exception, body: Callable[..., Any], function: Function) -> Finding:
    """What is wrong where every op is right by itself."""
    if isinstance(fault, Fault) and fault.kind == "not deterministic":
        why = why_different(body, lambda: function.at(function.point))
        return Finding(fault.kind, f"{fault.text}: it {why}" if why else fault.text)
    if isinstance(fault, Fault) and fault.kind not in ("wrong", "modes"):
        return Finding(fault.kind, fault.text)
    text = "each op is right by itself: something leaves the tape between them"
    return Finding("off the tape", f"{text} (.data, .detach(), no_grad, NumPy)")


def assemble(
    name: str,
    order: int,
    fault: Exception,
    places: list[str],
    finding: Finding,
    repairs: list[str],
    note: str,
) -> GradcheckError:
    """The message, a line for each thing there is to say."""
    lines = [f"gradcheck of {name} fails at order {order}"]
    if isinstance(fault, WrongEntry):
        lines.append(f"worst entry: {fault}")
    elif str(fault) != finding.text:
        lines.append(str(fault))
    lines += [place for place in places if place and place not in lines[-1]]
    lines += [f"diagnosis: {finding.text}", *repairs]
    error = GradcheckError("\n  ".join(lines) + note)
    error.kind = finding.kind
    return error
