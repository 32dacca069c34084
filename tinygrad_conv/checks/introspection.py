"""What the checks ask of the engine's ops, rules and nodes.

How these are built is known here, and in calls.py; the rest of the folder asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.op import Op, Rule
from ..engine.tape import Node
from ..engine.tensor import Tensor


def rules_of(op: Op, count: int) -> list[Rule | None]:
    """The rule of each of `count` inputs; a variadic op has one for all."""
    return op.rules * count if op.variadic else op.rules


def outputs_of(y: Any) -> tuple[Any, ...]:
    """What a call of an op returned, as a tuple even where it is a single output."""
    return y if isinstance(y, tuple) else (y,)


def nodes_behind(outputs: Sequence[Tensor]) -> list[Node]:
    """The nodes of the tape that made these outputs."""
    waiting = [output.grad_fn for output in outputs if output.grad_fn]
    nodes: dict[int, Node] = {}
    while waiting:
        node = waiting.pop()
        if node.index not in nodes:
            nodes[node.index] = node
            waiting.extend(producers(node))
    return list(nodes.values())


def producers(node: Node) -> list[Node]:
    """The nodes that made a node's inputs."""
    edges = [edge for edges in node.edges for edge in (edges if isinstance(edges, list) else [edges])]
    return [edge[0] for edge in edges if isinstance(edge, tuple)]


def ones_as_dy(node: Node) -> Any:
    """A gradient of ones for what a node made, in the form that its rules are given."""
    ones = tuple(np.ones(shape, dtype) for shape, dtype in node.outputs)
    return ones if node.notes and node.notes.many else ones[0]


def run_rule(rule: Rule, node: Node, dy: Any, saved: Sequence[Any] | None = None) -> Any:
    """What a rule returns on arrays: for its node's saved values, or for others where they are given."""
    values = node.saved if saved is None else saved
    return rule.function(dy, *(values[place] for place in rule.reads), **rule.some(node))


def values_read(op: Op, rule: Rule) -> dict[str, int]:
    """The values that a rule reads, shapes left out: their names, and their places in `Node.saved`."""
    return {
        name: place for name, place in op.saves.items() if place in rule.reads and not name.endswith("_shape")
    }
