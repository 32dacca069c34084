"""What is checked of each op, on the samples of its cases. The suite and `python -m tinygrad_conv check`
share it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.location import show_place
from ..engine.op import Op
from ..engine.registry import OPS
from ..engine.tensor import Tensor
from ..errors import RuleError
from .calls import assert_dtypes_kept
from .cases import Case, Sample
from .compare import MEMORY, Tolerance, compare
from .explain import failure
from .fault import Fault
from .function import LAYOUTS, Function, gradient_of, input_names, same

PRECISION: dict[Any, float] = {
    np.dtype(np.float16): 2e-2,
    np.dtype(np.float32): 1e-4,
    np.dtype(np.float64): 1e-12,
}


def function_of(op: Op, sample: Sample) -> Function:
    """The op with the sample's params, as a function of those inputs that have a rule."""
    rules = op.rules * len(sample.inputs) if op.variadic else op.rules
    floats = [
        at for at, one in enumerate(sample.inputs) if isinstance(one, np.ndarray) and one.dtype in FLOATS
    ]
    checked = [at for at in floats if rules[at]]
    names = input_names(op, len(sample.inputs))
    return Function(partial(op, **sample.params), sample.inputs, checked, [names[at] for at in checked])


def check_gradients(case: Case, sample: Sample, seed: int = 0) -> list[str]:
    """Raise GradcheckError unless the gradients are right, at order 2 too, and Fault unless the op is as
    linear as its case says.

    Returns the kinks that were met.
    """
    op, rng, order = OPS[case.op], np.random.default_rng(seed), 1
    if not op.differentiable:
        return check_constant(op, sample)
    function = function_of(op, sample)
    try:
        kinks = compare(function, Tolerance(), rng)
        if op.once:
            return kinks
        order, gradient = 2, gradient_of(function, rng)
        kinks += compare(gradient, Tolerance(), rng)
    except (Fault, RuleError) as fault:
        raise failure(
            function.fn, function, order, fault, Tolerance(), f"\n  on {case}, {sample}"
        ) from fault.__cause__
    if sample.label == "random sizes" and case.linear is not None:
        assert_linearity(case, function, gradient, rng)
    return kinks


def check_constant(op: Op, sample: Sample) -> list[str]:
    """Raise Fault where an op without a derivative puts its output on the tape."""
    inputs = [
        Tensor(one, requires_grad=one.dtype in FLOATS) if isinstance(one, np.ndarray) else one
        for one in sample.inputs
    ]
    outputs = op(*inputs, **sample.params)
    if any(one.requires_grad for one in (outputs if isinstance(outputs, tuple) else (outputs,))):
        raise Fault("tape", "declared without a derivative, but its output requires one")
    return []


