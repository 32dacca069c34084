"""What is checked of each op, on the samples of its cases.

The suite and `python -m tinygrad_conv check` share it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np

from ...dtypes import FLOATS, Array
from ...engine.location import show_place
from ...engine.op import Op
from ...engine.refusal import rule_for
from ...engine.registry import OPS
from ...engine.tensor import Tensor
from ...members import members_of
from ..behaviour import LAYOUTS, MEMORY, assert_dtypes_kept
from ..cases import Case, Sample
from ..compare import compare
from ..failure import as_fault, error_of
from ..fault import Fault
from ..function import Function, input_names, is_float_array
from ..introspection import rules_of
from ..pullback import gradient_of
from ..tolerance import Tolerance, same

PRECISION: dict[Any, float] = {
    np.dtype(np.float16): 2e-2,
    np.dtype(np.float32): 1e-4,
    np.dtype(np.float64): 1e-12,
}
SCALARS = (2, 0.5, True, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.int64(2), np.array(0.5))


def function_of(op: Op, sample: Sample) -> Function:
    """The op with the sample's params, as a function of those inputs that have a rule."""
    rules = rules_of(op, len(sample.inputs))
    checked = [
        position for position, value in enumerate(sample.inputs) if is_float_array(value) and rules[position]
    ]
    names = input_names(op, len(sample.inputs))
    fn = partial(op, **sample.params)
    return Function(fn, sample.inputs, checked, [names[position] for position in checked])


def compare_gradients(
    case: Case, sample: Sample, seed: int = 0, order: Literal[1, 2] = 2, repair: bool = False
) -> list[str]:
    """Compare the gradients with finite differences, up to an order; returns the kinks that were met.

    repair: look for an edit that makes a wrong rule right.

    Raises GradcheckError where they are wrong, RuleError for an op without any rule, and Fault unless it is
    as linear as its case says.
    """
    op, rng, reached = OPS[case.op], np.random.default_rng(seed), 1
    if not op.differentiable:
        check_constant(op, sample)
        return []
    if not any(op.rules):
        rule_for(op, 0)  # which says so
    function = function_of(op, sample)
    try:
        kinks = compare(function, Tolerance(), rng)
        if op.once or order == 1:
            return kinks
        reached = 2
        gradient = gradient_of(function, rng)
        kinks += compare(gradient, Tolerance(), rng)
    except Exception as error:
        fault = as_fault(error, function, reached)
        if fault is None:
            raise
        note = f"\n  on {case}, {sample}"
        raise error_of(function.fn, function, reached, fault, Tolerance(), note, repair) from fault.__cause__
    if sample.label == "random sizes" and case.linear is not None:
        check_linearity(case, function, gradient, rng)
    return kinks


def check_constant(op: Op, sample: Sample) -> None:
    """Raise Fault where an op without a derivative puts its output on the tape."""
    inputs = [
        Tensor(value, requires_grad=value.dtype in FLOATS) if isinstance(value, np.ndarray) else value
        for value in sample.inputs
    ]
    if any(y.requires_grad for y in members_of(op(*inputs, **sample.params))):
        raise Fault("tape", "declared without a derivative, but its output requires one")


