"""Functions of one number: the curve with this number on it, its slope, and dx = dy · slope."""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array
from ...engine.registry import OPS
from ..step import Step
from .pieces import Basis, Curve, Factor, Figure, StepExplanation, Sum, Term
from .registry import (
    explains_ops,
    first_gradient,
    forward_of,
    from_rule,
    slopes_of,
    subject_of,
    surrogate_remark,
)

PLACES = 241  # at which a curve is sampled

FUNCTIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "hardswish", "hardtanh", "softplus"),
    *("sigmoid", "logsigmoid", "tanh", "normal_cdf", "erf", "exp", "exp2", "expm1", "log", "log2", "log10"),
    *("log1p", "sqrt", "abs", "sign", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "neg"),
    *("softsign", "asinh", "acosh", "erfc", "atanh", "floor", "ceil", "round", "trunc"),
)


@explains_ops(*FUNCTIONS)
def function_of_one_number(step: Step) -> StepExplanation:
    """dx = dy · f′(x)."""
    return StepExplanation(subject_of(step), about_of(step), (pointwise_view(step, "x"),))


def about_of(step: Step) -> str:
    """What such an op does to a gradient."""
    return f"each number goes through {step.op} by itself, so dy is multiplied by the slope at that number"


def pointwise_view(step: Step, argument: str) -> Sum:
    """The view of the gradient of the one input."""
    dy, slope, result = first_gradient(step), slopes_of(step, argument), step.grad_inputs[argument]
    gates = bool(slope.size) and bool(np.isin(slope, (0, 1)).all())
    label = "the mask: 1 lets dy through, 0 stops it" if gates else "the slope at each number"
    factors = Factor("dy", dy, "arrived here"), Factor(f"f′({argument})", slope, label)
    return Sum(
        f"d{argument}",
        "dy times the slope",
        text=surrogate_remark(step, argument).strip(),
        formula=f"d{argument}[i] = dy[i] · f′({argument}[i]), f being {step.op}",
        result=result,
        shape=result.shape,
        terms=(Term(factors),),
        curve=curve_of(step, argument, slope),
    )


def curve_of(step: Step, argument: str, slope: Array) -> Curve | None:
    """The op's curve; None where x is not known, or the function cannot be asked for other numbers."""
    x = step.inputs.get(argument)
    if x is None or not x.size or x.dtype.kind != "f" or step.output is None:
        return None
    low, high = span_of(x)
    grid = np.linspace(low, high, PLACES)
    sampled = sampled_by(step, grid)
    if sampled is None:
        return None
    return Curve(
        function=f"y = {step.op}({argument})",
        axis=argument,
        at=Figure(argument, x),
        height=Figure("y", step.output),
        slope=Figure(f"f′({argument})", slope),
        low=low,
        high=high,
        bases=(sampled,),
    )


def span_of(x: Array) -> tuple[float, float]:
    """From where to where a curve is drawn: a power of two to both sides, so that curves can be shared."""
    finite = x[np.isfinite(x)] if x.dtype.kind == "f" else x
    reach = float(np.abs(finite).max()) if finite.size else 1.0
    bound = 2.0 ** min(1000, max(-40, math.ceil(math.log2(reach)))) if reach > 0 else 1.0
    return -bound, bound


def sampled_by(step: Step, grid: Array) -> Basis | None:
    """The op's values on other numbers."""
    try:
        height = forward_of(step, [grid])
    except Exception:  # a user's forward may want another shape
        return None
    return Basis(height) if height.shape == grid.shape and height.dtype.kind == "f" else None