def assert_linearity(case: Case, function: Function, gradient: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the second derivative is 0 exactly where the case says so: a check at order 2 must
    see one.
    """
    direction = np.zeros_like(gradient.point)
    direction[: function.point.size] = rng.standard_normal(function.point.size)
    curvature = float(np.max(np.abs(gradient.slope(direction, 1e-6)), initial=0.0))
    if case.linear and curvature > 1e-5:
        raise Fault(
            "linearity", f"{case}: declared linear, but its second derivative reaches {curvature:.3g}"
        )
    if not case.linear and curvature < 1e-3:
        raise Fault(
            "linearity",
            f"{case}: its second derivative is 0, so order 2 shows nothing; other inputs, or linear=True",
        )


def check_dtypes(case: Case, sample: Sample) -> None:
    """Raise Fault unless float16, float32 and float64 come out as they went in, and mean the same numbers."""
    op = OPS[case.op]
    wide = run(op, sample, np.dtype(np.float64))
    for dtype, precision in PRECISION.items():
        for name, value, exact in zip(wide, run(op, sample, dtype).values(), wide.values()):
            if exact.dtype in FLOATS and value.dtype != dtype and not (case.casts and name.startswith("y")):
                raise Fault(
                    "wrong dtype",
                    f"{name} of {op.name} is {value.dtype} where the inputs are {dtype}{blamed(op, name)}",
                )
            assert_near(op, name, value, exact, precision)
    if not case.casts and op.differentiable:
        leaves = [Tensor(one, requires_grad=True) if is_float(one) else one for one in sample.inputs]
        assert_dtypes_kept(partial(op, **sample.params), leaves)


def assert_near(op: Op, name: str, value: Array, exact: Array, precision: float) -> None:
    """Raise Fault unless two results are the same numbers, to a precision."""
    with np.errstate(all="ignore"):
        difference = np.abs(value.astype(np.float64) - exact.astype(np.float64))
        scale = 1 + np.max(np.abs(exact.astype(np.float64)), initial=0.0, where=np.isfinite(exact))
    if (
        value.shape != exact.shape
        or np.max(difference, initial=0.0, where=np.isfinite(exact)) > precision * scale
    ):
        text = f"{name} of {op.name} in {value.dtype} differs from float64 by {np.nanmax(difference):.3g}"
        raise Fault("dtype", text + blamed(op, name))


def run(
    op: Op, sample: Sample, dtype: np.dtype[Any], arrange: Callable[[Array], Array] = np.asarray
) -> dict[str, Array]:
    """The outputs, and the gradients of the inputs: inputs and dy in a dtype, and laid out by `arrange`."""
    inputs = [arrange(one.astype(dtype)) if is_float(one) else one for one in sample.inputs]
    rules = op.rules * len(inputs) if op.variadic else op.rules
    leaves = [
        Tensor(one, requires_grad=is_float(one) and rules[at] is not None)
        if isinstance(one, np.ndarray)
        else one
        for at, one in enumerate(inputs)
    ]
    y = op(*leaves, **sample.params)
    outputs, rng = y if isinstance(y, tuple) else (y,), np.random.default_rng(0)
    for one in outputs:
        if one.requires_grad:
            eighths = rng.integers(-16, 17, one.shape) / 8  # which every dtype holds exactly
            one.backward(arrange(eighths.astype(one.dtype)), retain_graph=True)
    found = {f"y[{at}]" if len(outputs) > 1 else "y": one.data for at, one in enumerate(outputs)}
    names = input_names(op, len(inputs))
    grads = {
        f"d{name}": one.grad
        for name, one in zip(names, leaves)
        if isinstance(one, Tensor) and one.grad is not None
    }
    return {**found, **grads}


def check_layouts(case: Case, sample: Sample) -> None:
    """Raise Fault unless the op gives the same on inputs, and for a dy, that are not contiguous."""
    op, dtype = OPS[case.op], np.dtype(np.float64)
    plain = run(op, sample, dtype)
    for arrange in LAYOUTS:
        for name, value in run(op, sample, dtype, arrange).items():
            if not same(value, plain[name]) or value.shape != plain[name].shape:
                where = f"where the inputs and dy are {arrange.__name__} in memory: {MEMORY}"
                raise Fault("layout", f"{name} of {op.name} differs {where}{blamed(op, name)}")


def blamed(op: Op, name: str) -> str:
    """What makes a result of this name: the rule for an input, or the forward."""
    inputs = [op.inputs[0]] if op.variadic else op.inputs
    rules = {f"d{one}": rule for one, rule in zip(inputs, op.rules)}
    rule = op.rules[0] if op.variadic and name.startswith("d") else rules.get(name)
    return f"\n  {rule or f'forward {op.name} ({show_place(op.forward)})'}"


def is_float(value: Any) -> bool:
    """Whether an input is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype in FLOATS


def check_scalars(op: Op) -> None:
    """Raise Fault unless a broadcasting op's array keeps its dtype beside any scalar, on either side."""
    if not op.broadcasting or not op.differentiable or len(op.inputs) != 2:
        return
    required = {name: np.array([True, False]) for name in op.params if name not in op.defaults}
    for dtype in PRECISION:
        for scalar in (
            2,
            0.5,
            True,
            np.float64(0.5),
            np.float32(0.5),
            np.float16(0.5),
            np.int64(2),
            np.array(0.5),
        ):
            for swapped in (False, True):
                x = Tensor(np.array([0.5, 1.5], dtype), requires_grad=True)
                y = op(scalar, x, **required) if swapped else op(x, scalar, **required)
                y.backward(np.ones(2, dtype))
                if y.dtype != dtype or x.grad is None or x.grad.dtype != dtype:
                    raise Fault("wrong dtype", f"{dtype} beside the scalar {scalar!r} becomes {y.dtype}")
