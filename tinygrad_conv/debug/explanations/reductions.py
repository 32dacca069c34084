"""Reductions: one dy for all the numbers that it is made of, times the part that each has in it."""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ...ops.arguments.dims import reduced_dims
from ..step import Step
from .pieces import Factor, StepExplanation, Sum, Term
from .registry import explains_ops, first_gradient, slopes_of, subject_of

PARTS = {
    "sum": ("1", "every number is in the sum with all of itself, so each gets dy"),
    "mean": ("1 / n", "every number is in the mean with an n-th of itself"),
    "var": ("2 (x - mean) / (n - correction)", "a number far from the mean moves the variance most"),
    "std": ("(x - mean) / ((n - correction) y)", "a number far from the mean moves the deviation most"),
    "prod": ("the product of the others", "a number's part is the product of all the others"),
    "logsumexp": ("softmax(x)", "a number's part is how much of the sum it is"),
    "vector_norm": ("x / y, of the 2-norm", "a number's part is its own share of the length"),
    "amax": ("1 at the largest, shared equally", "the largest alone is in the result"),
    "amin": ("1 at the smallest, shared equally", "the smallest alone is in the result"),
    "max": ("1 at the largest", "the largest alone is in the result"),
    "min": ("1 at the smallest", "the smallest alone is in the result"),
}
"""∂y/∂x, and in words."""


@explains_ops(*PARTS)
def reduction(step: Step) -> StepExplanation:
    """dx = dy, spread over what was reduced, times ∂y/∂x."""
    result, dy = step.grad_inputs["x"], first_gradient(step)
    formula, about = PARTS[step.op]
    slope = slopes_of(step, "x")
    constant = bool(slope.size) and bool((slope == slope.flat[0]).all())
    part = np.asarray(slope.flat[0]) if constant else slope
    plain = bool(constant and part == 1)
    spread = Factor("dy", dy, "arrived here; each goes to all that it was made of", dims_of(step, dy, result))
    parts = () if plain else (Factor("∂y/∂x", part, formula),)
    view = Sum(
        "dx",
        "dy, spread over what it was made of" if plain else "dy, spread, times each number's part",
        formula="dx = dy" if plain else f"dx = dy · ∂y/∂x, and ∂y/∂x is {formula}",
        result=result,
        shape=result.shape,
        terms=(Term((spread, *parts)),),
    )
    return StepExplanation(subject_of(step), about, (view,))


def dims_of(step: Step, dy: Array, result: Array) -> tuple[int, ...]:
    """Which dimension of x each of dy's is."""
    if dy.ndim == result.ndim:
        return tuple(range(dy.ndim))
    gone = reduced_dims(step.op, step.params.get("dim"), result.ndim)
    kept = tuple(dim for dim in range(result.ndim) if dim not in gone)
    return kept if len(kept) == dy.ndim else tuple(range(dy.ndim))