def check_linearity(case: Case, function: Function, gradient: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the second derivative is 0 exactly where the case says so.

    Elsewhere a check at order 2 must see one.
    """
    direction = np.zeros_like(gradient.point)
    direction[: function.point.size] = rng.standard_normal(function.point.size)
    curvature = float(np.max(np.abs(gradient.slope(direction, 1e-6)), initial=0.0))
    if case.linear and curvature > 1e-5:
        text = f"{case}: declared linear, but its second derivative reaches {curvature:.3g}"
        raise Fault("linearity", text)
    if not case.linear and curvature < 1e-3:
        text = f"{case}: its second derivative is 0, so order 2 shows nothing"
        raise Fault("linearity", f"{text}; other inputs, or linear=True")


def check_dtypes(case: Case, sample: Sample) -> None:
    """Raise Fault unless float16, float32 and float64 come out as they went in, and mean the same numbers."""
    op = OPS[case.op]
    exact = results(op, sample, np.dtype(np.float64))
    for dtype, precision in PRECISION.items():
        for name, value in results(op, sample, dtype).items():
            if not (case.casts and name.startswith("y")):
                check_same_dtype(op, name, value, exact[name], dtype)
            check_near(op, name, value, exact[name], precision)
    if not case.casts and op.differentiable:
        leaves = [Tensor(x, requires_grad=True) if is_float_array(x) else x for x in sample.inputs]
        assert_dtypes_kept(partial(op, **sample.params), leaves)


def check_same_dtype(op: Op, name: str, value: Array, exact: Array, dtype: np.dtype[Any]) -> None:
    """Raise Fault where a result is of floats, and of others than the inputs."""
    if exact.dtype in FLOATS and value.dtype != dtype:
        text = f"{name} of {op.name} is {value.dtype} where the inputs are {dtype}"
        raise Fault("wrong dtype", text + show_blame(op, name))


def check_near(op: Op, name: str, value: Array, exact: Array, precision: float) -> None:
    """Raise Fault unless two results are the same numbers, to a precision."""
    wide, finite = exact.astype(np.float64), np.isfinite(exact)
    with np.errstate(all="ignore"):
        difference = np.abs(value.astype(np.float64) - wide)
        scale = 1 + np.max(np.abs(wide), initial=0.0, where=finite)
    largest = np.max(difference, initial=0.0, where=finite)
    if value.shape != exact.shape or largest > precision * scale:
        text = f"{name} of {op.name} in {value.dtype} differs from float64 by {np.nanmax(difference):.3g}"
        raise Fault("dtype", text + show_blame(op, name))


def check_layouts(case: Case, sample: Sample) -> None:
    """Raise Fault unless the op gives the same on inputs, and for a dy, that are not contiguous."""
    op, dtype = OPS[case.op], np.dtype(np.float64)
    plain = results(op, sample, dtype)
    for arrange in LAYOUTS:
        for name, value in results(op, sample, dtype, arrange).items():
            if not same(value, plain[name]) or value.shape != plain[name].shape:
                where = f"where the inputs and dy are {arrange.__name__} in memory: {MEMORY}"
                raise Fault("layout", f"{name} of {op.name} differs {where}{show_blame(op, name)}")


def results(
    op: Op, sample: Sample, dtype: np.dtype[Any], arrange: Callable[[Array], Array] = np.asarray
) -> dict[str, Array]:
    """The outputs, and the gradients of the inputs: inputs and dy in a dtype, and laid out by `arrange`."""
    inputs = [arrange(x.astype(dtype)) if is_float_array(x) else x for x in sample.inputs]
    leaves = [
        Tensor(x, requires_grad=is_float_array(x) and rule is not None) if isinstance(x, np.ndarray) else x
        for x, rule in zip(inputs, rules_of(op, len(inputs)))
    ]
    outputs = members_of(op(*leaves, **sample.params))
    rng = np.random.default_rng(0)
    for y in outputs:
        if y.requires_grad:
            eighths = rng.integers(-16, 17, y.shape) / 8  # which every dtype holds exactly
            y.backward(arrange(eighths.astype(y.dtype)), retain_graph=True)
    names = [f"y[{number}]" for number in range(len(outputs))] if len(outputs) > 1 else ["y"]
    arrays = {name: y.data for name, y in zip(names, outputs)}
    for name, leaf in zip(input_names(op, len(inputs)), leaves):
        if isinstance(leaf, Tensor) and leaf.grad is not None:
            arrays[f"d{name}"] = leaf.grad
    return arrays


def show_blame(op: Op, name: str) -> str:
    """A line for what makes a result of this name: the rule for an input, or the forward."""
    inputs = [op.inputs[0]] if op.variadic else op.inputs
    rules = {f"d{argument}": rule for argument, rule in zip(inputs, op.rules)}
    rule = op.rules[0] if op.variadic and name.startswith("d") else rules.get(name)
    return f"\n  {rule or f'forward {op.name} ({show_place(op.forward)})'}"


def check_scalars(op: Op) -> None:
    """Raise Fault unless a broadcasting op's array keeps its dtype beside any scalar, on either side."""
    if not op.broadcasting or not op.differentiable or len(op.inputs) != 2:
        return
    params = {name: np.array([True, False]) for name in op.params if name not in op.defaults}
    for dtype, scalar in product(PRECISION, SCALARS):
        check_beside_scalar(partial(op, **params), dtype, scalar)
        check_beside_scalar(lambda x, scalar: op(scalar, x, **params), dtype, scalar)


def check_beside_scalar(fn: Callable[[Tensor, Any], Tensor], dtype: np.dtype[Any], scalar: Any) -> None:
    """Raise Fault unless a function of an array and a scalar, and its gradient, have the array's dtype."""
    x = Tensor(np.array([0.5, 1.5], dtype), requires_grad=True)
    y = fn(x, scalar)
    y.backward(np.ones(2, dtype))
    if y.dtype != dtype or x.grad is None or x.grad.dtype != dtype:
        raise Fault("wrong dtype", f"{dtype} beside the scalar {scalar!r} becomes {y.dtype}")
