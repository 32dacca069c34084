"""How the gradients of a step come about, for each kind of op: plain named arrays, and what they add up to.

pieces.py       what an explanation is made of: figures, sums of products, matrix products, windows, curves
registry.py     who explains which op
pointwise.py    functions of one number: the curve, its slope, the mask
losses.py       losses of single numbers: the curve, and each one's share of dy
softmaxes.py    softmax and cross-entropy: p, one-hot, p - onehot
norms.py        mean, variance, x̂, and the three terms of dx
linear.py       row × column, outer products
pooling.py      who won each window, and how overlapping windows add
broadcasting.py ops of two numbers; what was broadcast is summed back
reductions.py   one dy for all that it was made of
plain.py        ops that move numbers: a sentence
meetings.py     where the gradients of several readers meet
own.py          what a user's op says of itself: `@op.explain`

Every piece that claims to make a gradient is held against the recorded one; where they differ it is left out,
and a remark says so. The page draws these pieces, `print` writes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...engine.registry import OPS
from ..recorded import Recorded, User
from ..step import Step
from . import broadcasting, linear, losses, norms, plain, pointwise, pooling, reductions, softmaxes  # noqa: F401
from .meetings import meeting, meetings_at, readers_of
from .own import explanation_declared, own_explanation
from .pieces import (
    Contraction,
    Curve,
    Factor,
    Figure,
    Matrix,
    Notes,
    Pooling,
    StepExplanation,
    Sum,
    Term,
    View,
)
from .registry import EXPLAINERS, explainer_of, ops_explained_in, subject_of

__all__ = [
    "EXPLAINERS",
    "Contraction",
    "Curve",
    "Factor",
    "Figure",
    "Matrix",
    "Notes",
    "Pooling",
    "StepExplanation",
    "Sum",
    "Term",
    "View",
    "explain_leaf",
    "explain_step",
    "ops_explained_in",
    "readers_of",
]


def explain_step(
    step: Step, recording: Recorded | None = None, readers: dict[Any, list[User]] | None = None
) -> StepExplanation:
    """How the gradients of a step come about.

    recording: of which it is a step; with it, what met to make its dy is explained too. Print the result, or
    use its arrays: `explain_step(rec[3])["dx"].terms`. Nothing in the step changes, and what a user's
    `@op.explain` raises is a remark in it.
    """
    explanation = of_kind(step)
    if recording is not None:
        known = readers_of(recording) if readers is None else readers
        meetings = tuple(meetings_at(recording, step, known))
        explanation = replace(explanation, views=(*explanation.views, *meetings))
    return explanation.checked()


def explain_leaf(
    name: str, recording: Recorded, readers: dict[Any, list[User]] | None = None
) -> StepExplanation:
    """Where the gradients of a leaf meet, if several ops read it."""
    known = readers_of(recording) if readers is None else readers
    gradient = recording.grads.get(name)
    users = known.get(name, [])
    views = () if gradient is None else tuple(meeting(recording, name, f"d{name}", gradient, users))
    return StepExplanation(name, "" if views else "one op reads it", views).checked()


def of_kind(step: Step) -> StepExplanation:
    """By what the op declares, by its kind, or by what can be found out about it."""
    function = explanation_declared(step)
    if function is not None:
        return own_explanation(step, function)
    if not step.grad_inputs:
        return StepExplanation(subject_of(step))
    try:
        explainer = explainer_of(step)
        if explainer is not None:
            return explainer(step)
        return found_out(step)
    except Exception as error:  # a recording may come from anywhere: the page comes all the same
        said = f"{type(error).__name__}: {error}"
        return StepExplanation(subject_of(step), remarks=(f"{step.op} could not be explained: {said}",))


def found_out(step: Step) -> StepExplanation:
    """An op that nobody describes: elementwise ones are known by what they do."""
    op = OPS.get(step.op)
    if op is None:
        return StepExplanation(subject_of(step))
    if op.broadcasting and not step.several:
        return broadcasting.elementwise(step)
    if pointwise.is_pointwise(step):
        return StepExplanation(
            subject_of(step), pointwise.about_of(step), (pointwise.pointwise_view(step, op.inputs[0]),)
        )
    return StepExplanation(subject_of(step))
