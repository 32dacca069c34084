"""What the parts of a recording say of one another: numbers, names, shapes and dtypes that refer to others.

A recording for which all of this holds can be listed, explained, traced, compared and shown; for it to be run
again its ops must also take what was recorded of them, which trial.py tries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import FLOATS
from ...engine.registry import OPS
from ...errors import SHORT, RecordingError, show_array, show_shape
from ...members import members_of
from ..recorded import Recorded
from ..step import Accumulated, Source, Step


def check_references(recording: Recorded) -> None:
    """Raise RecordingError for the first thing that does not fit another."""
    check_leaves(recording)
    for position, step in enumerate(recording):
        where = f"structure: steps[{position}]"
        require(step.number == position + 1, f"{where}.number is {step.number}, not {position + 1}")
        check_outputs(step, where)
        check_sources(step, recording, where)
        check_inputs(step, recording, where)
        check_read(step, where)
        check_gradients(step, recording, where)
        check_declared(step, where)
    check_seeds(recording)
    check_way(recording)


def require(holds: bool, fault: str) -> None:
    """Raise RecordingError with this message unless it holds."""
    if not holds:
        raise RecordingError(fault)


def check_leaves(recording: Recorded) -> None:
    """Gradients are those of leaves, and of their shapes and dtypes; not every leaf's was wanted."""
    for name, grad in recording.grads.items():
        fault = f"structure: grads has {SHORT.repr(name)}, which is no leaf in here"
        require(name in recording.leaves, fault)
        leaf = recording.leaves[name]
        check_fits(grad, (leaf.shape, leaf.dtype), f"structure: grads[{name!r}]")


def check_fits(array: Any, expected: tuple[tuple[int, ...], Any], where: str) -> None:
    """An array has this shape and dtype."""
    shape, dtype = expected
    if not isinstance(array, np.ndarray):
        raise RecordingError(f"{where} is {SHORT.repr(array)}; it must be {dtype}{show_shape(shape)}")
    if (array.shape, array.dtype) != (shape, dtype):
        raise RecordingError(f"{where} is {show_array(array)}; it must be {dtype}{show_shape(shape)}")


def check_shape(array: Any, shape: tuple[int, ...], where: str) -> None:
    """An array has this shape, in whatever dtype: operands are brought to a common one."""
    if array.shape != shape:
        raise RecordingError(f"{where} is {show_array(array)}; it must be of {show_shape(shape)}")


def check_outputs(step: Step, where: str) -> None:
    """The outputs are of their shapes, and the gradient of each float one is of its own; others have none."""
    several, grads = step.several, members_of(step.grad_output)
    outputs = step.output if several else (step.output,)
    require(type(step.output) is tuple or not several, f"{where}.forward.output is not one of several")
    counts = {len(step.shapes), len(grads), len(outputs)}
    require(counts == {len(grads)} and counts != {0}, f"{where}.shapes are not as many as the gradients")
    for slot, (grad, output, (shape, dtype)) in enumerate(zip(grads, outputs, step.shapes)):
        if output is not None:
            check_fits(output, (shape, dtype), f"{where}.forward.output, slot {slot},")
        if dtype in FLOATS or not several:
            check_fits(grad, (shape, dtype), f"{where}.grad_output, slot {slot},")
        else:
            require(grad is None, f"{where}.grad_output, slot {slot}, is the gradient of {dtype}")


def shape_of(edge: Any, recording: Recorded) -> tuple[tuple[int, ...], Any]:
    """The shape and the dtype of a leaf or a result."""
    if isinstance(edge, str):
        return recording.leaves[edge].shape, recording.leaves[edge].dtype
    shape, dtype = recording[edge.number - 1].shapes[edge.slot]
    return shape, dtype


def check_edge(edge: Any, recording: Recorded, before: int, where: str) -> None:
    """An edge leads to a leaf, or to an output of a step before this number."""
    if isinstance(edge, str):
        require(edge in recording.leaves, f"{where} is {SHORT.repr(edge)}, which is no leaf in here")
        return
    require(edge.number < before, f"{where} is %{edge.number}, which is no step before %{before}")
    outputs = len(recording[edge.number - 1].shapes)
    require(edge.slot < outputs, f"{where} is output {edge.slot} of %{edge.number}, which has {outputs}")


