"""What is wrong with the op that is to blame: in which rule, or in the forward, and what kind of wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...dtypes import FLOATS
from ...engine.rule import Rule
from ..calls import RecordedCall
from ..fault import UNKNOWN, Fault, Finding
from ..introspection import as_array
from ..pullback import Pullback
from ..tolerance import Tolerance, WrongEntry, same
from .culprit import Culprit, at_the_root, misbehaving_rule
from .every_wrong import find_mistakes
from .rule_source import rule_faults
from .state_or_chance import why_different
from .used_as_constant import find_constant, leaves_the_tape, show_leaving
from .wrong_return import find_wrong_return

EXPLAINED_BY = {"modes": ("numpy", "method", "callee", "in place"), "rule mutates": ("in place",)}
"""By the kind of a fault: the kinds of what a rule's source says that explain it."""


OF_NUMBERS = ("wrong", "not linear")
"""Faults that are seen in numbers of float64: where the forward has fewer digits, they come of that."""


class Verdict(NamedTuple):
    """The rule that is to blame, or None for the forward, and what is wrong with it."""

    rule: Rule | None
    finding: Finding


def judge(culprit: Culprit, tolerance: Tolerance) -> Verdict:
    """What is wrong with a call."""
    if isinstance(culprit.fault, Fault) and culprit.fault.kind in OF_NUMBERS:
        for output in culprit.call.outputs:
            if output.dtype in FLOATS and output.dtype != np.float64:
                return Verdict(None, Finding("wrong dtype", f"the forward makes {output.dtype} of float64"))
    if isinstance(culprit.fault, WrongEntry):
        return judge_numbers(culprit.call, culprit.order, culprit.fault, tolerance)
    return judge_behaviour(culprit, tolerance)


def judge_numbers(call: RecordedCall, order: int, entry: WrongEntry, tolerance: Tolerance) -> Verdict:
    """What is wrong with a call whose gradient, or its gradient's, has a wrong entry."""
    # at order 2 the outputs are the gradients of the inputs
    argument = at_the_root(call, entry.input, tolerance) if order == 1 else entry.output
    rule = call.rule_of(argument)
    if rule is None:
        return Verdict(None, UNKNOWN)
    if order == 1:
        return Verdict(rule, find_mistakes(call, argument, entry.output, tolerance))
    finding = find_constant(call, entry.input, entry.output, tolerance)
    return Verdict(rule, off_the_tape(call, rule) if finding is UNKNOWN else finding)


def off_the_tape(call: RecordedCall, rule: Rule) -> Finding:
    """Why the gradient's own gradient is wrong where no value that the rule reads is a constant.

    It is what the rule's source says, if it does.
    """
    for fault in filter(leaves_the_tape, rule_faults(call.op, rule, call.arrays)):
        return Finding("constant", f"right at order 1, wrong at order 2: {show_leaving(fault)}")
    text = "something in the rule leaves the tape (.data, .detach(), no_grad, NumPy)"
    return Finding("unknown", f"right at order 1, wrong at order 2: {text}")


def judge_behaviour(culprit: Culprit, tolerance: Tolerance) -> Verdict:
    """What is wrong with a forward or a rule that does what it must not."""
    call, order, fault = culprit
    if isinstance(fault, Fault) and fault.kind == "raises":
        return Verdict(fault.rule, Finding(fault.kind, fault.text))
    wrong_return = find_wrong_return(call)
    if wrong_return:
        return Verdict(*wrong_return)
    if not isinstance(fault, Fault):
        return Verdict(None, Finding("rule", str(fault)))
    rule = fault.rule if fault.call else misbehaving_rule(call, order, tolerance)
    for source_fault in rule_faults(call.op, rule, call.arrays) if rule else []:
        if source_fault.kind in EXPLAINED_BY.get(fault.kind, ()):
            kind = "numpy" if source_fault.kind == "numpy" else fault.kind
            return Verdict(rule, Finding(kind, str(source_fault)))
    blamed = wrong_derivation(call) if fault.kind == "modes" else None
    if blamed is not None:
        derivation, why = blamed
        return Verdict(derivation, Finding(fault.kind, f"{fault.text}: {derivation.function.__name__} {why}"))
    if fault.kind == "not deterministic":
        return Verdict(rule, finding_of_change(call, rule, fault))
    return Verdict(rule, Finding(fault.kind, fault.text))


def finding_of_change(call: RecordedCall, rule: Rule | None, fault: Fault) -> Finding:
    """What makes a forward, or a rule, give other numbers at the second call: chance or a state, if known."""
    function = call.function()
    if rule is None:
        why = why_different(call.op.forward, lambda: function.at(function.point))
    else:
        pull, cotangent = Pullback(function, lifted=False), np.ones(function.values.size)
        why = why_different(rule.function, lambda: pull(cotangent))
    return Finding(fault.kind, f"{fault.text}: it {why}" if why else fault.text)


def wrong_derivation(call: RecordedCall) -> tuple[Rule, str] | None:
    """The derivation of a kept value that raises, or gives other numbers than the forward, if one does; and
    which of these.
    """
    node = call.node
    derivations: list[Rule] = list(call.op.derivations.values())
    for derivation in derivations if node is not None else ():
        name = derivation.argument
        if node is None or name not in node.saved:
            continue
        values, params = derivation.arguments(node.saved, node.params)
        try:
            derived = derivation.function(*values, **params)
        except Exception as error:  # whatever it is, no rule that reads the value is to blame
            return derivation, f"raises {type(error).__name__} where it is to derive {name}"
        kept = node.saved[name]
        if np.shape(derived) != np.shape(kept) or not same(np.asarray(as_array(derived)), np.asarray(kept)):
            return derivation, f"derives another {name} than the forward keeps"
    return None
