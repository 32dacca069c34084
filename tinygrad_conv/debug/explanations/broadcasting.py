"""Ops of two numbers, elementwise: dy times the other's part, and what was broadcast is summed back."""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ...engine.registry import OPS
from ..step import Step
from .pieces import Basis, Curve, Factor, Figure, StepExplanation, Sum, Term, View, dims_in_words, shape_text
from .pointwise import PLACES, span_of
from .registry import (
    explains_ops,
    first_gradient,
    forward_of,
    slopes_of,
    subject_of,
    surrogate_remark,
    wanted,
)

ROUNDED = ("floor_divide", "trunc_divide")
ABOUTS = {
    "add": "a sum hands dy on to both as it is: a copy each",
    "sub": "a difference hands dy on to the first as it is, to the second with its sign changed",
    "mul": "a product hands on dy times the other factor",
    "div": "a quotient hands on dy / b to a, and to b what a change of the divisor does",
    "maximum": "the larger of two gets dy; where they are alike each gets half",
    "minimum": "the smaller of two gets dy; where they are alike each gets half",
    "copysign": "dy goes to a, its sign turned where a's was; b's sign jumps, so b gets nothing",
    "logaddexp": "each gets its share of the sum: dy · eᵃ / (eᵃ + eᵇ), and dy · eᵇ / (eᵃ + eᵇ)",
    **dict.fromkeys(ROUNDED, "a rounded quotient is constant between its steps: nothing goes back"),
    "where": "dy goes to the one that was taken",
    "clamp_min": "dy goes to whichever was taken, x or the bound",
    "clamp_max": "dy goes to whichever was taken, x or the bound",
}
NAMES = ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "clamp_min", "clamp_max")
PASSES_ON = ("add", "sub", "where", "mul")  # of which a curve would be a straight line


@explains_ops(*NAMES, *ROUNDED, "fmod", "remainder", "copysign", "logaddexp")
def elementwise(step: Step) -> StepExplanation:
    """One view for each input."""
    views: list[View] = [argument_view(step, name) for name in wanted(step, *OPS[step.op].inputs)]
    about = ABOUTS.get(step.op, "each number of the result is made of one number of each input")
    return StepExplanation(subject_of(step), about, tuple(views))


def argument_view(step: Step, argument: str) -> Sum:
    """dy times ∂y/∂argument over the whole shape, summed over what the argument was broadcast along."""
    dy, result = first_gradient(step), step.grad_inputs[argument]
    factor = np.broadcast_to(slopes_of(step, argument), dy.shape)
    dims = dims_back(dy.shape, result.shape)
    summed = tuple(dim for dim, kept in enumerate(dims) if kept == -1 and dy.shape[dim] != 1)
    factors = [Factor("dy", dy, "arrived here")]
    if not bool((factor == 1).all()):
        factors.append(named_factor(step, argument, factor))
    product = " · ".join(each.name for each in factors)
    over = f", summed over {dims_in_words(summed)}" if summed else ""
    text = surrogate_remark(step, argument).strip()
    if summed:
        text = (
            f"{argument} {shape_text(result)} was repeated along {dims_in_words(summed)} to "
            f"{shape_text(dy)}: one number of it was in many results, and their gradients add up. {text}"
        ).strip()
    return Sum(
        f"d{argument}",
        f"{product}{over}",
        text,
        f"d{argument} = {'Σ ' if summed else ''}{product}",
        result=result,
        shape=dy.shape,
        terms=(Term(tuple(factors)),),
        dims=dims if summed or dy.ndim != result.ndim else None,
        curve=None if step.op in PASSES_ON else curve_of(step, argument, factor),
    )


def named_factor(step: Step, argument: str, factor: Array) -> Factor:
    """What dy is multiplied with: the other operand itself, where it is that."""
    for name, value in step.inputs.items():
        if name != argument and isinstance(value, np.ndarray):
            same = np.broadcast_to(value, factor.shape) if fits(value.shape, factor.shape) else None
            if same is not None and np.array_equal(same, factor, equal_nan=factor.dtype.kind == "f"):
                return Factor(name, value)
    constant = factor.size and bool((factor == factor.flat[0]).all())
    return Factor(f"∂y/∂{argument}", np.asarray(factor.flat[0]) if constant else np.array(factor))


def fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of a shape broadcasts to the whole."""
    return len(shape) <= len(whole) and all(size in (1, of) for size, of in zip(shape[::-1], whole[::-1]))


def dims_back(whole: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Which dimension of an input each of the whole's is; -1: the input was repeated along it."""
    extra = len(whole) - len(shape)
    return tuple(
        dim - extra if dim >= extra and shape[dim - extra] == size else -1 for dim, size in enumerate(whole)
    )


def curve_of(step: Step, argument: str, slope: Array) -> Curve | None:
    """y against this input, where the other one is one number: x² for pow(x, 2)."""
    x = step.inputs.get(argument)
    others = [value for name, value in step.inputs.items() if name != argument]
    if x is None or not x.size or x.dtype.kind != "f" or len(others) != 1 or step.output is None:
        return None
    if x.shape != slope.shape or others[0] is None or others[0].size != 1:
        return None
    low, high = span_of(x)
    grid = np.linspace(low, high, PLACES)
    other = others[0].reshape(()).astype(np.float64)
    first = list(step.inputs)[0] == argument
    try:
        values = forward_of(step, [grid, other] if first else [other, grid])
    except Exception:  # a user's forward may want another shape
        return None
    if values.shape != grid.shape:
        return None
    name = f"{step.op}({argument}, {other:g})" if first else f"{step.op}({other:g}, {argument})"
    figures = Figure(argument, x), Figure("y", step.output), Figure(f"∂y/∂{argument}", np.array(slope))
    return Curve(f"y = {name}", argument, *figures, low, high, (Basis(values),))
