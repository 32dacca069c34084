"""Which op is explained by whom, and what an explanation asks of an op: its rules, its forward once more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.observed import unobserved
from ...engine.registry import OPS
from ...foreign import is_own
from ...members import members_of
from ..step import Step
from .pieces import Factor, StepExplanation, Sum, Term

Explainer = Callable[[Step], StepExplanation]

EXPLAINERS: dict[str, Explainer] = {}
"""By the name of an op of the package. A user's op says it itself: `@op.explain`."""


def explains_ops(*names: str) -> Callable[[Explainer], Explainer]:
    """Enter the decorated function as the one that explains these ops."""

    def enter(function: Explainer) -> Explainer:
        EXPLAINERS.update(dict.fromkeys(names, function))
        return function

    return enter


def explainer_of(step: Step) -> Explainer | None:
    """Who explains a step of this op; None where nobody does, or where a user's op has taken that name."""
    op = OPS.get(step.op)
    of_the_package = op is not None and is_own(op.forward)
    return EXPLAINERS.get(step.op) if of_the_package else None


def ops_explained_in(module: str) -> frozenset[str]:
    """The ops that one of the files of this folder explains, by its name: `pooling`."""
    package = __name__.rpartition(".")[0]
    return frozenset(
        name for name, function in EXPLAINERS.items() if function.__module__ == f"{package}.{module}"
    )


def subject_of(step: Step) -> str:
    """`%3 relu`."""
    return f"%{step.number} {step.op}"


def first_gradient(step: Step) -> Array:
    """The gradient of the (first) output."""
    gradient: Array = members_of(step.grad_output)[0]
    return gradient


def wanted(step: Step, *names: str) -> list[str]:
    """Those of the inputs that a gradient was computed for."""
    return [name for name in names if isinstance(step.grad_inputs.get(name), np.ndarray)]


def bias_view(step: Step, title: str, formula: str, dims: tuple[int, ...]) -> Sum:
    """The gradient of a bias: dy, summed over dimensions that `dims` has -1 for."""
    dy = first_gradient(step)
    terms = (Term((Factor("dy", dy),)),)
    return Sum(
        "db", title, formula=formula, result=step.grad_inputs["b"], shape=dy.shape, terms=terms, dims=dims
    )


def from_rule(step: Step, argument: str, dy: Any) -> Array:
    """What the rule for one argument makes of another gradient, before broadcasting is summed back."""
    op = OPS[step.op]
    rule = op.rules[op.inputs.index(argument)]
    values, params = rule.arguments(step.read, step.params)
    with unobserved(), np.errstate(all="ignore"):
        return np.asarray(rule.function(dy, *values, **params))


def slopes_of(step: Step, argument: str) -> Array:
    """What the rule multiplies dy with, of an op that is elementwise."""
    dy = first_gradient(step)
    return from_rule(step, argument, step.as_dy([np.ones_like(dy), *[None] * (len(step.shapes) - 1)]))


def forward_of(step: Step, arrays: Iterable[Any]) -> Array:
    """The (first) output of the op for other inputs, with the same params."""
    op = OPS[step.op]
    with unobserved(), np.errstate(all="ignore"):
        y = op.forward(*arrays, **step.params)
    y = y[0] if op.keeps else y
    return np.asarray(members_of(y)[0])


def wide(array: Array) -> Array:
    """In float64: the arithmetic of an explanation is more exact than what it explains."""
    return np.asarray(array, np.float64)


def surrogate_remark(step: Step, argument: str) -> str:
    """What a rule is the gradient of, if on purpose not of its op's forward."""
    op = OPS[step.op]
    stands_for: str = op.rules[op.inputs.index(argument)].stands_for
    return f" By its declaration the slope is another function's{stands_for}." if stands_for else ""