def check_sources(step: Step, recording: Recorded, where: str) -> None:
    """Inputs come from leaves and from older ops, and from one of them at the least."""
    edges = [edge for source in step.sources.values() for edge in members_of(source)]
    any_variadic = any(type(source) is tuple for source in step.sources.values())
    require(not any_variadic or len(step.sources) == 1, f"{where}.sources has others beside a variadic one")
    require(any(edge is not None for edge in edges), f"{where}.sources leads nowhere")
    for name, source in step.sources.items():
        for edge in members_of(source):
            if edge is not None:
                check_edge(edge, recording, step.number, f"{where}.sources[{name!r}]")
                dtype = shape_of(edge, recording)[1]
                require(dtype in FLOATS, f"{where}.sources[{name!r}] is {dtype}, which has no gradient")


def check_inputs(step: Step, recording: Recorded, where: str) -> None:
    """The inputs, in the order of their sources, and of the shapes of what they came from."""
    wanted = [name for name, source in step.sources.items() if source is not None]
    given = [name for name in step.sources if name in step.inputs]
    named = list(step.inputs) == given and set(wanted) <= set(given)
    require(named, f"{where}.forward.inputs are {list(step.inputs)}, but come from {list(step.sources)}")
    for name, value in step.inputs.items():
        check_members(value, step.sources[name], f"{where}.forward.inputs[{name!r}]")
        for array, edge in zip(members_of(value), members_of(step.sources[name])):
            if array is not None and edge is not None:
                shape = shape_of(edge, recording)[0]
                check_shape(array, shape, f"{where}.forward.inputs[{name!r}]")


def check_members(value: Any, source: Any, where: str) -> None:
    """Of a variadic argument there are as many values as sources."""
    alike = (type(value) is tuple) == (type(source) is tuple)
    as_many = len(members_of(value)) == len(members_of(source))
    require(alike and as_many, f"{where} has not one part for each of its sources")


def check_read(step: Step, where: str) -> None:
    """What rules read of an input, of its shape and of the output is as those are."""
    for name, value in step.read.items():
        place = f"{where}.read[{name!r}]"
        if name in step.sources:
            check_read_input(step, name, value, place)
        elif name == "y":
            check_read_output(step, value, place)
        elif name.endswith("_shape") and name.removesuffix("_shape") in step.sources:
            check_read_shape(step, name.removesuffix("_shape"), value, place)


def check_read_input(step: Step, name: str, value: Any, where: str) -> None:
    """An input that a rule reads: the array that it was, or None for one that was left out."""
    check_members(value, step.sources[name], where)
    known, sources = members_of(step.inputs.get(name)), members_of(step.sources[name])
    for array, other, source in zip(members_of(value), known, sources):
        if other is not None:
            check_fits(array, (other.shape, other.dtype), where)
        elif array is not None:
            require(isinstance(array, np.ndarray), f"{where} is no array")
        if array is not None and source is not None:
            require(array.dtype in FLOATS, f"{where} is {array.dtype}, which has no gradient")


def check_read_output(step: Step, value: Any, where: str) -> None:
    """The output that a rule reads."""
    require((type(value) is tuple) == step.several, f"{where} is not one of several, or is")
    require(len(members_of(value)) == len(step.shapes), f"{where} has not one part for each output")
    for array, expected in zip(members_of(value), step.shapes):
        check_fits(array, expected, where)


def check_read_shape(step: Step, name: str, value: Any, where: str) -> None:
    """The shape of an input that a rule reads: a tuple, of a variadic one a tuple of them."""
    source, known = step.sources[name], members_of(step.inputs.get(name))
    shapes = value if type(source) is tuple else (value,)
    count = len(members_of(source))
    require(type(shapes) is tuple and len(shapes) == count, f"{where} is not of {count} inputs")
    for shape, array in zip(shapes, known):
        if shape is None or type(shape) is not tuple or not all(type(size) is int for size in shape):
            require(shape is None and array is None, f"{where} is {SHORT.repr(value)}, which is no shape")
        elif array is not None:
            check_shape(array, shape, f"{where} is of an input that")


