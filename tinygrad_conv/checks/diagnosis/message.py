"""From a fault to the error that is raised: which op, which rule, at which line, and what kind of wrong."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from ...engine.location import show_place
from ...engine.rule import Rule
from ...errors import GradcheckError
from ..calls import RecordedCall
from ..fault import UNKNOWN, Fault, Finding
from ..function import Function
from ..tolerance import Tolerance
from ..wording import assemble, body_of, is_there, name_of, place_of
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
            culprit: Culprit | None = Culprit(fault.call, fault.order, fault)
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
    repairs = repairs_of(culprit, rule, repaired_to, tolerance) if repaired_to and rule else []
    # a sure repair says more than that nothing explains the mistake
    is_silent = finding.text == UNKNOWN.text and any(line.startswith("an edit") for line in repairs)
    is_silent = is_silent and not any("but not for" in line for line in repairs)
    diagnosis = [] if is_silent else [f"diagnosis: {finding.text}"]
    lines = [to_blame, called_at(culprit.call), *diagnosis, *repairs]
    return assemble(f"{op.name} fails at order {culprit.order}", culprit.fault, lines, finding.kind, note)


def repairs_of(culprit: Culprit, rule: Rule, order: int, tolerance: Tolerance) -> list[str]:
    """Lines that say which edits make a rule right up to an order; none where the folder repair/ is not
    there.
    """
    if not is_there("repair"):
        return []
    repair = import_module("..repair.repair", __package__)
    lines: list[str] = repair.repairs_of(culprit, rule, order, tolerance)
    return lines


def called_at(call: RecordedCall) -> str:
    """The user's line that calls an op, where there is one."""
    place = call.node.place if call.node else "<unknown>"
    return "" if place.startswith("<") else f"called at {place}"


def error_outside_ops(
    fn: Callable[..., Any], function: Function, order: int, fault: Exception, note: str
) -> GradcheckError:
    """The error where every op that a function calls is right by itself."""
    finding = finding_outside_ops(fault, body_of(fn), function)
    lines = [place_of(fn), f"diagnosis: {finding.text}"]
    return assemble(f"{name_of(fn)} fails at order {order}", fault, lines, finding.kind, note)


def finding_outside_ops(fault: Exception, body: Callable[..., Any], function: Function) -> Finding:
    """What is wrong where every op is right by itself."""
    if isinstance(fault, Fault) and fault.kind == "not deterministic":
        why = why_different(body, lambda: function.at(function.point))
        return Finding(fault.kind, f"{fault.text}: it {why}" if why else fault.text)
    if isinstance(fault, Fault) and fault.kind not in ("wrong", "modes"):
        return Finding(fault.kind, fault.text)
    text = "each op is right by itself: something leaves the tape between them"
    return Finding("off the tape", f"{text} (.data, .detach(), no_grad, NumPy)")
