"""The tape: what ran (`Node`), and the way back through it (`sweep`).

A node points backwards only, at what made its inputs. Nothing points forward, so no cycle exists, and a graph that nobody
holds is freed by reference counting alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any
from weakref import ref

import numpy as np

from .. import errors
from ..dtypes import FLOATS
from .registry import OPS
from .where import Where, show_where, user_where

tick = itertools.count(1).__next__
"""The creation counter. A node's inputs were made before it, so creation order is topological."""


class Mutations:
    latest = 0
    """When a tensor was last changed in place, anywhere: newer nodes need not be looked at for changes."""


class Handle:
    """What registering a hook returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks, self._key = hooks, tick()
        hooks[self._key] = hook

    def remove(self) -> None:
        self._hooks.pop(self._key, None)


class Notes:
    """What is out of the ordinary about a node, or about a leaf. Most have none."""

    __slots__ = ("after", "hooks", "many", "retained")

    def __init__(self) -> None:
        self.hooks: dict[int, dict[int, Callable[..., Any]]] = {}  # output slot → hooks on its gradient
        self.after: dict[int, Callable[..., Any]] = {}  # hooks on a leaf whose `.grad` was written
        self.retained: dict[int, ref[Any]] = {}  # output slot → the tensor that wants its gradient
        self.many = False  # the op returned a tuple


class Node:
    """One op that ran, holding what its rules will read, and nothing else.

    edges: for each input where its gradient goes: the leaf tensor, or `(node, output slot)`, or None where none is wanted;
    a list of these for a variadic input. saved: the values that the rules name, in the order of `op.saves`. outputs: shape
    and dtype of each. guards: the tensors whose memory `saved` shows. names: those of constant inputs, by position.
    """

    __slots__ = ("consumed", "edges", "guards", "index", "layer", "names", "notes", "op", "outputs", "params", "saved", "where")

    def __init__(
        self, op: Any, edges: Any, saved: Any, params: Any, outputs: Any, guards: Any, names: Any, where: Where, layer: str
    ) -> None:
        self.op, self.edges, self.saved, self.params, self.outputs = op, edges, saved, params, outputs
        self.guards, self.names, self.where, self.layer, self.index = guards, names, where, layer, tick()
        self.notes: Notes | None = None
        self.consumed: Where | None = None  # the line of the backward that freed it

    @property
    def place(self) -> str:
        """The user's file and line."""
        return show_where(self.where)

    def __repr__(self) -> str:
        outputs = ", ".join(f"{dtype}{errors.show_shape(shape)}" for shape, dtype in self.outputs)
        return f"<{self.op.name} → {outputs}, {self.place}{self.layer and ' in '}{self.layer}>"

    def note(self) -> Notes:
        self.notes = self.notes or Notes()
        return self.notes

    def free(self, where: Where) -> None:
        """Let go of everything but the lines, once a backward has passed."""
        self.saved, self.edges, self.guards, self.params, self.consumed = None, (), (), {}, where


def sweep(
    ahead: dict[int, Node], grads: dict[Any, Any], keep: bool = False, wanted: Any = None, lift: Any = None, kind: Any = np.ndarray
) -> dict[Any, Any]:
    """Carry gradients back through the tape, newest op first; return those of the leaves that were reached, by leaf.

    ahead: the nodes to begin at, by minus their index; grads: their outputs' gradients, by edge. The graph is found on the
    way: the newest node not yet passed has no consumer left, so its gradient is complete. keep: leave the nodes as they
    are, for another sweep. wanted: the only edges whose gradients matter. With `lift`, which turns a node's saved arrays
    into Tensors (of type `kind`), the rules see Tensors and are recorded themselves.
    """
    heap, found, here = sorted(ahead), {}, None  # a sorted list is a heap
    try:
        while heap:
            up = ahead.pop(heappop(heap))
            dy, saved, rule = grads.pop((up, 0), None), up.saved, None
            if lift or wanted or up.notes or saved is None or up.index < Mutations.latest:
                dy, saved = prepare(up, dy, grads, found, wanted, lift, kind)
            for rule, edge in zip(up.op.rules, up.edges):
                if edge is None or (wanted and not leads_on(edge, wanted)):
                    continue
                given = up.params if rule.takes_all else dict(zip(rule.params, map(up.params.get, rule.params)))
                dx = rule.function(dy, *map(saved.__getitem__, rule.reads), **given)
                for target, part in zip(edge, parts(rule, edge, dx)) if rule.variadic else ((edge, dx),):
                    if target is None:
                        continue
                    inner = type(target) is tuple
                    shape, dtype = target[0].outputs[target[1]] if inner else (target.data.shape, target.data.dtype)
                    if type(part) is not kind or part.shape != shape or part.dtype != dtype:
                        part = fit(up, rule, part, shape, dtype, kind)
                    if target in grads:
                        part = grads[target] + part
                    elif inner and -target[0].index not in ahead:
                        ahead[-target[0].index] = target[0]
                        heappush(heap, -target[0].index)
                    grads[target] = read_only(part) if inner and not lift else part
            if not keep:
                up.free(here := here or user_where())
    except Exception as error:
        if rule is not None and hasattr(error, "add_note"):  # Python 3.11
            error.add_note(errors.failure_note(up, rule, dy))
        raise
    return {**found, **grads}


