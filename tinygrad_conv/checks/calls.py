"""Every op that a function calls, with all that it was given: more than the tape keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from traceback import walk_tb
from typing import Any

import numpy as np

from ..engine.node import Node
from ..engine.observe import Call, Observer
from ..engine.op import Op
from ..engine.rule import Rule
from ..engine.tensor import Tensor
from ..members import members_of
from .function import Function, copied, input_names, is_float_array
from .introspection import as_array, ones_as_dy, run_rule
from .pullback import gradient_of


@dataclass
class RecordedCall:
    """One call of an op on Tensors: copies of its inputs, made before it ran, and its outputs."""

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[Tensor, ...]

    @property
    def node(self) -> Node | None:
        """What it left on the tape."""
        return next((output.grad_fn for output in self.outputs if output.grad_fn), None)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Its inputs as arrays."""
        return tuple(map(as_array, self.inputs))

    @property
    def every_param(self) -> dict[str, Any]:
        """Its params, those that were left at their defaults too."""
        return {**self.op.defaults, **self.params}

    @property
    def checked(self) -> list[int]:
        """The positions of the inputs that require a gradient."""
        return [
            at for at, value in enumerate(self.inputs) if isinstance(value, Tensor) and value.requires_grad
        ]

    def function(self, arrays: tuple[Any, ...] | None = None, **changed: Any) -> Function:
        """The op alone, as a function of those inputs; at other arrays, or with other params, where they are
        given.
        """
        names = input_names(self.op, len(self.inputs))
        fn = partial(self.op, **{**self.params, **changed})
        return Function(
            fn, self.arrays if arrays is None else arrays, self.checked, [names[at] for at in self.checked]
        )

    def in_dtype(self, dtype: Any) -> RecordedCall:
        """The same call, made again with its floats in another dtype."""
        inputs = [
            Tensor(array.astype(dtype), requires_grad=at in self.checked) if is_float_array(array) else value
            for at, (value, array) in enumerate(zip(self.inputs, self.arrays))
        ]
        return replace(self, inputs=tuple(inputs), outputs=members_of(self.op(*inputs, **self.params)))

    def rule_of(self, argument: int) -> Rule | None:
        """The rule for one of the checked inputs."""
        rules: list[Rule | None] = self.op.rules
        return rules[0 if self.op.variadic else self.checked[argument]]

    def only(self, argument: int) -> RecordedCall:
        """The same call, with only one of the checked inputs requiring a gradient: so its rule is the only
        one to run.
        """
        inputs = [Tensor(value.data) if isinstance(value, Tensor) else value for value in self.inputs]
        inputs[self.checked[argument]] = self.inputs[self.checked[argument]]
        return replace(self, inputs=tuple(inputs))

    def describe(self) -> tuple[Any, ...]:
        """What tells it from other calls."""
        return (
            self.op,
            repr(self.params),
            tuple(self.checked),
            tuple(np.shape(array) for array in self.arrays),
        )


class CallRecorder(Observer):
    """Notes the calls of ops on Tensors, with copies of their inputs: a forward may change them."""

    looks_into_rules = True

    def __init__(self) -> None:
        self.calls: list[RecordedCall] = []

    def before_op(self, call: Call) -> None:
        self.given = tuple(map(copied, call.given))

    def after_op(self, call: Call) -> None:
        self.calls.append(RecordedCall(call.applied, self.given, call.options, call.outputs))


@contextmanager
def recorded_calls() -> Iterator[list[RecordedCall]]:
    """The calls of ops on Tensors inside the block, in their order."""
    with CallRecorder() as recorder:
        yield recorder.calls


def calls_of(function: Function, order: int) -> list[RecordedCall]:
    """The calls of ops that a function makes and, at order 2, those of its gradient."""
    rng = np.random.default_rng(0)
    with recorded_calls() as calls:
        try:
            function.call(function.point)
            if order == 2:
                gradient = gradient_of(function, rng)
                gradient.call(gradient.point)
        except Exception:  # the fault itself: what was called up to there is what matters
            pass
    return calls


def raised_in(error: Exception, calls: list[RecordedCall]) -> tuple[RecordedCall, Rule] | None:
    """The rule that raised an exception, or a derivation of a kept value, with a call of its op: the
    innermost on its way. None where it came out of no rule.
    """
    rules = {
        getattr(rule.function, "__code__", None): (call, rule)
        for call in reversed(calls)
        for rule in reversed([*rules_that_run(call), *call.op.derivations.values()])
    }
    codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
    return next((rules[code] for code in reversed(codes) if code in rules), None)


def rules_that_run(call: RecordedCall) -> list[Rule]:
    """The rules of a call for inputs that require a gradient."""
    rules = [call.rule_of(argument) for argument in range(len(call.checked))]
    return [rule for rule in rules if rule is not None]


def gradients_returned(call: RecordedCall, times: float = 1) -> Iterator[tuple[str, Rule, Any]]:
    """(input, its rule, gradient) of a call for ones as dy, or so many times that, as its rules return them.

    That is before the sweep looks at them: they may be anything.
    """
    if call.node is None:
        return
    names = input_names(call.op, len(call.inputs))
    dy = ones_as_dy(call.node, times)
    for position, rule in enumerate(call.op.rules):
        if rule is None or call.node.edges[position] is None:
            continue
        with np.errstate(all="ignore"):
            dx = run_rule(rule, call.node, dy)
        yield from zip(names, repeat(rule), dx) if rule.variadic else [(names[position], rule, dx)]


def readable_values(call: RecordedCall, arrays: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """All that a rule of the call may read at these inputs, by name, and the outputs."""
    op = call.op
    returned = op.forward(*arrays, **call.every_param)
    y, kept = op.split_kept(returned) if op.keeps else (returned, ())
    if op.variadic:
        values: dict[str, Any] = {
            op.variadic: arrays,
            f"{op.variadic}_shape": tuple([array.shape for array in arrays]),
        }
    else:
        values = dict(zip(op.inputs, arrays))
        values |= {f"{name}_shape": np.shape(value) for name, value in zip(op.inputs, arrays)}
    outputs = members_of(y)
    y = tuple(map(np.asarray, outputs)) if type(y) is tuple else np.asarray(y)
    return {**values, "y": y, **dict(zip(op.keeps, kept))}, outputs
