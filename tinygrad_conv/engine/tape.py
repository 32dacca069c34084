"""The tape: what ran (`Node`), and the way back through it (`sweep`).

A node points backwards only, at what made its inputs. Nothing points forward, so no cycle exists, and a graph
that nobody holds is freed by reference counting alone.
"""

from __future__ import annotations

import itertools
from heapq import heappop, heappush
from typing import Any
from weakref import ref

import numpy as np

from .. import errors
from ..dtypes import FLOATS
from ..hooks import Hooks, run_hooks
from ..places import Where, show_where, user_where
from .registry import OPS

tick = itertools.count(
    1
).__next__  # the creation counter: a node's inputs were made before it, so its order is topological


class Mutations:
    latest = (
        0  # when a tensor was last changed in place, anywhere: newer nodes need not be looked at for changes
    )


class Notes:
    """What is out of the ordinary about a node, or about a leaf. Most have none."""

    __slots__ = ("after", "hooks", "many", "retained")

    def __init__(self, many: bool = False) -> None:
        self.many = many  # the op returned a tuple
        self.hooks: dict[int, Hooks] = {}  # output slot → hooks on its gradient
        self.after: Hooks = {}  # hooks on a leaf whose `.grad` was written
        self.retained: dict[int, ref[Any]] = {}  # output slot → the tensor that wants its gradient


class Node:
    """One op that ran, holding what its rules will read, and nothing else."""

    __slots__ = (
        "consumed",
        "edges",
        "guards",
        "index",
        "layer",
        "names",
        "notes",
        "op",
        "outputs",
        "params",
        "saved",
        "where",
    )
    op: Any
    # for each input where its gradient goes: a leaf, `(node, output slot)`, or None; a list of these if
    # variadic
    edges: Any
    saved: Any  # the values that the rules name, in the order of `op.saves`
    params: dict[str, Any]
    outputs: Any  # shape and dtype of each
    guards: Any  # the tensors whose memory `saved` shows
    names: Any  # of constant inputs, by position (or the scalar)
    layer: str
    where: Where
    index: int
    notes: Notes | None
    consumed: Where | None  # the line of the backward that freed it

    @property
    def place(self) -> str:
        """The user's file and line."""
        return show_where(self.where)

    def __repr__(self) -> str:
        return errors.show_node(self)

    def _repr_html_(self) -> str:
        from ..debug.html import show_node

        return show_node(self)  # the engine stands without it

    def note(self) -> Notes:
        self.notes = self.notes or Notes()
        return self.notes

    def free(self, where: Where) -> None:
        """Let go of everything but the lines, once a backward has passed."""
        self.saved, self.edges, self.guards, self.params, self.consumed = None, (), (), {}, where


def sweep(
    ahead: dict[int, Node], grads: dict[Any, Any], keep: bool, wanted: Any = None, lift: Any = None
) -> dict[Any, Any]:
    """Carry gradients back through the tape, newest op first; return those of the leaves that were reached,
    by leaf.

    ahead: the nodes to begin at, by minus their index; grads: their outputs' gradients, by edge. The graph is
    found on the way: the newest node not yet passed has no consumer left, so its gradient is complete. keep:
    leave the nodes as they are, for another sweep. wanted: the only edges whose gradients matter. With
    `lift`, which turns a node's saved arrays into Tensors, the gradients are Tensors, the rules see Tensors
    and are recorded themselves.
    """
    heap, kind, found, here = sorted(ahead), type(next(iter(grads.values()))), {}, None  # type: ignore[var-annotated]
    try:
        while heap:
            node = ahead.pop(heappop(heap))
            dy, saved, rule = grads.pop((node, 0), None), node.saved, None
            if lift or wanted or node.notes or saved is None or node.index < Mutations.latest:
                dy, saved = prepare(node, dy, grads, found, wanted, lift, kind)
            for rule, edge in zip(node.op.rules, node.edges):
                if edge is None or (wanted and not leads_on(edge, wanted)):
                    continue
                dx = rule.function(
                    dy,
                    *map(saved.__getitem__, rule.reads),
                    **(rule.some(node) if rule.partial else node.params),
                )
                for target, part in (
                    zip(edge, errors.check_count(rule, dx, edge)) if rule.variadic else ((edge, dx),)
                ):
                    if target is None:
                        continue
                    inner = type(target) is tuple
                    shape, dtype = (
                        target[0].outputs[target[1]] if inner else (target.data.shape, target.data.dtype)
                    )
                    if type(part) is not kind or part.shape != shape or part.dtype != dtype:
                        part = fit(node, rule, part, shape, dtype, kind)
                    if target in grads:
                        part = (
                            grads[target] + part if lift else np.asarray(grads[target] + part)
                        )  # 0-d sums are scalars
                    elif inner and -target[0].index not in ahead:
                        ahead[-target[0].index] = target[0]
                        heappush(heap, -target[0].index)
                    grads[target] = read_only(part) if inner and not lift else part
            if not keep:
                node.free(here := here or user_where())
    except Exception as error:
        if rule is not None and hasattr(error, "add_note"):  # Python 3.11
            error.add_note(errors.failure_note(node, rule, dy))
        raise
    for leaf in grads:
        if leaf._notes and leaf._notes.hooks:
            grads[leaf] = run_hooks(leaf._notes.hooks[0], grads[leaf])
    return {**found, **grads}


def prepare(
    node: Node, dy: Any, grads: Any, found: Any, wanted: Any, lift: Any, kind: Any
) -> tuple[Any, Any]:
    """The gradient and the saved values of a node with something out of the ordinary about it, or about the
    sweep.
    """
    notes = node.notes or Notes()
    errors.check_unconsumed(node)
    errors.check_unchanged(node)
    dys = [dy, *(grads.pop((node, slot), None) for slot in range(1, len(node.outputs)))]
    for slot, (shape, dtype) in enumerate(node.outputs):
        if dys[slot] is None and dtype in FLOATS:  # an output that nobody used
            dys[slot] = np.zeros(shape, dtype) if lift is None else kind(np.zeros(shape, dtype))
        if slot in notes.hooks:
            dys[slot] = run_hooks(notes.hooks[slot], dys[slot])
        if slot in notes.retained or (wanted and (node, slot) in wanted):
            found[node, slot] = dys[slot]
    return tuple(dys) if notes.many else dys[0], lift(node) if lift else node.saved


def leads_on(edge: Any, wanted: Any) -> bool:
    """Whether a gradient sent along the edge can reach a wanted one: an inner edge may, a leaf must be
    one.
    """
    return (
        any(leads_on(one, wanted) for one in edge)
        if type(edge) is list
        else type(edge) is tuple or edge in wanted
    )


def fit(node: Node, rule: Any, dx: Any, shape: tuple[int, ...], dtype: Any, kind: Any) -> Any:
    """What a rule returned, as the input's gradient: summed back over broadcast axes and cast back, or an
    error.
    """
    dx = np.asarray(dx) if kind is np.ndarray and isinstance(dx, (np.generic, np.ndarray)) else dx
    errors.check_gradient(rule, dx, kind, shape, node.op.broadcasting)
    dx = dx if dx.shape == shape else OPS["sum_to"](dx, shape=shape)
    return dx if dx.dtype == dtype else OPS["to"](dx, dtype=dtype)


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array as rules get to see it."""
    view = array.view()
    view.setflags(write=False)
    return view
