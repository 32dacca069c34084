"""What the checks ask of the engine's ops, rules and nodes.

How these are built is known here, and in calls.py; the rest of the folder asks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.node import Node
from ..engine.op import Op
from ..engine.rule import Rule
from ..engine.tensor import Tensor

REFUSALS = (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, np.linalg.LinAlgError)
"""By which an op says that it does not take its inputs."""


def copy_of(op: Op, **changed: Any) -> Op:
    """An op like another, with some attributes of its own; `copy.copy` would give the op itself."""
    copy: Op = object.__new__(type(op))
    copy.__dict__.update(op.__dict__, **changed)
    return copy


def as_array(value: Any) -> Any:
    """A Tensor's array; anything else as it is."""
    return value.data if isinstance(value, Tensor) else value


def rules_of(op: Op, count: int) -> list[Rule | None]:
    """The rule of each of `count` inputs; a variadic op has one for all."""
    return op.rules * count if op.variadic else op.rules


def ones_as_dy(node: Node, times: float = 1) -> Any:
    """A gradient of ones for what a node made, or so many times that, in the form that rules are given."""
    ones = tuple(np.full(shape, times, dtype) for shape, dtype in node.outputs)
    return ones if node.several else ones[0]


def run_rule(rule: Rule, node: Node, dy: Any, saved: dict[str, Any] | None = None) -> Any:
    """What a rule returns on arrays: for its node's saved values, or for others where they are given."""
    values, params = rule.arguments(node.saved if saved is None else saved, node.params)
    return rule.function(dy, *values, **params)
