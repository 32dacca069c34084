"""Right at order 1, wrong at order 2: which of the values that a rule reads does it use as a constant?

A rule is differentiated itself under create_graph=True. A value that left the tape on the way (a kept float
derived wrongly, an op without a derivative) is a constant there, and its part of the second derivative is
missing. That is tried out here: each value is held fast in turn while the rule's gradient is differenced.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.declare import Rule
from ..engine.tensor import Tensor, grad
from .calls import RecordedCall
from .compare import Tolerance, jacobian
from .diagnosis import UNKNOWN, Finding
from .function import Function


def diagnose_constant(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """Why the gradient of checked input number `output` is right, but not its derivative for number
    `argument`.
    """
    position, node = call.checked[output], call.node
    rule = call.op.rules[0 if call.op.variadic else position]
    if (
        node is None
        or rule is None
        or rule.variadic
        or len(node.outputs) > 1
        or argument >= len(call.checked)
    ):
        return UNKNOWN
    read = [name for name in rule.reads if not name.endswith("_shape")]
    dy = np.random.default_rng(2).standard_normal(node.outputs[0][0])
    given = derivative_given(call, argument, position, dy)
    kept = [{name} for name in read if name in call.op.keeps]
    for names in [*kept, *({name} for name in read if name not in call.op.keeps), set(read)]:
        held = derivative_held(call, argument, rule, dy, names, tolerance.eps)
        if held.shape == given.shape and tolerance.allows(given, held, held, tolerance.eps).all():
            what = ("the kept float " if names <= set(call.op.keeps) else "") + ", ".join(sorted(names))
            return Finding(
                "constant",
                f"right at order 1, wrong at order 2: {rule.function.__name__} uses {what} as a constant",
            )
    return UNKNOWN


def derivative_given(call: RecordedCall, argument: int, position: int, dy: Array) -> Array:
    """The derivative of one input's gradient for another, as the engine computes it, [gradient, input]."""

    def gradient(*inputs: Any) -> Tensor:
        x = (
            inputs[position]
            if isinstance(inputs[position], Tensor)
            else Tensor(inputs[position], requires_grad=True)
        )
        y = call.op(*inputs[:position], x, *inputs[position + 1 :], **call.params)
        (dx,) = grad(y, x, Tensor(dy), create_graph=True, allow_unused=True)
        return Tensor(np.zeros(x.shape)) if dx is None else dx

    function = Function(gradient, call.arrays, [call.checked[argument]], ["x"])
    return jacobian(function)


def derivative_held(
    call: RecordedCall, argument: int, rule: Rule, dy: Array, held: set[str], step: float
) -> Array:
    """The same by differences of the rule on arrays, with the values called `held` kept as they
    are.
    """
    node = call.node
    assert node is not None
    position = call.checked[argument]

    def gradient(vector: Array) -> Array:
        inputs = [
            one if at not in call.checked else Tensor(one.copy(), requires_grad=True)
            for at, one in enumerate(call.arrays)
        ]
        inputs[position] = Tensor(vector.reshape(inputs[position].shape), requires_grad=True)
        moved = call.op(*inputs, **call.params).grad_fn
        saved = {name: node.saved[name] if name in held else value for name, value in moved.saved.items()}
        values, params = rule.arguments(saved, node.params)
        return np.ravel(rule.function(dy, *values, **params))

    point = call.arrays[position].ravel()
    return np.stack(
        [
            (gradient(point + step * unit) - gradient(point - step * unit)) / (2 * step)
            for unit in np.eye(point.size)
        ],
        axis=1,
    )
