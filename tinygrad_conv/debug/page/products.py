"""Of which products each number of a gradient is the sum: the page lists them when a cell is clicked.

A rule is linear in the gradient dy that it is given, so dx[i] = Σ_j dy[j] · c[j, i]. Three ways to say what c
is:

    by a formula    convolutions and linear layers: the player computes which numbers met which
    "one"           each dx[i] has but one dy[j] in it, as in all elementwise ops, poolings without overlap,
                    reductions and changes of shape: c[i], and j[i]. Found by asking the rule, so it holds
                    for a user's op too
    "dense"         a small Jacobian, row by row: one call of the rule for each dy[j]

What is none of these and too large has no products on the page; `rec.explain` lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.registry import OPS
from ...members import members_of
from ..factors import geometry
from ..rerun import node_of, placeholders_of
from ..step import Step
from ..stepping import contributions
from .arrays import Arrays

MOST_ROWS, MOST_FACTORS = 256, 20_000  # of a dense Jacobian

ROLES = {
    "conv2d": {"x": "X", "w": "W", "output": "Y"},
    "conv2d_input_grad": {"dy": "Y", "w": "W", "output": "X"},
    "conv2d_weight_grad": {"x": "X", "dy": "Y", "output": "W"},
}
"""Which slot of T(X, W, dY) an argument of a convolution, or its result, is in. See ops/conv.py."""

BY_FORMULA = {"conv2d", "conv2d_input_grad", "conv2d_weight_grad", "linear"}


def window_of(step: Step) -> dict[str, Any] | None:
    """The geometry of a convolution and the roles in it; None for other ops."""
    if step.op not in ROLES:
        return None
    roles = ROLES[step.op]
    shapes = {role: shape_of(step, name) for name, role in roles.items()}
    (*samples, channels, _, _), (outputs, _, *kernel) = shapes["X"], shapes["W"]
    window = geometry(step, shapes["X"][-2:], kernel, shapes["Y"][-2:])
    return {
        "roles": {role: name for name, role in roles.items()},
        "size": window.size,
        "kernel": window.kernel,
        "stride": window.stride,
        "padding": window.padding,
        "dilation": window.dilation,
        "out": window.out,
        "batched": bool(samples),
        "samples": samples[0] if samples else 1,
        "channels": channels,
        "outputs": outputs,
        "groups": step.params["groups"],
    }


def shape_of(step: Step, name: str) -> tuple[int, ...]:
    """The shape of an input, which a rule may have read without its values, or of the output."""
    if name == "output":
        shape: tuple[int, ...] = step.shapes[0][0]
        return shape
    known = step.inputs.get(name)
    known_shape = step.read.get(f"{name}_shape") if known is None else known.shape
    return tuple(step.grad_inputs[name].shape if known_shape is None else known_shape)


def forms_of(step: Step, arrays: Arrays) -> list[dict[str, Any] | None]:
    """For each contribution of a step how its products are found; of a variadic argument one after the other.

    Of several outputs the gradients are one row of numbers, one output's after the other's.
    """
    gradients = [gradient for value in step.grad_inputs.values() for gradient in members_of(value)]
    count = sum(gradient is not None for gradient in gradients)
    if step.op in BY_FORMULA:
        return [{"kind": "formula"}] * count
    if step.op not in OPS:  # a recording from elsewhere
        return [None] * count
    dys = [dy for dy in members_of(step.grad_output) if dy is not None]
    size, eps = sum(dy.size for dy in dys), max(float(np.finfo(dy.dtype).eps) for dy in dys)
    answers = zip(*(ask(step, probe) for probe in probes(size)))
    forms = [single(size, eps, answer, arrays) for answer in answers]
    if all(forms):
        return forms
    return [form or other for form, other in zip(forms, dense(step, size, count, arrays))]


def ask(step: Step, numbers: Array) -> list[Array]:
    """What the step's rules make of another gradient, given as a row of numbers."""
    given, at = [], 0
    for dy in members_of(step.grad_output):
        size = 0 if dy is None else dy.size
        given.append(None if dy is None else numbers[at : at + size].astype(dy.dtype).reshape(dy.shape))
        at += size
    node = node_of(step, placeholders_of(step))
    with np.errstate(all="ignore"):
        return [part for _, part in contributions(node, step.as_dy(given))]


def probes(size: int) -> tuple[Array, Array, Array]:
    """Gradients that show how a rule spreads them: all alike, different in order, different at random."""
    return np.ones(size), np.arange(1.0, size + 1), 1 + np.random.default_rng(0).random(size)


def single(size: int, eps: float, answers: Sequence[Array], arrays: Arrays) -> dict[str, Any] | None:
    """The form "one", if each number of the gradient has but one product, by the answers to `probes`."""
    factors, numbered, at_random = answers
    with np.errstate(all="ignore"):
        counted = np.nan_to_num(numbered / factors, nan=1.0, posinf=1.0, neginf=1.0)
        numbers = np.rint(counted).astype(np.int64) - 1
    if factors.size and (numbers.min() < 0 or numbers.max() >= size):
        return None
    expected = factors * probes(size)[2][numbers] if factors.size else factors
    if not np.allclose(at_random, expected, rtol=8 * eps, atol=0, equal_nan=True):
        return None
    form: dict[str, Any] = {"kind": "one", "factors": arrays.add(factors)}
    if size > 1 and not in_order(numbers, factors, size):
        form["numbers"] = arrays.add(numbers.astype(np.int32))
    return form


def in_order(numbers: Array, factors: Array, size: int) -> bool:
    """Whether the i-th number of the gradient has the i-th of dy in it, or any one where the factor is 0."""
    flat = numbers.reshape(-1)
    return flat.size == size and bool(np.all((flat == np.arange(size)) | (factors.reshape(-1) == 0)))


def dense(step: Step, size: int, count: int, arrays: Arrays) -> list[dict[str, Any] | None]:
    """The form "dense" where it is small enough."""
    if not 0 < size <= MOST_ROWS:
        return [None] * count
    rows = [ask(step, unit) for unit in np.eye(size)]
    stacked = [np.stack(column) for column in zip(*rows)]
    return [
        {"kind": "dense", "factors": arrays.add(factors)} if factors.size <= MOST_FACTORS else None
        for factors in stacked
    ]
