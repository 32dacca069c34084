"""The backward, one op at a time: a `Step` of each node that a sweep passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

from ..engine.backpropagation import accumulate, enter_seeds
from ..engine.backward import Gradients, send_back, sweep
from ..engine.differentiate import lift
from ..engine.location import user_where
from ..engine.node import Node, Output, input_edges, nodes_behind
from ..engine.observe import Call, ObservedGradients, Observer, followers_now
from ..engine.observed import BACKWARD, unobserved
from ..engine.tensor import Tensor
from ..errors import show_tensor
from .step import Accumulated, Kept, Source, Step, place_of, rules_of
from .values import NodeValues, Values, keep_constants


class StepObserver(Observer):
    """A `with` block in which what runs is looked at. Context-local: other threads are not.

    Of ops that run inside, constants that no rule reads are known too, to whoever asks for their steps later:
    the tape alone does not keep them. Ops on plain arrays, which rules are made of, are not observed one by
    one: they are part of the step of their rule. Nobody observes what an observer does itself.
    """

    numbering: dict[Any, Any]  # of the sweep that is observed: what steps call its edges
    values: Values
    step: Step  # that is being made
    # (position, edge) of those that a variadic rule has not reached
    inputs_to_come: Iterator[tuple[int, Any]]

    def before_step(self, step: Step, node: Node) -> None:
        """The rules of an op are going to run."""

    def after_step(self, step: Step) -> None:
        """They have."""

    def after_op(self, call: Call) -> None:
        keep_constants(call)

    def before_sweep(self, gradients: Gradients) -> None:
        roots = list(gradients.waiting.values())
        self.values = Values(roots)
        self.numbering = number_edges(nodes_behind(roots), gradients.arrived)

    def before_rules(self, gradients: Gradients, node: Node, dy: Any) -> None:
        if gradients.consumer is not None:
            self.values.roots = [node, *gradients.waiting.values()]  # newer ones are freed
        self.step = step_of(node, dy, self.numbering, self.values)
        self.inputs_to_come = iter(enumerate(input_edges(node)))
        self.before_step(self.step, node)

    def after_rule(self, gradients: Gradients, edge: Any, dx: Any, before: Any, after: Any) -> None:
        rule, accumulated = gradients.rule, Accumulated(before, after)
        assert rule is not None  # seeds come before any node's turn
        if not rule.variadic:
            self.step.grad_inputs[rule.argument] = dx
            self.step.accumulated[rule.argument] = accumulated
            return
        # not all are wanted
        position = next(position for position, its in self.inputs_to_come if its is edge)
        count = len(self.step.sources[rule.argument])
        for entries, entry in ((self.step.grad_inputs, dx), (self.step.accumulated, accumulated)):
            earlier = entries.get(rule.argument, (None,) * count)
            entries[rule.argument] = (*earlier[:position], entry, *earlier[position + 1 :])

    def after_rules(self, gradients: Gradients, node: Node) -> None:
        self.after_step(self.step)


class StepRecorder(StepObserver):
    """Keeps every step of a sweep."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def after_step(self, step: Step) -> None:
        self.steps.append(step)


def observed(tensor: Tensor, gradient: Any, *observers: Observer) -> ObservedGradients:
    """The books of a backward of the tensor, for observers of their own. Raises what `backward` raises."""
    gradients = ObservedGradients(observers)
    enter_seeds(gradients, [tensor], [gradient])
    return gradients


def steps(tensor: Tensor, gradient: Any = None, retain_graph: bool = False) -> Iterator[Step]:
    """Perform the backward of a tensor one op at a time, newest first, and yield each op's `Step` when done.

    Run to the end it leaves exactly what `tensor.backward(gradient, retain_graph)` leaves; left early,
    everything is as it was. The graph is freed at the end, not on the way. Raises what `backward` raises.
    """
    observer = StepObserver()
    gradients = observed(tensor, gradient, *followers_now(), observer)
    return step_through(gradients, observer, retain_graph)


def step_through(gradients: Gradients, observer: StepObserver, retain_graph: bool) -> Iterator[Step]:
    """Do what `sweep` does, and stop after each node."""
    nodes, seen = nodes_behind(gradients.waiting.values()), WeakSet[Step]()
    while gradients.waiting:
        with unobserved():
            token = BACKWARD.set(gradients)
            try:
                send_back(gradients.newest_node(), gradients)
            finally:
                BACKWARD.reset(token)
        step = observer.step
        del observer.step  # what nobody holds on to is free to go
        seen.add(step)
        yield step
        del step
    arrived = gradients.at_leaves()
    if not retain_graph:
        for step in seen:  # what somebody still has keeps its forward values
            step.forward = Kept(step.inputs, step.output)
        where = user_where()
        for node in nodes:
            node.free(where)
    accumulate(arrived)


def contributions(
    node: Node, dy: Any, wanted: set[Any] | None = None, create_graph: bool = False
) -> list[tuple[int, Any]]:
    """(position of the input, its gradient) for each leaf that a node reads, from the rules of this one node.

    wanted: only these leaves.
    """
    gradients = Gradients(None, wanted, *((lift, Tensor) if create_graph else ()))
    for slot, gradient in enumerate(dy if node.several else (dy,)):
        if gradient is not None:
            gradients.add(Output(node, slot), gradient)
    with unobserved():
        arrived = sweep(gradients)
    return [
        (position, arrived[leaf])
        for position, leaf in enumerate(input_edges(node))
        if leaf in arrived and (wanted is None or leaf in wanted)
    ]


def number_edges(nodes: list[Node], begun: Iterable[Any]) -> dict[Any, Any]:
    """How steps call what edges lead to: a result by its `Source`, a leaf by a name of its own.

    Results are counted from the oldest op on. begun: edges that a backward begins at, which may be leaves.
    """
    numbering: dict[Any, Any] = {}
    times_given: Counter[str] = Counter()
    for number, node in enumerate(nodes, 1):
        numbering.update({Output(node, slot): Source(number, slot) for slot in range(len(node.outputs))})
    for edge in (*(edge for node in nodes for edge in input_edges(node)), *begun):
        if isinstance(edge, Tensor) and edge not in numbering:
            name = show_tensor(edge)
            times_given[name] += 1
            numbering[edge] = name if times_given[name] == 1 else f"{name} #{times_given[name]}"
    return numbering


def step_of(node: Node, dy: Any, numbering: dict[Any, Any], values: Values) -> Step:
    """The step of a node whose rules are still to run."""
    sources, variadic = [numbering.get(edge) for edge in input_edges(node)], node.op.variadic
    return Step(
        number=numbering[Output(node, 0)].number,
        op=node.op.name,
        params=node.params,
        where=place_of(node),
        rule=rules_of(node),
        read=dict(node.saved),
        shapes=tuple(node.outputs),
        sources={variadic: tuple(sources)} if variadic else dict(zip(node.op.inputs, sources)),
        grad_output=dy,
        forward=NodeValues(node, values),
    )
