"""What follows from checks on inputs that nobody declared: right, surely wrong, or neither.

A rule that is wrong by numbers at all inputs that the forward takes is wrong. One that is right at some and
not at others may be a wrong one, or a right one that was given shapes it is not made for: which of them, only
its author knows. The same is true of one that does not take the shapes at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...engine.op import Op
from ...engine.tensor import Tensor
from ...errors import RuleError
from ..calls import RecordedCall
from ..cases import Sample
from ..compare import compare, compare_numbers
from ..fault import Fault
from ..function import Function, input_names, is_float_array
from ..introspection import rules_of
from ..other_inputs import other_sizes, with_other_params
from ..pullback import gradient_of
from ..tolerance import Tolerance
from .edges import edge_samples, with_equal_numbers
from .guess import refusal, show_inputs
from .op_check import check_constant, function_of

SURE = (NameError, AttributeError, ImportError)  # errors of a rule that no shape is to blame for
MOST_EXTENDED = 2  # samples that are tried at other sizes and params too
TOGETHER = "all inputs together"
EDGES = ("zeros", "numbers in the thousands", "an axis of size 1")
AT_TIES = "where numbers among them are equal: together they get another gradient than for moving together"

Faults = dict[str, Exception]  # by the input whose gradient is wrong; none where all is right


class Judgement(NamedTuple):
    """Of a guess's samples those that are right; one that is surely wrong; and why nothing can be said."""

    right: list[Sample]
    wrong: Sample | None = None
    unsure: str = ""


def judge(op: Op, samples: list[Sample], order: int, declared: bool) -> Judgement:
    """What follows from samples; where they are declared, each that is wrong counts."""
    faults = [faults_of(op, sample, order) for sample in samples]
    right = [sample for sample, its_faults in zip(samples, faults) if not its_faults]
    wrong = [sample for sample, its_faults in zip(samples, faults) if its_faults]
    if wrong and (declared or surely_wrong(faults)):
        return Judgement(right, wrong[0])
    if wrong and right:
        return Judgement(right, None, mixed(op, right[0], wrong[0]))
    if wrong:
        return Judgement(right, None, right_for_none(op, wrong[0], faults[0]))
    for sample in right[:MOST_EXTENDED]:
        for further in further_samples(op, sample, declared):
            if not any(map(is_about_numbers, faults_of(op, further, order).values())):
                continue
            if differ_in_floats(op, sample, further):
                return Judgement(right, further)
            return Judgement(right, None, mixed(op, sample, further))
        if is_wrong_at_ties(op, sample):
            return Judgement(right, None, f"it is right for {show_inputs(op, sample)} and not {AT_TIES}")
    return Judgement(right)


def mixed(op: Op, right: Sample, wrong: Sample) -> str:
    """Why it cannot be said whether an op is right."""
    how = f" of {wrong.label}" if wrong.label == "larger numbers" else ""
    how = f" with {wrong.label}" if wrong.label.startswith(EDGES) else how
    return f"it is right for {show_inputs(op, right)} and not for {show_inputs(op, wrong)}{how}"


def right_for_none(op: Op, wrong: Sample, faults: Faults) -> str:
    """Why it cannot be said whether an op is right, where it is right for nothing that was guessed."""
    name, fault = next(iter(faults.items()))
    text = str(fault).partition("\n")[0]
    if not isinstance(fault, (Fault, RuleError)):
        whose = "a rule" if name == TOGETHER else f"the rule of {name}"
        text = f"{whose} raises {type(fault).__name__}: {text}"
    return f"it is right for none of the inputs that were guessed (for {show_inputs(op, wrong)}: {text})"


def differ_in_floats(op: Op, sample: Sample, further: Sample) -> bool:
    """Whether samples differ in params of floats alone: these change numbers, and no shape is to blame."""
    before = {**op.defaults, **sample.params}
    changed = [name for name, value in further.params.items() if value != before[name]]
    return further.label == "other params" and all(type(before[name]) is float for name in changed)


def surely_wrong(faults: list[Faults]) -> bool:
    """Whether the gradient of one input, the same in all samples, is wrong for no reason of shapes."""
    sure = [{name for name, fault in each.items() if is_sure(fault)} for each in faults]
    return bool(set.intersection(*sure))


def is_sure(fault: Exception) -> bool:
    """Whether a fault is none of shapes alone."""
    return isinstance(fault, (Fault, *SURE))