def is_pointwise(step: Step) -> bool:
    """Whether an op that nobody describes takes each number by itself: by asking its forward and rule."""
    op = OPS.get(step.op)
    if op is None or len(op.inputs) != 1 or op.variadic or step.several:
        return False
    (name,) = op.inputs
    x, dy, dx = step.inputs.get(name), first_gradient(step), step.grad_inputs.get(name)
    if x is None or dx is None or not x.size or x.ndim == 0 or not x.shape == dy.shape == dx.shape:
        return False
    try:
        slope = slopes_of(step, name)
        probe = (1 + np.asarray(np.random.default_rng(0).random(dy.shape))).astype(dy.dtype)
        answer = from_rule(step, name, probe)
        turned = tuple(slice(None, None, -1) for _ in x.shape)
        again = forward_of(step, [x[turned]])[turned]
    except Exception:  # its own affair: then it has no curve
        return False
    eps = float(np.finfo(dy.dtype).eps)
    if slope.shape != dy.shape or answer.shape != dy.shape:
        return False
    with np.errstate(all="ignore"):
        product = probe * slope
    same = again.shape == dy.shape and np.allclose(again, step.output, 8 * eps, 0, equal_nan=True)
    return bool(same and np.allclose(answer, product, 8 * eps, 0, equal_nan=True))


@explains_ops("dropout", "masked")
def mask(step: Step) -> StepExplanation:
    """dx = dy · mask."""
    dy, slope, result = first_gradient(step), slopes_of(step, "x"), step.grad_inputs["x"]
    factors = Factor("dy", dy, "arrived here"), Factor("mask", slope, "what the forward multiplied with")
    view = Sum(
        "dx",
        "dy through the same mask",
        formula="dx[i] = dy[i] · mask[i]",
        result=result,
        shape=result.shape,
        terms=(Term(factors),),
    )
    about = "what the forward dropped gets no gradient; the rest is scaled as it was"
    return StepExplanation(subject_of(step), about, (view,))


@explains_ops("prelu")
def prelu(step: Step) -> StepExplanation:
    """dx = dy · (1 or w); dw = Σ dy · min(x, 0)."""
    x, w = step.read["x"], step.inputs.get("w")
    dy, views = first_gradient(step), []
    per_channel: tuple[int, ...] = ((1,) if x.ndim > 1 else (0,)) if x.ndim else ()
    if "x" in step.grad_inputs and w is not None:
        slope = slopes_of(step, "x")
        factors = Factor("dy", dy), Factor("f′(x)", slope, "1 where x > 0, else w of its channel")
        views.append(
            Sum(
                "dx",
                "dy times the slope",
                formula="dx[i] = dy[i] · (1 where x[i] > 0, else w)",
                result=step.grad_inputs["x"],
                shape=x.shape,
                terms=(Term(factors),),
                curve=prelu_curve(step, x, w, slope, per_channel),
            )
        )
    if "w" in step.grad_inputs:
        shared = step.grad_inputs["w"].size == 1
        below = Factor("min(x, 0)", np.minimum(x, 0), "what w multiplied")
        dims = tuple(0 if dim in per_channel and not shared else -1 for dim in range(x.ndim))
        views.append(
            Sum(
                "dw",
                "what w multiplied, times dy, summed over all that share it",
                formula="dw = Σ dy · min(x, 0)",
                result=step.grad_inputs["w"],
                shape=x.shape,
                terms=(Term((Factor("dy", dy), below)),),
                dims=dims,
            )
        )
    return StepExplanation(subject_of(step), about_of(step), tuple(views))


def prelu_curve(step: Step, x: Array, w: Array, slope: Array, dims: tuple[int, ...]) -> Curve | None:
    """Two straight lines: w is the slope of the left one."""
    if step.output is None or not x.size:
        return None
    low, high = span_of(x)
    grid = np.linspace(low, high, PLACES)
    right = Basis(np.maximum(grid, 0))
    weight = Factor("w", w, dims=dims if w.size > 1 else None)
    left = Basis(np.minimum(grid, 0), weight)
    heights = Figure("x", x), Figure("y", step.output), Figure("f′(x)", slope)
    return Curve("y = prelu(x)", "x", *heights, low, high, (right, left))