def prepare(up: Node, dy: Any, grads: Any, found: Any, wanted: Any, lift: Any, kind: Any) -> tuple[Any, Any]:
    """The gradient and the saved values of a node with something out of the ordinary about it, or about the sweep."""
    notes = up.notes or Notes()
    if up.consumed:
        raise errors.consumed(up, show_where(up.consumed))
    for tensor in up.guards:
        if tensor._stamp > up.index:
            raise errors.mutated(up, tensor)
    dys = [dy, *(grads.pop((up, slot), None) for slot in range(1, len(up.outputs)))]
    for slot, (shape, dtype) in enumerate(up.outputs):
        if dys[slot] is None and dtype in FLOATS:  # an output that nobody used
            dys[slot] = np.zeros(shape, dtype) if lift is None else kind(np.zeros(shape, dtype))
        if slot in notes.hooks:
            dys[slot] = run_hooks(notes.hooks[slot], dys[slot])
        if slot in notes.retained or (wanted and (up, slot) in wanted):
            found[up, slot] = dys[slot]
    return tuple(dys) if notes.many else dys[0], lift(up) if lift else up.saved


def leads_on(edge: Any, wanted: Any) -> bool:
    """Whether a gradient sent along the edge can reach a wanted one: an inner edge may, a leaf must be one."""
    return any(leads_on(one, wanted) for one in edge) if type(edge) is list else type(edge) is tuple or edge in wanted


def parts(rule: Any, edges: list[Any], dxs: Any) -> Any:
    """What the rule of a variadic input returned: a gradient for each."""
    if not isinstance(dxs, (tuple, list)) or len(dxs) != len(edges):
        raise errors.wrong_count(rule, len(edges))
    return dxs


def fit(up: Node, rule: Any, dx: Any, shape: tuple[int, ...], dtype: Any, kind: Any) -> Any:
    """What a rule returned, as the input's gradient: summed back over broadcast axes and cast back, or an error."""
    if kind is np.ndarray and isinstance(dx, (np.generic, np.ndarray)):
        dx = np.asarray(dx)
    if not isinstance(dx, kind):
        raise errors.wrong_kind(rule, dx, kind, shape)
    if dx.dtype not in FLOATS or (dx.shape != shape and not up.op.broadcasting):
        raise errors.wrong_gradient(rule, dx, shape)
    dx = dx if dx.shape == shape else OPS["sum_to"](dx, shape=shape)
    return dx if dx.dtype == dtype else OPS["to"](dx, dtype=dtype)


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array as rules get to see it."""
    view = array.view()
    view.flags.writeable = False
    return view


def run_hooks(hooks: dict[int, Callable[..., Any]], gradient: Any) -> Any:
    """The gradient after its hooks: what one returns takes its place."""
    for hook in tuple(hooks.values()):
        changed = hook(gradient)
        if changed is not None:
            if getattr(changed, "shape", None) != gradient.shape:
                raise errors.wrong_hook(changed, gradient)
            gradient = type(gradient)(changed) if not isinstance(gradient, np.ndarray) else np.asarray(changed, gradient.dtype)
    return gradient
