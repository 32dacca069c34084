"""Right at order 1, wrong at order 2: which of the values that a rule reads does it use as a constant?

A rule is differentiated itself under create_graph=True. A value that left the tape on the way (a kept float
derived wrongly, an op without a derivative) is a constant there, and its part of the second derivative is
missing. That is tried out here: each value is held fast in turn while the rule's gradient is differenced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...dtypes import FLOATS, Array
from ...engine.differentiate import grad
from ...engine.rule import Rule
from ...engine.tensor import Tensor
from ...members import members_of
from ..calls import RecordedCall
from ..fault import UNKNOWN, Finding
from ..function import Function
from ..introspection import run_rule
from ..pullback import jacobian
from ..tolerance import Tolerance
from .rule_source import SourceFault, rule_faults

FEW = 5  # values that a rule reads, of which every choice is tried


def find_constant(call: RecordedCall, argument: int, output: int, tolerance: Tolerance) -> Finding:
    """Why the gradient of checked input `output` is right, but not its derivative for checked `argument`; an
    argument beyond the inputs is the gradient that the rule is given.
    """
    node, rule = call.node, call.rule_of(output)
    if node is None or rule is None:
        return UNKNOWN
    dy = random_dy(call)
    if argument >= len(call.checked):
        return used_as_constant(call, rule, {"dy"}) if ignores_dy(call, output, dy) else UNKNOWN
    given = derivative_given(call, argument, call.checked[output], dy)
    for names in suspects(call, [name for name in rule.reads if not name.endswith("_shape")]):
        derivative = derivative_held(call, argument, output, dy, names, tolerance.eps)
        if derivative.shape != given.shape:
            continue
        if tolerance.allows(given, derivative, derivative, tolerance.eps).all():
            return used_as_constant(call, rule, names)
    return UNKNOWN


def random_dy(call: RecordedCall) -> tuple[Array | None, ...]:
    """A gradient for each output, None for those of integers."""
    rng = np.random.default_rng(2)
    return tuple(rng.standard_normal(y.shape) if y.data.dtype in FLOATS else None for y in call.outputs)


def pulled_back(outputs: Any, x: Tensor, dys: Sequence[Any]) -> Tensor:
    """The gradient of one input, on the tape itself; 0 where it is none."""
    pairs = [(y, dy) for y, dy in zip(members_of(outputs), dys) if dy is not None and y.requires_grad]
    if not pairs:
        return Tensor(np.zeros(x.shape))
    ys, on_tape = zip(*pairs)
    seeds = [dy if isinstance(dy, Tensor) else Tensor(dy) for dy in on_tape]
    (dx,) = grad(ys, x, seeds, create_graph=True, allow_unused=True)
    return Tensor(np.zeros(x.shape)) if dx is None else dx


def ignores_dy(call: RecordedCall, output: int, dys: tuple[Array | None, ...]) -> bool:
    """Whether a gradient does not depend on the gradient that its rule is given, as the tape sees it."""
    position = call.checked[output]

    def gradient(*given: Any) -> Tensor:
        x = Tensor(call.arrays[position], requires_grad=True)
        y = call.op(*call.arrays[:position], x, *call.arrays[position + 1 :], **call.params)
        return pulled_back(y, x, given)

    checked = [number for number, dy in enumerate(dys) if dy is not None]
    function = Function(gradient, dys, checked, [f"dy[{number}]" for number in checked])
    return not jacobian(function).any()


def suspects(call: RecordedCall, names: list[str]) -> Iterator[set[str]]:
    """Which values to hold, in this order: each kept one, each other one, two of them, and so on."""
    yield from ({name} for name in names if name in call.op.keeps)
    yield from ({name} for name in names if name not in call.op.keeps)
    for count in range(2, len(names) if len(names) <= FEW else 2):
        yield from map(set, combinations(names, count))
    yield set(names)


def used_as_constant(call: RecordedCall, rule: Rule, names: set[str]) -> Finding:
    """The finding that a rule uses these values as constants, and where its source says so."""
    kept = "the kept float " if names <= set(call.op.keeps) else ""
    values = kept + ", ".join(sorted(names))
    text = f"right at order 1, wrong at order 2: {rule.function.__name__} uses {values} as a constant"
    places = list(map(show_leaving, filter(leaves_the_tape, rule_faults(call.op, rule, call.arrays))))
    return Finding("constant", f"{text} ({places[0]})" if places else text)


def leaves_the_tape(fault: SourceFault) -> bool:
    """Whether what a rule's source says makes a constant of a Tensor."""
    return fault.kind == "numpy" or fault.text.startswith((".data ", ".detach ", ".numpy "))


def show_leaving(fault: SourceFault) -> str:
    """The place where a rule leaves the tape, and by what: `my_op.py:12: .data leaves the tape`."""
    return f"{fault.place}: {fault.text.partition(' ')[0]} leaves the tape"


def derivative_given(
    call: RecordedCall, argument: int, position: int, dys: tuple[Array | None, ...]
) -> Array:
    """An input's gradient, differentiated for another as the engine does it, [gradient, input]."""

    def gradient(*inputs: Any) -> Tensor:
        x = inputs[position]
        if not isinstance(x, Tensor):
            x = Tensor(x, requires_grad=True)
        y = call.op(*inputs[:position], x, *inputs[position + 1 :], **call.params)
        return pulled_back(y, x, dys)

    return jacobian(Function(gradient, call.arrays, [call.checked[argument]], ["x"]))


def derivative_held(
    call: RecordedCall, argument: int, output: int, dys: tuple[Array | None, ...], held: set[str], step: float
) -> Array:
    """The same by differences of the rule on arrays; the values called `held` stay as they are."""
    node, rule = call.node, call.rule_of(output)
    assert node is not None
    assert rule is not None
    position, dy = call.checked[argument], dys if node.several else dys[0]

    def gradient(vector: Array) -> Array:
        moved = saved_at(call, position, vector)
        saved = {name: node.saved[name] if name in held else value for name, value in moved.items()}
        dx = run_rule(rule, node, dy, saved)
        return np.ravel(dx[call.checked[output]] if rule.variadic else dx)

    return differenced(gradient, call.arrays[position].ravel(), step)


def saved_at(call: RecordedCall, position: int, vector: Array) -> dict[str, Any]:
    """What a call's node saves where the numbers of its input at a position are others."""
    inputs = list(call.arrays)
    for checked in call.checked:
        inputs[checked] = Tensor(inputs[checked].copy(), requires_grad=True)
    inputs[position] = Tensor(vector.reshape(inputs[position].shape), requires_grad=True)
    first = members_of(call.op(*inputs, **call.params))[0]
    saved: dict[str, Any] = first.grad_fn.saved
    return saved


def differenced(function: Callable[[Array], Array], point: Array, step: float) -> Array:
    """The Jacobian of a function of a vector by central differences, [outputs, inputs]."""
    slopes = [
        (function(point + step * unit) - function(point - step * unit)) / (2 * step)
        for unit in np.eye(point.size)
    ]
    return np.stack(slopes, axis=1)
