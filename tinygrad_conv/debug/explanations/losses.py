"""Losses of single numbers: the curve with the number on it, and how the reduction shares dy out.

dx[i] = share · l′(x[i]), l being the loss of one number, and share what arrives of dy at each: dy itself, or
dy / N of a mean.
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array
from ...engine.registry import OPS
from ..step import Step
from .pieces import Basis, Curve, Factor, Figure, StepExplanation, Sum, Term
from .pointwise import PLACES, span_of
from .registry import explains_ops, first_gradient, subject_of, wanted, wide

BY_DIFFERENCE = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
OF_PROBABILITIES = ("binary_cross_entropy", "binary_cross_entropy_with_logits")

SLOPES = {
    "mse_loss": "2 (x - t)",
    "l1_loss": "sign(x - t)",
    "huber_loss": "x - t, no further from 0 than δ",
    "smooth_l1_loss": "(x - t) / β, no further from 0 than 1",
    "binary_cross_entropy": "w (x - t) / (x (1 - x))",
    "binary_cross_entropy_with_logits": "w (σ(x) - t)",
}
"""∂l/∂x of one number."""


@explains_ops(*BY_DIFFERENCE, *OF_PROBABILITIES)
def loss(step: Step) -> StepExplanation:
    """dx = share · slope, and likewise for the target."""
    x, target = step.inputs.get("x"), step.inputs.get("target")
    views = []
    for argument in wanted(step, "x", "target"):
        slope = slope_of_each(step, argument)
        views.append(gradient_view(step, argument, slope, x, target))
    reduction = {"mean": "averaged", "sum": "summed", "none": "left as they are"}[step.params["reduction"]]
    about = f"each number has a loss of its own, and these are {reduction}"
    return StepExplanation(subject_of(step), about, tuple(views))


def gradient_view(step: Step, argument: str, slope: Array, x: Array | None, target: Array | None) -> Sum:
    """The gradient of the prediction, or of the target."""
    result = step.grad_inputs[argument]
    letter = "x" if argument == "x" else "t"
    of = f"d{argument}"
    share = Factor("share", *share_of(step, result.size))
    factors = share, Factor(f"∂l/∂{letter}", slope, "the slope of the loss at each number")
    slope_text = f", where ∂l/∂x = {slope_formula(step)}" if argument == "x" else ""
    figures: tuple[Figure, ...] = ()
    if x is not None and target is not None and step.op in BY_DIFFERENCE:
        figures = (Figure("x - t", wide(x) - wide(target), "the prediction less the target"),)
    return Sum(
        of,
        "the share of each, times the slope of the loss",
        formula=f"{of}[i] = share · ∂l/∂{letter}[i]{slope_text}",
        figures=figures,
        result=result,
        shape=result.shape,
        terms=(Term(factors),),
        curve=curve_of(step, slope, x, target) if argument == "x" else None,
    )


def slope_formula(step: Step) -> str:
    """∂l/∂x of one number, with the weights that there are."""
    if step.params.get("pos_weight") is not None:
        return "w ((1 - t + p t) σ(x) - p t), p being pos_weight"
    formula = SLOPES[step.op]
    return formula if step.params.get("weight") is not None else formula.removeprefix("w ")


def share_of(step: Step, count: int) -> tuple[Array, str]:
    """What of dy arrives at each number's loss, and in words."""
    dy = first_gradient(step)
    if step.params["reduction"] != "mean":
        return dy, "dy, which arrived here"
    return wide(dy) / max(count, 1), f"dy / {count:,}: a mean shares it out"


def slope_of_each(step: Step, argument: str) -> Array:
    """The slope of each number's own loss: the rule with reduction 'none' and dy = 1."""
    op, params = OPS[step.op], {**step.params, "reduction": "none"}
    rule = op.rules[op.inputs.index(argument)]
    values, named = rule.arguments(step.read, params)
    shape, dtype = step.grad_inputs[argument].shape, step.grad_inputs[argument].dtype
    with np.errstate(all="ignore"):
        return np.asarray(rule.function(np.ones(shape, dtype), *values, **named))


def loss_of(step: Step, x: Array, target: Array, **params: object) -> Array:
    """The losses of single numbers."""
    with np.errstate(all="ignore"):
        y = OPS[step.op].forward(x, target, **{**step.params, **params, "reduction": "none"})
    return np.asarray(y)


def curve_of(step: Step, slope: Array, x: Array | None, target: Array | None) -> Curve | None:
    """The loss of one number against its distance from the target, or against itself."""
    if x is None or target is None or not x.size:
        return None
    figures = Figure("l", loss_of(step, x, target), "each number's loss"), Figure("∂l/∂x", slope)
    if step.op in BY_DIFFERENCE:
        distance = wide(x) - wide(target)
        low, high = span_of(distance)
        places = np.linspace(low, high, PLACES)
        values = loss_of(step, places, np.zeros(PLACES))
        basis = Basis(values)
        return Curve("l(x - t)", "x - t", Figure("x - t", distance), *figures, low, high, (basis,))
    low, high = (0.0, 1.0) if step.op == "binary_cross_entropy" else span_of(x)
    return Curve("l(x)", "x", Figure("x", x), *figures, low, high, two_losses(step, x, target, low, high))


def two_losses(step: Step, x: Array, target: Array, low: float, high: float) -> tuple[Basis, ...]:
    """What it costs where the target is 1, and where it is 0: a target between them mixes both."""
    places = np.linspace(low, high, PLACES)
    weight = np.asarray(1.0 if step.params["weight"] is None else step.params["weight"], np.float64)
    positive = step.params.get("pos_weight")
    share = wide(target) * (1.0 if positive is None else wide(positive))
    plain = {"weight": None, **({"pos_weight": None} if "pos_weight" in step.params else {})}
    bases = []
    for wanted_class, coefficient in ((1.0, share * weight), (0.0, (1 - wide(target)) * weight)):
        values = loss_of(step, places, np.full(PLACES, wanted_class), **plain)
        whole = np.array(np.broadcast_to(coefficient, x.shape))
        bases.append(Basis(values, Factor("t" if wanted_class else "1 - t", whole)))
    return tuple(bases)
