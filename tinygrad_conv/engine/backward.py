"""Backpropagation: the chain rule, carried back through the tape.

`sweep` is the whole of it. It takes the newest op that waits, hands the gradient dY of its output to its
rules, and adds what they return to the gradients of its inputs, until the leaves are reached. `Gradients`
does the bookkeeping: what has arrived at each edge, and which nodes wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..errors import RuleError, show_array, show_shape
from ..members import members_of
from ..options import REFUSED_SUBCLASSES
from .hooks import run_hooks
from .location import Where
from .memory import read_only
from .node import (
    VERSIONS,
    Edge,
    Node,
    Output,
    check_contents,
    check_unconsumed,
    check_versions,
    shape_and_dtype,
)
from .registry import OPS
from .rule import Rule


def sweep(gradients: Gradients) -> dict[Any, Any]:
    """Backpropagation: carry gradients back through the tape, newest op first, to the leaves.

    The graph is found on the way. Every user of an op's output is newer than the op, so when the turn of the
    op comes its whole gradient has arrived.
    """
    while gradients.waiting:
        send_back(gradients.newest_node(), gradients)
    return gradients.at_leaves()


def send_back(node: Node, gradients: Gradients) -> None:
    """The chain rule at one op: from dY, and what it saved, each rule makes the gradient of its input."""
    if node.consumed is not None or node.index < VERSIONS.latest:  # seldom: freed, or changes came later
        check_unconsumed(node)
        check_versions(node)
    if node.contents:
        check_contents(node)
    # Tensors for gradients of gradients, so that the rules are recorded themselves; arrays otherwise
    saved = node.saved if gradients.lift is None else gradients.lift(node)
    dy = gradients.take(node)
    if node._listeners is not None:  # hooks have run, and may have changed what the rules will read
        check_versions(node)
        check_contents(node)
    try:
        for rule, edge in zip(node.op.rules, node.edges):
            if edge is None or (gradients.wanted_edges and not may_lead_to(gradients.wanted_edges, edge)):
                continue
            gradients.rule = rule
            # Rule.arguments, written out: one call less for each rule, one frame less in a debugger
            params = node.params if rule.takes_all_params else rule.pick_params(node.params)
            dx = rule.function(dy, *map(saved.__getitem__, rule.reads), **params)
            if rule.variadic:
                send_back_each(rule, dx, edge, gradients)
            else:
                gradients.add(edge, dx)
    except Exception as error:
        add_note(error, node, gradients.rule, dy)
        raise
    gradients.leave(node)


def send_back_each(rule: Rule, dxs: Any, edges: list[Edge | None], gradients: Gradients) -> None:
    """The gradients of a variadic input, which its rule returned in a tuple."""
    if not isinstance(dxs, (tuple, list)) or len(dxs) != len(edges):
        count = len(edges)
        raise RuleError(
            f"{rule} must return a tuple of {count} gradients, one for each input in *{rule.argument}"
        )
    for edge, dx in zip(edges, dxs):
        if edge is not None and (not gradients.wanted_edges or may_lead_to(gradients.wanted_edges, edge)):
            gradients.add(edge, dx)


class Gradients:
    """The books of one backward: the gradients that have arrived, by edge, and the nodes that wait.

    consumer: the line of this backward, in whose name nodes are freed once they are passed; None: they are
    usable for another. wanted_edges: the only edges whose gradients matter; None: those of all leaves. lift:
    turns saved values into Tensors; gradients are Tensors then, and the rules are recorded themselves
    (create_graph). array_type: the type of a gradient.
    """

    def __init__(
        self,
        consumer: Where | None = None,
        wanted_edges: Collection[Any] | None = None,
        lift: Callable[[Node], dict[str, Any]] | None = None,
        array_type: type[Any] = np.ndarray,
    ) -> None:
        self.consumer, self.wanted_edges = consumer, wanted_edges
        self.lift, self.array_type = lift, array_type
        self.arrived: dict[Any, Any] = {}  # by edge: the sum of what has arrived
        self.waiting: dict[int, Node] = {}  # by index: nodes that a gradient has arrived at
        self.newest_first: list[int] = []  # their indices, negated: a heap gives the smallest first
        self.at_results: dict[Any, Any] = {}  # by edge: of results that somebody asked for
        self.node: Node | None = None  # whose turn it is
        self.rule: Rule | None = None  # the rule of that node that runs, or ran last; None before the first

    def as_gradient(self, array: Array) -> Any:
        """An array as a gradient of this backward: a Tensor, where the rules are recorded."""
        return array if self.lift is None else self.array_type(array)

    def newest_node(self) -> Node:
        """The newest node that waits, whose gradient is complete."""
        self.node, self.rule = self.waiting.pop(-heappop(self.newest_first)), None
        return self.node

    def take(self, node: Node) -> Any:
        """dY of a node after its hooks, an array read-only; of an op with several outputs a tuple."""
        if node._listeners is None and not node.several and not self.wanted_edges:
            # nearly always: one output, no hooks, and nobody asks for the gradient of a result. A plain tuple
            # equals Output(node, 0), and costs less
            dy = self.arrived.pop((node, 0))
            return dy if self.lift is not None else read_only(dy)
        dys = [self.take_output(Output(node, slot)) for slot in range(len(node.outputs))]
        return tuple(dys) if node.several else dys[0]

    def take_output(self, output: Output) -> Any:
        """The gradient of one output after its hooks: zeros if nobody used it, None for integers."""
        node, slot = output
        shape, dtype = node.outputs[slot]
        if dtype not in FLOATS:
            return None
        dy = self.arrived.pop(output, None)
        if dy is None:
            dy = self.as_gradient(np.zeros(shape, dtype))
        if self.lift is None:
            dy = read_only(dy)
        listeners = node._listeners
        if listeners is not None and slot in listeners.hooks:
            dy = run_hooks(listeners.hooks[slot], dy)
        retained = listeners is not None and slot in listeners.retained
        if retained or output in (self.wanted_edges or ()):
            self.at_results[output] = dy
        return dy

    def add(self, edge: Any, gradient: Any) -> None:
        """A gradient has arrived at an edge: the first one, or one more summand."""
        node, slot = edge if type(edge) is Output else (None, 0)  # of a leaf no node
        # shape_and_dtype, written out: one call less for each rule
        shape, dtype = (edge._data.shape, edge._data.dtype) if node is None else node.outputs[slot]
        if type(gradient) is not self.array_type or gradient.shape != shape or gradient.dtype is not dtype:
            gradient = fit(gradient, edge, self)
        before = self.arrived.get(edge)
        if before is not None:
            gradient = before + gradient  # out of place: whoever made a summand may still hold it
            if self.lift is None:
                gradient = np.asarray(gradient)  # a sum of arrays without dimensions is a NumPy number
        elif node is not None and node.index not in self.waiting:
            self.waiting[node.index] = node
            heappush(self.newest_first, -node.index)
        self.arrived[edge] = gradient

    def leave(self, node: Node) -> None:
        """A node has been passed."""
        if self.consumer is not None:
            node.free(self.consumer)

    def at_leaves(self) -> dict[Any, Any]:
        """By edge: what has arrived at the leaves, after their hooks, and what at results that somebody asked
        for. Once no node waits, `arrived` holds leaves alone.
        """
        for leaf, gradient in self.arrived.items():
            if leaf._listeners is not None and leaf._listeners.hooks:
                self.arrived[leaf] = run_hooks(leaf._listeners.hooks[0], gradient)
        return {**self.at_results, **self.arrived}


def may_lead_to(wanted_edges: Collection[Any], edge: Any) -> bool:
    """False where the edge leads to a leaf that is not wanted; what lies behind a node is not looked at."""
    if type(edge) is list:
        return any(may_lead_to(wanted_edges, each) for each in edge)
    return type(edge) is Output or edge in wanted_edges


def fit(dx: Any, edge: Any, gradients: Gradients) -> Any:
    """What a rule returned as its input's gradient: summed back over broadcast axes, and cast back."""
    shape, dtype = shape_and_dtype(edge)
    is_array = isinstance(dx, (np.generic, np.ndarray)) and not isinstance(dx, REFUSED_SUBCLASSES)
    if gradients.array_type is np.ndarray and is_array:
        dx = np.asarray(dx)  # a NumPy number, or a subclass that does no harm
    check_gradient(dx, shape, gradients)
    dx = dx if dx.shape == shape else OPS["sum_to"](dx, shape=shape)
    return dx if dx.dtype == dtype else OPS["to"](dx, dtype=dtype)


