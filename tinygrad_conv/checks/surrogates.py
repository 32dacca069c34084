"""Gradients that are wrong on purpose: a rule may be the gradient of another function than the forward.

    @binarize.grad("x", of=tg.hardtanh)

says that the rule is the gradient of hardtanh, the surrogate. Then the rule is held against that. Differences
of a whole function need more than to put hardtanh in the place of the op, for what comes after sees the op's
own output. So at every call of such an op the forward is

    f(x₀) + s(x) - s(x₀)        x₀: the input at the point where the gradient is checked

whose value there is the op's, and whose slope is that of the surrogate s. Where other inputs have honest
rules, f follows these, and only x is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..engine.observe import Call, Observation, Observer, inputs_and_params
from ..engine.observed import observed_by, unobserved
from ..engine.op import Op
from ..engine.rule import Rule, show_name
from ..engine.tensor import Tensor
from ..members import members_of
from .introspection import as_array, copy_of


class Held(NamedTuple):
    """A call of an op with a surrogate, and its inputs at the point where the gradient is checked."""

    op: Op
    arrays: tuple[Any, ...]


class SurrogateCalls(Observer):
    """Notes the calls of ops with surrogates, those in rules too."""

    looks_into_rules = True

    def __init__(self) -> None:
        self.held: list[Held] = []

    def before_op(self, call: Call) -> None:
        if surrogate_rules(call.applied):
            self.held.append(Held(call.applied, tuple(map(as_array, call.given))))


class Substitution(Observation):
    """Has ops follow their surrogates around the calls that are held, one after another."""

    def __init__(self, held: list[Held]) -> None:
        super().__init__(())
        self.waiting = iter(held)

    def apply(self, op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        with unobserved():
            inputs, params = inputs_and_params(op, inputs, params)
            on_tensors = any(isinstance(value, Tensor) for value in inputs)
            if not on_tensors or not surrogate_rules(op):
                return op(*inputs, **params)
            held = next(self.waiting, None)
            return op(*inputs, **params) if held is None else following(op, held)(*inputs, **params)

    def inside_rules(self) -> Observation:
        return self


@contextmanager
def following_surrogates(held: list[Held]) -> Iterator[None]:
    """Inside, ops follow their surrogates around these calls; where there are none, nothing is different."""
    if not held:
        yield
        return
    with observed_by(Substitution(held)):
        yield


def surrogate_rules(op: Op) -> list[Rule]:
    """The rules of an op that are gradients of something else."""
    return [rule for rule in op.rules if rule is not None and rule.of is not None]


def following(op: Op, held: Held) -> Op:
    """A copy of an op whose forward follows its surrogates around a call."""
    return copy_of(op, forward=around(op, held))


def around(op: Op, held: Held) -> Callable[..., Any]:
    """The forward f(x₀) + s(x) - s(x₀) of an op around a call."""
    rules = surrogate_rules(op)

    def forward(*arrays: Any, **params: Any) -> Any:
        at_rest = list(arrays)
        for rule in rules:
            position = op.inputs.index(rule.argument)
            at_rest[position] = held.arrays[position]
        y, _ = outputs_of(op, op.forward(*at_rest, **params))
        for rule in rules:
            position = op.inputs.index(rule.argument)
            moved = [*at_rest[:position], arrays[position], *at_rest[position + 1 :]]
            changes = zip(surrogate(rule, op, moved, params), surrogate(rule, op, at_rest, params))
            y = [value + (after - before) for value, (after, before) in zip(y, changes, strict=True)]
        returned = op.forward(*arrays, **params)
        own, kept = outputs_of(op, returned)
        outputs = tuple(y) if len(own) > 1 else y[0]
        return (outputs, *kept) if op.keeps else outputs

    return forward


def outputs_of(op: Op, returned: Any) -> tuple[list[Any], tuple[Any, ...]]:
    """The outputs in what a forward returned, and the values kept."""
    y, kept = op.split_kept(returned) if op.keeps else (returned, ())
    return list(members_of(y)), kept


def surrogate(rule: Rule, op: Op, arrays: list[Any], params: dict[str, Any]) -> list[Array]:
    """The outputs of what a rule is the gradient of."""
    values = {**op.defaults, **params, **dict(zip(op.inputs, arrays))}
    return [np.asarray(as_array(output)) for output in members_of(rule.surrogate(values))]


def show_surrogates(op: Op) -> str:
    """What the gradients of an op are those of, for tables: `surrogate hardtanh`; or nothing."""
    names = dict.fromkeys(show_name(rule.of) for rule in surrogate_rules(op))
    return f"surrogate {', '.join(names)}" if names else ""
