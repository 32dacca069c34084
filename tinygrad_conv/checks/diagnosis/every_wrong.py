"""All that is wrong with a call: which inputs, and through which outputs, not the worst alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...members import grouped
from ..calls import RecordedCall
from ..fault import Finding
from ..other_inputs import LARGEST
from ..pullback import jacobian
from ..tolerance import Tolerance
from .mistakes import find_mistake

MOST = 4  # inputs beside the worst that are diagnosed, and outputs of each


def find_mistakes(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """What is wrong with the rules for all inputs of a call; the worst, `argument` and `output`, first."""
    worst = find_mistake(call, argument, output, tolerance)
    wrong = wrong_pairs(call, tolerance)
    if worst.kind == "domain" or not wrong:
        return worst
    names = call.function().names
    inputs = list(dict.fromkeys([argument, *(number for number, _ in wrong)]))[: MOST + 1]
    findings = {number: find_through(call, number, wrong, output, tolerance) for number in inputs}
    kinds = [finding.kind for finding in findings.values()]
    kind = next((kind for kind in kinds if kind not in ("unknown", "domain")), worst.kind)
    shared = said_of_each(call, names, findings) if len(inputs) == len(names) else ""
    if shared:
        return Finding(kind, shared)
    lines = [findings[argument].text]
    lines += [f"{names[number]} is wrong too: {findings[number].text}" for number in inputs[1:]]
    if call.op.variadic and len(inputs) == 1 and len(names) > 1:
        lines.append(f"the other inputs are right: it is {names[argument]} alone")
    return Finding(kind, "\n  ".join(lines))


def said_of_each(call: RecordedCall, names: Sequence[str], findings: dict[int, Finding]) -> str:
    """What is said of all inputs of a variadic op, where it is the same; else nothing."""
    if not call.op.variadic or len(findings) < 2:
        return ""
    each = f"{call.op.variadic}[i]"
    texts = {finding.text.replace(names[number], each) for number, finding in findings.items()}
    return f"for each of {call.op.variadic}: {texts.pop()}" if len(texts) == 1 else ""


def find_through(
    call: RecordedCall, argument: int, wrong: list[tuple[int, int]], first: int, tolerance: Tolerance
) -> Finding:
    """What is wrong with the gradient of an input through each output; what is the same is said once."""
    count = len(call.function().codomain.shapes)
    through = [output for number, output in wrong if number == argument] or [first]
    through = sorted(through, key=lambda output: output != first)[:MOST]
    findings = [find_mistake(call, argument, output, tolerance) for output in through]
    if count == 1:
        return findings[0]
    by_text = grouped((finding.text, output) for finding, output in zip(findings, through))
    if len(by_text) == 1 and len(through) == count:
        each = "through each output: " if " elements" in findings[0].text else ""  # for these are others
        return Finding(findings[0].kind, each + findings[0].text)
    alone = " alone" if len(through) == 1 else ""
    lines = [f"through {show_outputs(outputs)}{alone}: {text}" for text, outputs in by_text.items()]
    lost = [output for finding, output in zip(findings, through) if finding.kind == "zero"]
    ignored = f"; the gradient of {show_outputs(lost)} is ignored" if lost else ""
    return Finding(findings[0].kind, "; ".join(lines) + ignored)


def show_outputs(outputs: list[int]) -> str:
    """`y[0], y[1]`."""
    return ", ".join(f"y[{output}]" for output in outputs)


def wrong_pairs(call: RecordedCall, tolerance: Tolerance) -> list[tuple[int, int]]:
    """(input, output) where the Jacobian of the output for the input is wrong beyond doubt."""
    function, step = call.function(), tolerance.eps
    if function.values.size * function.point.size > LARGEST:
        return []
    given = jacobian(function)
    right, again = function.differences(step), function.differences(step / 10)
    wrong = ~tolerance.allows(given, right, function.values, step)
    wrong &= tolerance.allows(again, right, function.values, step / 10)
    return [
        (argument, output)
        for argument in range(len(function.domain.shapes))
        for output in range(len(function.codomain.shapes))
        if np.any(wrong[function.codomain.places(output), function.domain.places(argument)])
    ]
