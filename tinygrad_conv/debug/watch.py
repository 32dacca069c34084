"""Taking part in every op and every backward: what breakpoints, anomaly mode and the profiler have in
common.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from contextvars import Token
from typing import Any, TypeVar

import numpy as np

from ..dtypes import Array
from ..engine.modes import LAYER, WATCH
from ..engine.op import Op
from ..engine.tape import Node
from ..engine.tensor import Tensor
from ..places import line_of, user_where
from .step import Place, Step, show
from .walk import walk, walk_through

Self = TypeVar("Self", bound="Observer")


class Call:
    """One op being applied. `outputs` (Tensors, always a tuple) is empty until the forward has run."""

    def __init__(self, op: Op, inputs: tuple[Any, ...], params: dict[str, Any]) -> None:
        self.op, self.params = op.name, {**op.defaults, **params}
        self.inputs = {op.variadic: inputs} if op.variadic else dict(zip(op.inputs, inputs))
        self.outputs: tuple[Tensor, ...] = ()
        code, offset = user_where()
        file, line = code.co_filename, line_of((code, offset))
        self.where = Place(file, line, linecache.getline(file, line).strip(), LAYER.get())

    @property
    def node(self) -> Node | None:
        """What the op left on the tape, if it was recorded."""
        return self.outputs[0].grad_fn if self.outputs else None

    def __repr__(self) -> str:
        lines = [f"{self.op}   {self.where}", *(f"{name}: {show(one)}" for name, one in self.inputs.items())]
        return "\n    ".join([*lines, *(f"output: {show(one)}" for one in self.outputs)])


class Observer:
    """A `with` block in which what runs is looked at. Context-local: other threads are not.

    Ops on plain arrays, which rules are made of, are not observed one by one: they are part of the step of
    their rule.
    """

    def __enter__(self: Self) -> Self:
        watch = WATCH.get()
        self._token: Token[Any] = WATCH.set(Watch((*(watch.observers if watch else ()), self)))
        return self

    def __exit__(self, *exception: object) -> None:
        WATCH.reset(self._token)

    def before_op(self, call: Call) -> None:
        """An op is going to be applied to Tensors."""

    def after_op(self, call: Call) -> None:
        """It has been."""

    def before_step(self, step: Step, node: Node) -> None:
        """The rules of an op are going to run."""

    def after_step(self, step: Step) -> None:
        """They have."""

    def after_sweep(self, found: dict[Any, Any]) -> None:
        """A backward has all its gradients, and will write them down now."""


class Watch:
    """What the engine hands ops and sweeps to while somebody observes; inside, nobody is watching."""

    def __init__(self, observers: tuple[Observer, ...]) -> None:
        self.observers = observers

    def apply(self, op: Op, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply an op."""
        token = WATCH.set(None)
        try:
            if not any(isinstance(one, Tensor) for one in inputs):
                return op(*inputs, **params)
            call = Call(op, inputs, params)
            for observer in self.observers:
                observer.before_op(call)
            result = op(*inputs, **params)
            call.outputs = result if isinstance(result, tuple) else (result,)
            for observer in self.observers:
                observer.after_op(call)
            return result
        finally:
            WATCH.reset(token)

    def sweep(
        self, ahead: dict[int, Node], grads: dict[Any, Any], keep: bool, wanted: Any, lift: Any
    ) -> dict[Any, Any]:
        """Perform a backward."""
        token = WATCH.set(None)
        try:
            found = walk_through(
                walk(ahead, grads, keep, wanted, lift, before=self.before_step), self.after_step
            )
            for observer in self.observers:
                observer.after_sweep(found)
            return found
        finally:
            WATCH.reset(token)

    def before_step(self, step: Step, node: Node) -> None:
        for observer in self.observers:
            observer.before_step(step, node)

    def after_step(self, step: Step) -> None:
        for observer in self.observers:
            observer.after_step(step)


def first_nonfinite(values: Iterable[Any]) -> Array | None:
    """The first of these arrays and Tensors (tuples are looked into) with a NaN or an infinity in it."""
    for value in values:
        array = value.data if isinstance(value, Tensor) else value
        if isinstance(array, tuple):
            array = first_nonfinite(array)
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and not np.isfinite(array).all():
            return array
    return None