def check_gradient(dx: Any, shape: tuple[int, ...], gradients: Gradients) -> None:
    """Refuse what a rule returned unless it can be the gradient of an input of this shape."""
    node, rule, expected = gradients.node, gradients.rule, gradients.array_type
    if not isinstance(dx, expected) or isinstance(dx, REFUSED_SUBCLASSES):
        raise RuleError(
            f"{rule} returned {type(dx).__name__}; "
            f"here it must return {expected.__name__} of shape {show_shape(shape)}"
        )
    broadcasting = node is not None and node.op.broadcasting
    if dx.dtype not in FLOATS or (dx.shape != shape and not broadcasting):
        raise RuleError(
            f"{rule} returned {show_array(dx)}; it must be floating-point (float16, float32 or float64) of "
            f"shape {show_shape(shape)}"
        )


def add_note(error: Exception, node: Node, rule: Rule | None, dy: Any) -> None:
    """Note on an exception raised by a rule: the op, the shapes, and the line of the forward."""
    if rule is None or not hasattr(error, "add_note"):  # Python 3.11 has it
        return
    dys = [("dy", each) for each in members_of(dy)]
    values = [*dys, *node.saved.items()]
    shapes = ", ".join(f"{name} {show_array(value)}" for name, value in values if hasattr(value, "dtype"))
    error.add_note(f"in {rule}, called at {node.place}: {shapes}")