def is_about_numbers(fault: Exception) -> bool:
    """Whether a gradient came out, in the right shape, with wrong numbers."""
    return isinstance(fault, Fault) and fault.kind == "wrong"


def faults_of(op: Op, sample: Sample, order: int) -> Faults:
    """What is wrong with the gradients at a sample."""
    if not op.differentiable:
        fault = fault_in(lambda: check_constant(op, sample))
        return {TOGETHER: fault} if fault else {}
    fault = fault_in(partial(compare_up_to, op, sample, 1 if op.once else order))
    if fault is None:
        return {}
    alone = {
        name: fault_in(partial(compare_alone, op, sample, at)) for at, name in checked_inputs(op, sample)
    }
    return {name: its_fault for name, its_fault in alone.items() if its_fault} or {TOGETHER: fault}


def fault_in(check: Callable[[], Any]) -> Exception | None:
    """What a check raises, if anything."""
    try:
        with np.errstate(all="ignore"):
            check()
    except (Fault, RuleError) as fault:
        return fault
    except Exception as error:  # whatever a rule does wrong
        return error
    return None


def compare_up_to(op: Op, sample: Sample, order: int) -> None:
    """Raise Fault where the gradients, up to an order, are not the differences."""
    function, rng = function_of(op, sample), np.random.default_rng(0)
    compare(function, Tolerance(), rng)
    if order == 2:
        compare(gradient_of(function, rng), Tolerance(), rng)


def checked_inputs(op: Op, sample: Sample) -> Iterator[tuple[int, str]]:
    """The inputs whose gradients are checked: their numbers among these, and their names."""
    names, rules = input_names(op, len(sample.inputs)), rules_of(op, len(sample.inputs))
    checked = [
        name for name, rule, value in zip(names, rules, sample.inputs) if rule and is_float_array(value)
    ]
    return iter(enumerate(checked))


def compare_alone(op: Op, sample: Sample, number: int) -> None:
    """Raise Fault where the gradient of one input is not the differences."""
    whole = function_of(op, sample)
    function = Function(whole.fn, whole.inputs, [whole.checked[number]], [whole.names[number]])
    compare(function, Tolerance(), np.random.default_rng(0))


def further_samples(op: Op, sample: Sample, declared: bool) -> Iterator[Sample]:
    """The same call with other sizes, and with other params, that tell equal ones apart; and with numbers
    beyond ±1, where functions often have another branch, and at other edges.

    Other sizes than a docstring's are none that the op is made for, nor other numbers than an example's.
    """
    call = call_of(op, sample)
    arrays = other_sizes(call) if not declared or sample.label == "example" else None
    if arrays is not None:
        yield Sample("other sizes", arrays, sample.params)
    larger = sample._replace(label="larger numbers", inputs=tuple(map(enlarged, sample.inputs)))
    if sample.label != "example" and not refusal(op, larger):
        yield larger
    yield from edge_samples(op, sample, call)
    changed = with_other_params(call)
    if changed is not None:
        yield Sample("other params", sample.inputs, changed_params(call, changed))


def is_wrong_at_ties(op: Op, sample: Sample) -> bool:
    """Whether the gradient is wrong where inputs hold equal numbers, which move together."""
    tied = with_equal_numbers(op, sample, function_of(op, sample)) if op.differentiable else None
    if tied is None:
        return False
    fault = fault_in(lambda: compare_numbers(tied, Tolerance(), np.random.default_rng(0)))
    return fault is not None and is_about_numbers(fault)


def enlarged(value: Any) -> Any:
    """An array of floats eight times as large."""
    return value * 8 if is_float_array(value) else value


def changed_params(call: RecordedCall, changed: RecordedCall) -> dict[str, Any]:
    """The params of a changed call: those that were given, and those that are others than before."""
    before = call.every_param
    return {
        name: value
        for name, value in changed.params.items()
        if name in call.params or value is not before[name]
    }


def call_of(op: Op, sample: Sample) -> RecordedCall:
    """A sample as a call of the op."""
    rules = rules_of(op, len(sample.inputs))
    inputs = tuple(
        Tensor(value, requires_grad=True) if is_float_array(value) and rules[at] else value
        for at, value in enumerate(sample.inputs)
    )
    return RecordedCall(op, inputs, sample.params, ())
