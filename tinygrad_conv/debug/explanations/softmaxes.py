"""Softmax, its logarithm, and the losses on them: p, what was wanted, and p less it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.observed import unobserved
from ...ops import classification
from ...ops.arguments.losses import class_dim, is_labels
from ..step import Step
from .pieces import Factor, Figure, Notes, StepExplanation, Sum, Term, View
from .registry import explains_ops, first_gradient, subject_of, wanted, wide

OPS_OF_CLASSES: Any = classification  # whose functions take arrays and Tensors alike


def summed(values: Array, dim: int) -> Array:
    """Σ along a dimension, which stays; a number alone is its own sum."""
    return values if values.ndim == 0 else np.asarray(values.sum(dim, keepdims=True))


@explains_ops("softmax")
def softmax(step: Step) -> StepExplanation:
    """dx = p dy - p Σ dy p."""
    p, dy, dim = step.read["y"], first_gradient(step), step.params["dim"]
    with np.errstate(all="ignore"):
        mean = summed(wide(dy) * wide(p), dim)
    probabilities = Factor("p", p, "softmax(x), the output")
    terms = (
        Term((probabilities, Factor("dy", dy))),
        Term((probabilities, Factor("Σ p · dy", mean)), -1, called="p · Σ p · dy"),
    )
    view = Sum(
        "dx",
        "p times how far dy is above its mean",
        "Σ p · dy is the mean of dy, weighted by p: all p together are 1, so what raises all alike is lost.",
        f"dx = p · dy - p · Σ p · dy, the sum along dim {dim}",
        (Figure("p", p, "softmax(x), the output"), Figure("Σ p · dy", mean, f"along dim {dim}")),
        result=step.grad_inputs["x"],
        shape=p.shape,
        terms=terms,
    )
    about = "each p is raised by its own x, and lowered by all the others, for they share 1"
    return StepExplanation(subject_of(step), about, (view,))


@explains_ops("log_softmax")
def log_softmax(step: Step) -> StepExplanation:
    """dx = dy - p Σ dy."""
    dy, dim = first_gradient(step), step.params["dim"]
    with np.errstate(all="ignore"):
        p, total = np.exp(wide(step.read["y"])), summed(wide(dy), dim)
    view = Sum(
        "dx",
        "dy less p times its sum",
        f"The first term is of each output's own x, the second of Σ eˣ along dim {dim}.",
        "dx = dy - p · Σ dy",
        (Figure("p", p, "e to the output: softmax(x)"), Figure("Σ dy", total, f"along dim {dim}")),
        result=step.grad_inputs["x"],
        shape=dy.shape,
        terms=(Term((Factor("dy", dy),)), Term((Factor("p", p), Factor("Σ dy", total)), -1)),
    )
    about = (
        "each output is x less the logarithm of Σ eˣ, in which every x takes part as much as it is probable"
    )
    return StepExplanation(subject_of(step), about, (view,))


def share_and_wanted(step: Step, shape: tuple[int, ...], smoothing: float = 0.0) -> tuple[Factor, Array]:
    """What of dy arrives at each sample, and m, the (weighted) distribution that was wanted."""
    target, weight, ignored = step.inputs["target"], step.params["weight"], step.params["ignore_index"]
    dy, reduction = wide(first_gradient(step)), step.params["reduction"]
    with unobserved(), np.errstate(all="ignore"):
        share = np.asarray(OPS_OF_CLASSES.share_of_samples(dy, target, shape, weight, ignored, reduction))
        asked = OPS_OF_CLASSES.wanted_classes(target, shape, np.dtype(np.float64), weight, ignored, smoothing)
    words = {
        "mean": "dy / the number of samples",
        "sum": "dy, which arrived here",
        "none": "each sample's dy",
    }
    if reduction == "mean" and weight is not None and is_labels(target):
        words["mean"] = "dy / the weights of all labels together"
    return Factor("share", share, words[reduction]), np.asarray(asked)


@explains_ops("cross_entropy")
def cross_entropy(step: Step) -> StepExplanation:
    """dx = share (p Σ m - m)."""
    x, target = step.inputs.get("x"), step.inputs.get("target")
    about = "the loss is -ln p of what was wanted; its gradient is p less what was wanted: p - onehot"
    if x is None or target is None:
        return StepExplanation(subject_of(step), about)
    dim = class_dim(x.shape)
    share, asked = share_and_wanted(step, x.shape, step.params["label_smoothing"])
    with np.errstate(all="ignore"):
        shifted = wide(x) - np.max(wide(x), dim, keepdims=True, initial=-np.inf)
        p = np.exp(shifted) / summed(np.exp(shifted), dim)
        total = summed(asked, dim)
    views: list[View] = []
    if wanted(step, "x"):
        views.append(probabilities_view(step, p, asked, total, share))
    if wanted(step, "target"):
        views.append(Notes("dtarget", "minus the logarithm of p, times the share of each sample"))
    return StepExplanation(subject_of(step), about, tuple(views))


def probabilities_view(step: Step, p: Array, asked: Array, total: Array, share: Factor) -> Sum:
    """p, one-hot, and the difference."""
    plain = bool(np.isin(asked, (0, 1)).all())
    name = "onehot" if plain else "m"
    said = "1 at each label" if plain else "what was wanted: labels or probabilities, smoothed and weighted"
    usual = bool((total == 1).all())
    mass = () if usual else (Factor("Σ m", total),)
    with np.errstate(all="ignore"):
        difference = p * total - asked
    formula = f"dx = share · (p - {name})" if usual else f"dx = share · (p · Σ m - {name})"
    label = f"p - {name}" if usual else f"p · Σ m - {name}"
    return Sum(
        "dx",
        f"{label}, times the share of each sample",
        "The wanted class is pulled up by what p lacks of 1; each other one is pushed down by its own p.",
        formula,
        (Figure("p", p, "softmax(x)"), Figure(name, asked, said), Figure(label, difference)),
        result=step.grad_inputs["x"],
        shape=p.shape,
        terms=(Term((share, Factor("p", p), *mass)), Term((share, Factor(name, asked)), -1)),
    )


@explains_ops("nll_loss")
def nll_loss(step: Step) -> StepExplanation:
    """dx = -share m."""
    about = "the loss is minus x at each label, so nothing but these places has a gradient"
    target, result = step.inputs.get("target"), step.grad_inputs.get("x")
    if target is None or result is None:
        return StepExplanation(subject_of(step), about)
    share, asked = share_and_wanted(step, result.shape)
    plain = bool(np.isin(asked, (0, 1)).all())
    name, said = ("onehot", "1 at each label") if plain else ("m", "the weight of each label, at its place")
    view = Sum(
        "dx",
        "minus the share of each sample, at its label",
        formula=f"dx = -share · {name}",
        figures=(Figure(name, asked, said),),
        result=result,
        shape=result.shape,
        terms=(Term((share, Factor(name, asked)), -1),),
    )
    return StepExplanation(subject_of(step), about, (view,))
