"""All that is wrong with a call: which inputs, and through which outputs, not the worst alone."""

from __future__ import annotations

import numpy as np

from ..calls import RecordedCall
from ..fault import Finding
from ..other_inputs import LARGEST
from ..pullback import jacobian
from ..tolerance import Tolerance
from .mistakes import find_mistake

MOST = 4  # inputs that are diagnosed


def find_mistakes(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """What is wrong with the rules for all inputs of a call; the worst, `argument` and `output`, first."""
    worst = find_mistake(call, argument, output, tolerance)
    wrong = wrong_pairs(call, tolerance)
    if worst.kind == "domain" or not wrong:
        return worst
    names = call.function().names
    lines = [worst.text + where(call, argument, wrong)]
    others = list(dict.fromkeys(number for number, _ in wrong if number != argument))
    for number in others[:MOST]:
        through = next(at for other, at in wrong if other == number)
        finding = find_mistake(call, number, through, tolerance)
        if worst.kind == "unknown" and finding.kind not in ("unknown", "domain"):
            worst = Finding(finding.kind, worst.text)
        lines.append(f"{names[number]} is wrong too: {finding.text}{where(call, number, wrong)}")
    if call.op.variadic and not others and len(names) > 1:
        lines.append(f"the other inputs are right: it is {names[argument]} alone")
    return Finding(worst.kind, "\n  ".join(lines))


def where(call: RecordedCall, argument: int, wrong: list[tuple[int, int]]) -> str:
    """Through which outputs an input's gradient is wrong, if not through all."""
    count = len(call.function().codomain.shapes)
    through = [output for number, output in wrong if number == argument]
    if len(through) == count:
        return ""
    outputs = ", ".join(f"y[{output}]" for output in through)
    return f" (wrong through {outputs} alone)"


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
