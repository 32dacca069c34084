"""Every op that a function calls, with all that it was given: more than the tape keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dtypes import FLOATS
from ..engine.op import Op
from ..engine.tape import Node
from ..engine.tensor import Tensor
from .fault import Fault
from .function import copied


@dataclass
class Call:
    """One call of an op: copies of its inputs, made before it ran, and its outputs."""

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[Tensor, ...]

    @property
    def node(self) -> Node | None:
        """What it left on the tape."""
        return next((one.grad_fn for one in self.outputs if one.grad_fn), None)


@contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """The calls of ops on Tensors inside the block, in their order."""
    calls: list[Call] = []
    call = Op.__call__

    def call_and_note(op: Op, *inputs: Any, **params: Any) -> Any:
        if not any(isinstance(one, Tensor) for one in inputs):
            return call(op, *inputs, **params)
        given = tuple(map(copied, inputs))
        y = call(op, *inputs, **params)
        calls.append(Call(op, given, params, y if isinstance(y, tuple) else (y,)))
        return y

    Op.__call__ = call_and_note  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Op.__call__ = call  # type: ignore[method-assign]


def assert_dtypes_kept(fn: Callable[..., Any], inputs: list[Any]) -> None:
    """Raise Fault where an op, given float32 alone, makes a float64 of it, in its forward or in a rule."""
    narrow = [narrowed(one) for one in inputs]
    with recorded_calls() as calls:
        fn(*narrow)
    for call in calls:
        arrays = [one for one in call.inputs if isinstance(one, (Tensor, np.ndarray)) and one.dtype in FLOATS]
        wide = [one for one in arrays if one.ndim] or arrays
        if not wide or any(one.dtype != np.float32 for one in wide) or asks_for_dtype(call):
            continue
        for output in call.outputs:
            if output.dtype in FLOATS and output.dtype != np.float32:
                raise Fault("wrong dtype", f"the forward of {call.op.name} makes {output.dtype} of float32")
        if call.node:
            assert_rules_keep_dtype(call.node)


def narrowed(value: Any) -> Any:
    """A float input in float32."""
    if not isinstance(value, (Tensor, np.ndarray)) or value.dtype not in FLOATS:
        return value
    array = np.asarray(value.data if isinstance(value, Tensor) else value, np.float32)
    return Tensor(array, requires_grad=value.requires_grad) if isinstance(value, Tensor) else array


def asks_for_dtype(call: Call) -> bool:
    """Whether a param says which dtype the output shall have."""
    return any(isinstance(one, (np.dtype, type)) and call.outputs[0].dtype == one for one in call.params.values())


def assert_rules_keep_dtype(node: Node) -> None:
    """Raise Fault where a rule of a float32 node returns another dtype (which the sweep would cast back, at a price)."""
    ones = tuple(np.ones(shape, dtype) for shape, dtype in node.outputs)
    dy = ones if node.notes and node.notes.many else ones[0]
    for rule, edge in zip(node.op.rules, node.edges):
        if rule is None or edge is None:
            continue
        read = [node.saved[at] for at in rule.reads]
        with np.errstate(all="ignore"):
            dx = rule.function(dy, *read, **{name: node.params[name] for name in rule.params})
        for part in dx if rule.variadic else [dx]:
            if np.ndim(part) and part.dtype in FLOATS and part.dtype != np.float32:  # a number is cast for nothing
                raise Fault("wrong dtype", f"{rule} makes {part.dtype} of float32")