def check_gradients(step: Step, recording: Recorded, where: str) -> None:
    """A rule for each input that came from somewhere; and where it was wanted the contribution and sums."""
    ruled = [name for name, source in step.sources.items() if source is not None]
    require(list(step.rule) == ruled, f"{where}.rule is of {list(step.rule)}, but the inputs are {ruled}")
    wanted = {name: wanted_parts(source, recording) for name, source in step.sources.items()}
    wanted = {name: edges for name, edges in wanted.items() if any(edge is not None for edge in edges)}
    for part in ("grad_inputs", "accumulated"):
        values = getattr(step, part)
        require(list(values) == list(wanted), f"{where}.{part} is of {list(values)}, not of {list(wanted)}")
        for name, edges in wanted.items():
            place = f"{where}.{part}[{name!r}]"
            check_members(values[name], step.sources[name], place)
            for value, edge in zip(members_of(values[name]), edges):
                check_contribution(value, edge, recording, place)


def wanted_parts(source: Any, recording: Recorded) -> tuple[Any, ...]:
    """The edges of an input to which a gradient went, and None for the others."""
    return tuple(
        None if isinstance(edge, str) and edge not in recording.grads else edge for edge in members_of(source)
    )


def check_contribution(value: Any, edge: Any, recording: Recorded, where: str) -> None:
    """A gradient, or one before and after it was added to, is of the shape of what it is the gradient of."""
    require((value is None) == (edge is None), f"{where} is there where none was wanted, or the reverse")
    arrays = value if isinstance(value, Accumulated) else (value,)
    for array in arrays:
        if array is not None:
            check_fits(array, shape_of(edge, recording), where)


def check_declared(step: Step, where: str) -> None:
    """Where the op is declared, it is one with these inputs, which has a rule for each that wants one."""
    op = OPS.get(step.op)
    if op is None:
        return  # in a module that is not imported: all that runs no op can be asked nevertheless
    subject = f"{where}: op {step.op!r}, as it is declared here,"
    inputs = [op.variadic] if op.variadic else list(op.inputs)
    same = list(step.sources) == inputs and step.variadic == bool(op.variadic)
    require(same, f"{subject} has the inputs {inputs}, not {list(step.sources)}")
    required = [name for name in op.inputs[: op.required] if not op.variadic]
    require(set(required) <= set(step.inputs), f"{subject} needs {required}, and got {list(step.inputs)}")
    same = set(step.params) == set(op.params)
    require(same, f"{subject} has the params {list(op.params)}, not {list(step.params)}")
    for rule in op.rules:
        if rule is not None and rule.argument in step.rule:
            missing = sorted({*rule.reads} - {*step.read} | {*rule.params} - {*step.params})
            require(not missing, f"{subject} has a rule that reads {missing}, which are not in here")
    ruled = {rule.argument for rule in op.rules if rule is not None}
    require(set(step.rule) <= ruled, f"{subject} has rules for {sorted(ruled)}, not for {list(step.rule)}")


def check_seeds(recording: Recorded) -> None:
    """The backward began at steps and leaves that there are, at each once; hooks were on such."""
    last = len(recording) + 1
    edges = list(recording.seeds)
    for place, (edge, seed) in enumerate(recording.seeds.items()):
        where = f"structure: seeds[{place}]"
        check_edge(edge, recording, last, where)
        check_fits(seed, shape_of(edge, recording), where)
    for place, edge in enumerate(recording.hooked):
        check_edge(edge, recording, last, f"structure: hooked[{place}]")
    require(bool(edges) or not (recording.leaves or len(recording)), "structure: seeds are empty")


def check_way(recording: Recorded) -> None:
    """The gradient comes from the seeds through every step, and to every leaf."""
    reached = set(recording.seeds)
    for step in reversed(recording):
        slots = {Source(step.number, slot) for slot in range(len(step.shapes))}
        require(bool(slots & reached), f"structure: steps[{step.number - 1}] is reached by no gradient")
        reached.update(edge for source in step.sources.values() for edge in members_of(source))
    for name in recording.leaves:
        require(name in reached, f"structure: leaves[{name!r}] is reached by no gradient")
