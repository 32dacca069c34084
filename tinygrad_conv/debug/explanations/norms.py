"""Normalisation: mean, variance and x̂ of each group, and the three terms of dx apart.

With g = w · dy and s = 1 / √(σ² + ε)

    dx = s g  -  s mean(g)  -  s x̂ mean(g x̂)

The first is what would be if mean and deviation were constants; the second takes away what would shift the
whole group, the third what would scale it: neither can change an output that is normalised again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...dtypes import Array
from ..step import Step
from .pieces import Factor, Figure, StepExplanation, Sum, Term, View
from .registry import bias_view, explains_ops, first_gradient, subject_of, wanted, wide

ABOUT = (
    "each group's numbers less their mean, divided by their deviation; every number of a group is in its "
    "mean and in its deviation, so its gradient has three terms"
)
TEXT = (
    "The first term is what dx would be if mean and deviation were constants. The second takes away what "
    "would shift the whole group alike, the third what would scale it: neither can change what is normalised "
    "again."
)


class Groups(NamedTuple):
    """How an op of the family groups numbers: shapes in which statistics and weights stand beside x."""

    shape: tuple[int, ...]  # x, seen as [.., group, .., elements]
    over: tuple[int, ...]  # dims of that, over which statistics go
    weight_dims: tuple[int, ...]  # dims of x that w and b have
    of: str  # in words


def groups_of(step: Step, shape: tuple[int, ...]) -> Groups:
    """By the op."""
    ndim = len(shape)
    if step.op == "batch_norm":
        return Groups(shape, (0, *range(2, ndim)), (1,), "channel, over the whole batch")
    if step.op == "layer_norm":
        count = len(step.params["normalized_shape"])
        last = tuple(range(ndim - count, ndim))
        return Groups(shape, last, last, "sample, over its last dimensions")
    number = step.params["num_groups"]
    channels = shape[1] // number
    whole = "channel of a sample" if channels == 1 else "sample's group of channels"
    return Groups((shape[0], number, channels, *shape[2:]), tuple(range(2, ndim + 1)), (1,), whole)


class Statistics(NamedTuple):
    """In float64, each [groups] in a shape that broadcasts against x."""

    mean: Array
    variance: Array
    scale: Array
    x_hat: Array


def beside_x(values: Array, groups: Groups, shape: tuple[int, ...]) -> Array:
    """Statistics of groups in a shape that broadcasts against x: of a group of channels, each channel's."""
    if groups.shape == shape:
        return values
    channels = np.broadcast_to(values, (*groups.shape[:3], *(1,) * (len(shape) - 2)))
    return np.ascontiguousarray(channels).reshape(*shape[:2], *(1,) * (len(shape) - 2))


def over_groups(values: Array, groups: Groups) -> Array:
    """The mean over each group."""
    with np.errstate(all="ignore"):
        count = math.prod(groups.shape[dim] for dim in groups.over)
        total = values.reshape(groups.shape).sum(groups.over, keepdims=True)
        return np.asarray(total / count if count else total * np.nan)


def statistics_of(step: Step, x: Array, groups: Groups) -> Statistics:
    """Of the batch, or the running ones that the op was given."""
    x, shape = wide(x), x.shape
    if step.op == "batch_norm" and not step.params["training"]:
        per_channel = (1, shape[1], *(1,) * (len(shape) - 2))
        mean = wide(step.params["running_mean"]).reshape(per_channel)
        variance = wide(step.params["running_var"]).reshape(per_channel)
    else:
        mean = beside_x(over_groups(x, groups), groups, shape)
        variance = beside_x(over_groups((x - mean) ** 2, groups), groups, shape)
    with np.errstate(all="ignore"):
        scale = 1 / np.sqrt(variance + step.params["eps"])
        return Statistics(mean, variance, scale, (x - mean) * scale)


