"""The backward, one op at a time.

The walk hands the engine's own sweep one node at a time: a copy whose edges lead to placeholders, so what the
sweep returns is what this op contributes to each of its inputs. Adding that up, newest op first, is all a
sweep does besides.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from heapq import heappop, heappush
from typing import Any
from weakref import WeakSet

import numpy as np

from .. import errors
from ..engine.modes import WATCH
from ..engine.tape import Node, Notes, leads_on, prepare, read_only, sweep
from ..engine.tensor import Tensor, deposit, run
from ..places import user_where
from .listing import input_edges, nodes_behind
from .step import Accumulated, Kept, Source, Step, place_of, rules_of
from .values import NodeValues, Values, is_many


class Beginning:
    """In the place of a debugger that takes a sweep over: it only hands out what the sweep would begin
    with.
    """

    def sweep(self, *beginning: Any) -> Any:
        return beginning


def begin(tensor: Tensor, gradient: Any) -> tuple[dict[int, Node], dict[Any, Any]]:
    """The nodes and the gradients that a backward of the tensor begins with. Raises what `backward`
    raises.
    """
    token = WATCH.set(Beginning())
    try:
        ahead, grads, *_ = run([tensor], [gradient], True)
        return ahead, grads
    finally:
        WATCH.reset(token)


def steps(tensor: Tensor, gradient: Any = None, retain_graph: bool = False) -> Iterator[Step]:
    """Perform the backward of a tensor one op at a time, newest first, and yield each op's `Step` when it is
    done.

    Run to the end it leaves exactly what `tensor.backward(gradient, retain_graph)` leaves; left early,
    everything is as it was. The graph is freed at the end, not on the way. Raises what `backward` raises.
    """
    ahead, grads = begin(tensor, gradient)
    return _steps(ahead, grads, retain_graph)


def _steps(ahead: dict[int, Node], grads: dict[Any, Any], retain_graph: bool) -> Iterator[Step]:
    nodes, looked_at = nodes_behind(ahead.values()), WeakSet[Step]()
    stepping = walk(ahead, grads, True)
    try:
        while True:
            step = next(stepping)
            looked_at.add(step)
            yield step
            del step
    except StopIteration as end:
        found = end.value
    if not retain_graph:
        for step in looked_at:  # what somebody still has keeps its forward values
            step.forward = Kept(step.inputs, step.output)
        here = user_where()
        for node in nodes:
            node.free(here)
    deposit(found)


def walk(
    ahead: dict[int, Node],
    grads: dict[Any, Any],
    keep: bool,
    wanted: Any = None,
    lift: Any = None,
    before: Callable[[Step, Node], None] | None = None,
    edit: Callable[[Step], Any] | None = None,
) -> Generator[Step, None, dict[Any, Any]]:
    """What `sweep` does, with a step for each op, which is yielded when it is done.

    before: gets the step and its node right before the rules run. edit: returns what takes the place of the
    step's `grad_output`, or None.
    """
    roots = list(ahead.values())
    called = number_edges(nodes_behind(roots))
    values, heap = Values(roots), sorted(ahead)
    found: dict[Any, Any] = {}
    kind = type(next(iter(grads.values())))
    while heap:
        node = ahead.pop(heappop(heap))
        dy, _ = prepare(node, grads.pop((node, 0), None), grads, found, wanted, lift and no_values, kind)
        if not keep:
            values.roots = [node, *ahead.values()]  # newer ones are freed
        step = step_of(node, dy, called, values)
        edited = edit(step) if edit else None
        if edited is not None:
            step.grad_output = dy = edited
        watcher = partial(tell, before, step, node) if before else None
        for position, target, part in contributions(node, dy, wanted, lift, watcher):
            earlier, inner = grads.get(target), type(target) is tuple
            after = part if earlier is None else earlier + part
            after = after if lift else np.asarray(after)  # the sum of two 0-d arrays is a scalar
            grads[target] = read_only(after) if inner and not lift else after
            note(step, node, position, part, Accumulated(earlier, grads[target]))
            if inner and earlier is None and -target[0].index not in ahead:
                ahead[-target[0].index] = target[0]
                heappush(heap, -target[0].index)
        yield step
        if not keep:
            node.free(user_where())
    return {**found, **(sweep({}, grads, True) if grads else {})}  # which runs the leaves' hooks


def walk_through(
    stepping: Generator[Step, None, dict[Any, Any]], each: Callable[[Step], Any]
) -> dict[Any, Any]:
    """A walk to its end: `each` gets every step, newest op first; what it returns are the gradients."""
    while True:
        try:
            step = next(stepping)
        except StopIteration as end:
            found: dict[Any, Any] = end.value
            return found
        each(step)


def tell(before: Callable[[Step, Node], None], step: Step, node: Node, gradient: Any) -> None:
    """A hook on the gradient, so that a debugger which stops there is a few presses of `step` from the first
    rule.
    """
    before(step, node)


def contributions(
    node: Node, dy: Any, wanted: Any = None, lift: Any = None, hook: Callable[[Any], None] | None = None
) -> list[tuple[int, Any, Any]]:
    """(input, target, gradient) for each input that a gradient is wanted for, from the rules of this one
    node.

    hook: is called by the sweep, after everything has been prepared.
    """
    edges = [
        edge if edge is not None and (not wanted or leads_on(edge, wanted)) else None
        for edge in input_edges(node)
    ]
    placeholders = [edge if edge is None else placeholder(edge) for edge in edges]
    alone = copy.copy(node)
    alone.edges = [placeholders] if node.op.variadic else placeholders
    alone.guards, alone.notes = (), Notes(is_many(node))  # hooks have run, changes have been looked for
    alone.notes.hooks = {0: {0: hook}} if hook else {}
    seeds = {(alone, slot): one for slot, one in enumerate(dy if is_many(node) else (dy,)) if one is not None}
    parts = sweep(
        {-alone.index: alone}, seeds, True, None, lift and (lambda _: lift(node))
    )  # its edges are the true ones
    return [
        (at, edge, parts[leaf])
        for at, (edge, leaf) in enumerate(zip(edges, placeholders))
        if leaf is not None
    ]


def placeholder(edge: Any) -> Tensor:
    """A leaf of the shape and dtype of what an edge leads to."""
    shape, dtype = edge[0].outputs[edge[1]] if type(edge) is tuple else (edge.data.shape, edge.data.dtype)
    return Tensor(np.broadcast_to(np.zeros((), dtype), shape))


def no_values(node: Node) -> None:
    """What `prepare` need not lift: the rules of the node's copy will be given it."""


