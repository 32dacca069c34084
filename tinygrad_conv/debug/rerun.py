"""A recorded program as a tape again: its rules can run once more, on what they read then."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ..dtypes import Array
from ..engine.backward import sweep
from ..engine.hooks import Handle
from ..engine.location import Place
from ..engine.node import Node, Output
from ..engine.observe import ObservedGradients, Observer
from ..engine.observed import unobserved
from ..engine.registry import OPS
from ..engine.tensor import Tensor
from ..errors import show_array, show_shape
from ..members import members_of
from .recorded import Recorded
from .step import Source, Step
from .stepping import StepRecorder

Run = TypeVar("Run", bound=Recorded)


def rerun(recording: Run, from_step: int | Step, grad_output: Any) -> Run:
    """The backward of a recording, with another `grad_output` at one step.

    from_step: a step, or its position in the recording. grad_output: an array of the recorded one's shape, or
    a tuple of them; it is cast to the recorded dtype. Newer steps, and other ways around that step, stay as
    they were.

    Raises ValueError for another shape, RuntimeError where a hook of the user's would have to run again.
    """
    start = from_step if isinstance(from_step, Step) else recording[from_step]
    edited = fitted(grad_output, start)
    check_no_hooks_behind(start, recording)
    nodes, leaves = rebuilt(recording)
    for node, step in zip(nodes, recording):
        if step.number >= start.number:
            replace_gradient(node, edited if step.number == start.number else step.grad_output)
    recorder = StepRecorder()
    gradients = begun(recording, nodes, leaves, recorder)
    with unobserved():
        arrived = sweep(gradients)
    steps = [
        dataclasses.replace(step, where=old.where, forward=old.forward)
        for step, old in zip(reversed(recorder.steps), recording)
    ]
    grads = {name: arrived[leaf] for name, leaf in leaves.items()}
    return type(recording)(steps, recording.leaves, grads, recording.seeds)


def check_no_hooks_behind(start: Step, recording: Recorded) -> None:
    """Refuse a rerun that would come to a gradient which a hook has changed."""
    for edge in recording.hooked:
        if isinstance(edge, str) or edge.number < start.number:
            missing = "a recording has no hooks to run again"
            raise RuntimeError(f"rerun: a hook changed the gradient of {edge}, and {missing}")


def begun(
    recording: Recorded, nodes: list[Node], leaves: dict[str, Tensor], observer: Observer
) -> ObservedGradients:
    """The books of a backward through these nodes, with the seeds of the recorded one."""
    gradients = ObservedGradients((observer,))
    for source, seed in recording.seeds.items():
        gradients.add(edge_of(source, nodes, leaves), seed)
    return gradients


def replace_gradient(node: Node, gradient: Any) -> None:
    """Have this gradient stand in the place of the one that arrives at a node."""
    for slot, array in enumerate(members_of(gradient)):
        if array is not None:
            Handle(node.listeners().hooks.setdefault(slot, {}), partial(replacement, array=array))


def replacement(arrived: Array, array: Array) -> Array:
    """A hook that puts another gradient in the place of the one that arrived."""
    return array


def fitted(gradient: Any, step: Step) -> Any:
    """A gradient in the place of a step's own: its shape, its dtype."""
    if step.several:
        count = len(step.grad_output)
        if not isinstance(gradient, (tuple, list)) or len(gradient) != count:
            raise ValueError(f"rerun: {step.op} has {count} outputs; pass a tuple of as many gradients")
        return tuple(fitted_array(array, old, step.op) for array, old in zip(gradient, step.grad_output))
    return fitted_array(gradient, step.grad_output, step.op)


def fitted_array(gradient: Any, old: Array | None, op: str) -> Array | None:
    """One output's; an output of whole numbers has none."""
    if old is None and gradient is None:
        return None
    if old is None:
        raise ValueError(f"rerun: an output of {op} has no gradient; pass None in its place")
    array = np.asarray(gradient.data if isinstance(gradient, Tensor) else gradient)
    if array.shape != old.shape:
        shape = show_shape(array.shape)
        raise ValueError(f"rerun: grad_output is {shape}, but that of {op} is {show_array(old)}")
    return array.astype(old.dtype)


def rebuilt(recording: Recorded) -> tuple[list[Node], dict[str, Tensor]]:
    """The nodes of a recording, oldest first, and its leaves. Raises KeyError for an op not declared here."""
    leaves = {name: Tensor(array, requires_grad=True, name=name) for name, array in recording.leaves.items()}
    nodes: list[Node] = []
    for step in recording:
        edges = [edge_of(source, nodes, leaves) for source in sources_in_order(step)]
        nodes.append(node_of(step, edges))
    return nodes, leaves


def sources_in_order(step: Step) -> list[Any]:
    """Where the inputs came from, one by one, those of a variadic argument too."""
    return [source for sources in step.sources.values() for source in members_of(sources)]


def edge_of(source: Any, nodes: list[Node], leaves: dict[str, Tensor]) -> Any:
    """What a source is on a tape."""
    if isinstance(source, Source):
        return Output(nodes[source.number - 1], source.slot)
    return None if source is None else leaves[source]


def node_of(step: Step, edges: list[Any]) -> Node:
    """A step's node, with these edges."""
    if step.op not in OPS:
        raise KeyError(f"op {step.op!r} is not declared here: import the module that declares it")
    op = OPS[step.op]
    node = Node(
        op,
        edges=[edges] if op.variadic else edges,
        saved=dict(step.read),
        params=step.params,
        several=step.several,
        contents=[],
        constants=None,
        layer=step.where.layer,
        where=(code_at(step.where), -1),
    )
    node.outputs = list(step.shapes)
    return node


def placeholders_of(step: Step) -> list[Any]:
    """For a step's inputs: leaves with their values (0 if no rule reads one) where a gradient is wanted."""
    placeholders: list[Any] = []
    for name, sources in step.sources.items():
        count = len(members_of(sources))
        gradients, values = (
            (None,) * count if given is None else members_of(given)
            for given in (step.grad_inputs.get(name), step.read.get(name))
        )
        for source, gradient, value in zip(members_of(sources), gradients, values):
            wanted = source is not None and gradient is not None
            placeholders.append(placeholder(gradient, value) if wanted else None)
    return placeholders


def placeholder(gradient: Array, value: Array | None) -> Tensor:
    """A leaf with a value, or with zeros of the shape of its gradient."""
    zeros = np.broadcast_to(np.zeros((), gradient.dtype), gradient.shape)
    return Tensor(zeros if value is None else value, requires_grad=True)


def code_at(place: Place) -> Any:
    """A code object that says it stands at a place."""
    return code_at.__code__.replace(co_filename=place.file, co_firstlineno=place.line)
