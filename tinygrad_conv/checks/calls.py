"""Every op that a function calls, with all that it was given: more than the tape keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from ..engine.modes import WATCH
from ..engine.op import Op, Rule
from ..engine.tape import Node, sweep
from ..engine.tensor import Tensor
from .function import Function, copied, input_names
from .introspection import ones_as_dy, run_rule


@dataclass
class Call:
    """One call of an op on Tensors: copies of its inputs, made before it ran, and its outputs."""

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[Tensor, ...]

    @property
    def node(self) -> Node | None:
        """What it left on the tape."""
        return next((one.grad_fn for one in self.outputs if one.grad_fn), None)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Its inputs as arrays."""
        return tuple(one.data if isinstance(one, Tensor) else one for one in self.inputs)

    @property
    def checked(self) -> list[int]:
        """The positions of the inputs that require a gradient."""
        return [at for at, one in enumerate(self.inputs) if isinstance(one, Tensor) and one.requires_grad]

    def function(self, arrays: tuple[Any, ...] | None = None, **changed: Any) -> Function:
        """The op alone, as a function of those inputs; at other arrays, or with other params, where they are
        given.
        """
        names = input_names(self.op, len(self.inputs))
        fn = partial(self.op, **{**self.params, **changed})
        return Function(
            fn, self.arrays if arrays is None else arrays, self.checked, [names[at] for at in self.checked]
        )

    def rule_of(self, argument: int) -> Rule | None:
        """The rule for one of the checked inputs."""
        rules: list[Rule | None] = self.op.rules
        return rules[0 if self.op.variadic else self.checked[argument]]

    def only(self, argument: int) -> Call:
        """The same call, with only one of the checked inputs requiring a gradient: so its rule is the only
        one to run.
        """
        inputs = [Tensor(one.data) if isinstance(one, Tensor) else one for one in self.inputs]
        inputs[self.checked[argument]] = self.inputs[self.checked[argument]]
        return replace(self, inputs=tuple(inputs))

    def describe(self) -> tuple[Any, ...]:
        """What tells it from other calls."""
        return self.op, repr(self.params), tuple(self.checked), tuple(np.shape(one) for one in self.arrays)


class Recorder:
    """Watches the ops that are called; see `modes.WATCH`."""

    sweep = staticmethod(sweep)

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def apply(self, op: Op, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply an op, and note the call if it is on Tensors."""
        given = tuple(map(copied, inputs))
        token = WATCH.set(None)
        try:
            y = op(*inputs, **params)
        finally:
            WATCH.reset(token)
        if any(isinstance(one, Tensor) for one in inputs):
            self.calls.append(Call(op, given, params, y if isinstance(y, tuple) else (y,)))
        return y


@contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """The calls of ops on Tensors inside the block, in their order."""
    recorder = Recorder()
    token = WATCH.set(recorder)
    try:
        yield recorder.calls
    finally:
        WATCH.reset(token)


def gradients_returned(call: Call) -> Iterator[tuple[str, Rule, Any]]:
    """(input, its rule, gradient) of a call for ones as dy, as its rules return them.

    That is before the sweep looks at them: they may be anything.
    """
    if call.node is None:
        return
    names = input_names(call.op, len(call.inputs))
    dy = ones_as_dy(call.node)
    for position, rule in enumerate(call.op.rules):
        if rule is None or call.node.edges[position] is None:
            continue
        with np.errstate(all="ignore"):
            dx = run_rule(rule, call.node, dy)
        yield from zip(names, repeat(rule), dx) if rule.variadic else [(names[position], rule, dx)]