@explains_ops("batch_norm", "layer_norm", "group_norm")
def normalization(step: Step) -> StepExplanation:
    """Three terms of dx; dw and db."""
    x, w = step.inputs.get("x"), step.inputs.get("w")
    views: list[View] = []
    dy = first_gradient(step)
    groups = groups_of(step, dy.shape)
    w_is_known = w is not None or "w" not in step.inputs
    if x is not None and w_is_known:
        known = statistics_of(step, x, groups)
        figures = figures_of(known, groups)
        if wanted(step, "x"):
            views.append(dx_view(step, dy, w, known, groups, figures))
        if wanted(step, "w"):
            views.append(dw_view(step, dy, known, groups, figures))
    if wanted(step, "b"):
        dims = result_dims(dy.ndim, groups)
        views.append(bias_view(step, "dy, summed over all that share the bias", "db = Σ dy", dims))
    constant = step.op == "batch_norm" and not step.params["training"]
    about = "the running mean and variance are constants here, so dx has one term" if constant else ABOUT
    return StepExplanation(subject_of(step), about, tuple(views))


def figures_of(known: Statistics, groups: Groups) -> tuple[Figure, ...]:
    """What the forward computed on the way."""
    return (
        Figure("μ", known.mean, f"the mean of each {groups.of}"),
        Figure("σ²", known.variance, "its variance"),
        Figure("s", known.scale, "1 / √(σ² + ε)"),
        Figure("x̂", known.x_hat, "(x - μ) · s"),
    )


def dx_view(
    step: Step, dy: Array, w: Array | None, known: Statistics, groups: Groups, figures: tuple[Figure, ...]
) -> Sum:
    """The three terms; one where the statistics are constants."""
    weight = [] if w is None else [Factor("w", w, dims=groups.weight_dims)]
    g = wide(dy)
    for factor in weight:
        g = g * factor.in_whole(dy.ndim)
    scale, x_hat = Factor("s", known.scale), Factor("x̂", known.x_hat)
    first = Term((scale, *weight, Factor("dy", dy)), called="s · g")
    terms: tuple[Term, ...] = (first,)
    of_g = "g = dy" if w is None else "g = w · dy"
    formula, text = f"dx = s · g, with {of_g}", ""
    if step.op != "batch_norm" or step.params["training"]:
        mean_g = beside_x(over_groups(g, groups), groups, dy.shape)
        mean_gx = beside_x(over_groups(g * known.x_hat, groups), groups, dy.shape)
        second = Term((scale, Factor("mean(g)", mean_g)), -1, called="s · mean(g)")
        third = Term((scale, x_hat, Factor("mean(g · x̂)", mean_gx)), -1, called="s · x̂ · mean(g · x̂)")
        terms = first, second, third
        formula, text = f"dx = s · g - s · mean(g) - s · x̂ · mean(g · x̂), with {of_g}", TEXT
        figures = (
            *figures,
            Figure("mean(g)", mean_g, "over each group"),
            Figure("mean(g · x̂)", mean_gx, "over each group"),
        )
    title = "three terms" if len(terms) == 3 else "one term"
    result = step.grad_inputs["x"]
    return Sum("dx", title, text, formula, figures, result=result, shape=result.shape, terms=terms)


def dw_view(step: Step, dy: Array, known: Statistics, groups: Groups, figures: tuple[Figure, ...]) -> Sum:
    """dw = Σ dy x̂."""
    return Sum(
        "dw",
        "dy times x̂, summed over all that share the weight",
        formula="dw = Σ dy · x̂",
        figures=figures,
        result=step.grad_inputs["w"],
        shape=dy.shape,
        terms=(Term((Factor("dy", dy), Factor("x̂", known.x_hat))),),
        dims=result_dims(dy.ndim, groups),
    )


def result_dims(ndim: int, groups: Groups) -> tuple[int, ...]:
    """Which dimension of w each of x's is; -1: it is summed over."""
    return tuple(groups.weight_dims.index(dim) if dim in groups.weight_dims else -1 for dim in range(ndim))