def number_edges(nodes: list[Node], begun: Iterable[Any] = ()) -> dict[Any, Any]:
    """How steps call what edges lead to: a result by its `Source`, counted from the oldest; a leaf by a name
    of its own.

    begun: edges that a backward begins at, which may be leaves.
    """
    called: dict[Any, Any] = {}
    names: Counter[str] = Counter()
    for number, node in enumerate(nodes, 1):
        called.update({(node, slot): Source(number, slot) for slot in range(len(node.outputs))})
    for leaf in (*(edge for node in nodes for edge in input_edges(node)), *begun):
        if isinstance(leaf, Tensor) and leaf not in called:
            name = errors.show_tensor(leaf)
            names[name] += 1
            called[leaf] = name if names[name] == 1 else f"{name} #{names[name]}"
    return called


def step_of(node: Node, dy: Any, called: dict[Any, Any], values: Values) -> Step:
    """The step of a node whose rules are still to run."""
    sources, variadic = [called.get(edge) for edge in input_edges(node)], node.op.variadic
    return Step(
        number=called[node, 0].number,
        op=node.op.name,
        params=node.params,
        where=place_of(node),
        rule=rules_of(node),
        read={name: node.saved[place] for name, place in node.op.saves.items()},
        shapes=node.outputs,
        sources={variadic: tuple(sources)} if variadic else dict(zip(node.op.inputs, sources)),
        grad_output=dy,
        forward=NodeValues(node, values),
    )


def note(step: Step, node: Node, position: int, part: Any, accumulated: Accumulated) -> None:
    """Enter a contribution into the step, under its argument; those of a variadic one lie in a tuple."""
    if not node.op.variadic:
        name = node.op.inputs[position]
        step.grad_inputs[name], step.accumulated[name] = part, accumulated
        return
    for found, one in ((step.grad_inputs, part), (step.accumulated, accumulated)):
        earlier = found.get(node.op.variadic, (None,) * len(input_edges(node)))
        found[node.op.variadic] = (*earlier[:position], one, *earlier[position + 1 :])
