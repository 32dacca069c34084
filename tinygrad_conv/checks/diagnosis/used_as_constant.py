"""Right at order 1, wrong at order 2: which of the values that a rule reads does it use as a constant?

A rule is differentiated itself under create_graph=True. A value that left the tape on the way (a kept float
derived wrongly, an op without a derivative) is a constant there, and its part of the second derivative is
missing. That is tried out here: each value is held fast in turn while the rule's gradient is differenced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.declare import Rule
from ...engine.tensor import Tensor, grad
from ..calls import RecordedCall
from ..fault import UNKNOWN, Finding
from ..function import Function
from ..introspection import run_rule
from ..pullback import jacobian
from ..tolerance import Tolerance


def find_constant(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """Why the gradient of checked input `output` is right, but not its derivative for checked `argument`."""
    node, rule = call.node, call.rule_of(output)
    if node is None or rule is None or rule.variadic:
        return UNKNOWN
    if len(node.outputs) > 1 or argument >= len(call.checked):
        return UNKNOWN
    shape, _ = node.outputs[0]
    dy = np.random.default_rng(2).standard_normal(shape)
    given = derivative_given(call, argument, call.checked[output], dy)
    for names in suspects(call, [name for name in rule.reads if not name.endswith("_shape")]):
        derivative = derivative_held(call, argument, rule, dy, names, tolerance.eps)
        if derivative.shape != given.shape:
            continue
        if tolerance.allows(given, derivative, derivative, tolerance.eps).all():
            return used_as_constant(call, rule, names)
    return UNKNOWN


def suspects(call: RecordedCall, names: list[str]) -> Iterator[set[str]]:
    """Which values to hold, in this order: each kept one, each other one, all of them."""
    yield from ({name} for name in names if name in call.op.keeps)
    yield from ({name} for name in names if name not in call.op.keeps)
    yield set(names)


def used_as_constant(call: RecordedCall, rule: Rule, names: set[str]) -> Finding:
    """The finding that a rule uses these values as constants."""
    kept = "the kept float " if names <= set(call.op.keeps) else ""
    values = kept + ", ".join(sorted(names))
    text = f"right at order 1, wrong at order 2: {rule.function.__name__} uses {values} as a constant"
    return Finding("constant", text)


def derivative_given(call: RecordedCall, argument: int, position: int, dy: Array) -> Array:
    """An input's gradient, differentiated for another as the engine does it, [gradient, input]."""

    def gradient(*inputs: Any) -> Tensor:
        x = inputs[position]
        if not isinstance(x, Tensor):
            x = Tensor(x, requires_grad=True)
        y = call.op(*inputs[:position], x, *inputs[position + 1 :], **call.params)
        (dx,) = grad(y, x, Tensor(dy), create_graph=True, allow_unused=True)
        return Tensor(np.zeros(x.shape)) if dx is None else dx

    return jacobian(Function(gradient, call.arrays, [call.checked[argument]], ["x"]))


def derivative_held(
    call: RecordedCall, argument: int, rule: Rule, dy: Array, held: set[str], step: float
) -> Array:
    """The same by differences of the rule on arrays; the values called `held` stay as they are."""
    node = call.node
    assert node is not None
    position = call.checked[argument]

    def gradient(vector: Array) -> Array:
        moved = saved_at(call, position, vector)
        saved = {name: node.saved[name] if name in held else value for name, value in moved.items()}
        return np.ravel(run_rule(rule, node, dy, saved))

    return differenced(gradient, call.arrays[position].ravel(), step)


def saved_at(call: RecordedCall, position: int, vector: Array) -> dict[str, Any]:
    """What a call's node saves where the numbers of its input at a position are others."""
    inputs = list(call.arrays)
    for checked in call.checked:
        inputs[checked] = Tensor(inputs[checked].copy(), requires_grad=True)
    inputs[position] = Tensor(vector.reshape(inputs[position].shape), requires_grad=True)
    saved: dict[str, Any] = call.op(*inputs, **call.params).grad_fn.saved
    return saved


def differenced(function: Callable[[Array], Array], point: Array, step: float) -> Array:
    """The Jacobian of a function of a vector by central differences, [outputs, inputs]."""
    slopes = [
        (function(point + step * unit) - function(point - step * unit)) / (2 * step)
        for unit in np.eye(point.size)
    ]
    return np.stack(slopes, axis=1)
