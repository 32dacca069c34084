"""Every op that a function calls, with all that it was given: more than the tape keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.declare import Rule
from ..engine.node import Node
from ..engine.observe import Call, Observer
from ..engine.op import Op
from ..engine.tensor import Tensor
from .fault import Fault
from .function import Function, copied, input_names


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

    def only(self, argument: int) -> RecordedCall:
        """The same call, with only one of the checked inputs requiring a gradient: so its rule is the only
        one to run.
        """
        inputs = [Tensor(one.data) if isinstance(one, Tensor) else one for one in self.inputs]
        inputs[self.checked[argument]] = self.inputs[self.checked[argument]]
        return replace(self, inputs=tuple(inputs))

    def describe(self) -> tuple[Any, ...]:
        """What tells it from other calls."""
        return self.op, repr(self.params), tuple(self.checked), tuple(np.shape(one) for one in self.arrays)


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


def assert_dtypes_kept(fn: Callable[..., Any], inputs: list[Any]) -> None:
    """Raise Fault where an op that is given one dtype alone makes another of it, in its forward or in a
    rule.
    """
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        with recorded_calls() as calls:
            fn(*(cast(one, dtype) for one in inputs))
        for call in calls:
            if given_dtypes(call) == {dtype} and not asks_for_dtype(call):
                assert_call_keeps_dtype(call, dtype)


def assert_call_keeps_dtype(call: RecordedCall, dtype: np.dtype[Any]) -> None:
    """Raise Fault unless a call's outputs and gradients have the dtype of its inputs."""
    for output in call.outputs:
        if output.dtype in FLOATS and output.dtype != dtype:
            text = f"the forward of {call.op.name} makes {output.dtype} of {dtype}"
            raise Fault(
                "wrong dtype", f"{text}; arrays that it makes itself should have its input's dtype", call
            )
    for name, rule, part in gradients(call):
        if (
            np.ndim(part) and part.dtype in FLOATS and part.dtype != dtype
        ):  # a single number is cast for nothing
            text = f"the rule for {name} of {call.op.name} makes {part.dtype} of {dtype}"
            raise Fault(
                "wrong dtype", f"{text}; arrays that it makes itself should have dy.dtype", call, rule
            )


def gradients(call: RecordedCall) -> Iterator[tuple[str, Rule, Any]]:
    """(input, its rule, gradient) of a call for ones as dy, as the rules return them: before the sweep looks
    at them.
    """
    if call.node is None:
        return
    names = input_names(call.op, len(call.inputs))
    ones = tuple(np.ones(shape, dtype) for shape, dtype in call.node.outputs)
    dy = ones if call.node.several else ones[0]
    for at, rule in enumerate(call.op.rules):
        if rule is None or call.node.edges[at] is None:
            continue
        with np.errstate(all="ignore"):
            values, params = rule.arguments(call.node.saved, call.node.params)
            dx = rule.function(dy, *values, **params)
        yield from zip(names, repeat(rule), dx) if rule.variadic else [(names[at], rule, dx)]


def given_dtypes(call: RecordedCall) -> set[Any]:
    """The dtypes of its floating-point inputs; a single number has none beside arrays."""
    floats = [one for one in call.arrays if isinstance(one, np.ndarray) and one.dtype in FLOATS]
    return {one.dtype for one in floats if one.ndim} or {one.dtype for one in floats}


def asks_for_dtype(call: RecordedCall) -> bool:
    """Whether a param says which dtype the output shall have."""
    return any(isinstance(one, (np.dtype, type)) for one in call.params.values())


def cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """A floating-point input in another dtype."""
    if not isinstance(value, (Tensor, np.ndarray)) or value.dtype not in FLOATS:
        return value
    array: Array = np.asarray(value.data if isinstance(value, Tensor) else value, dtype)
    return Tensor(array, requires_grad=value.requires_grad) if isinstance(value, Tensor) else array
