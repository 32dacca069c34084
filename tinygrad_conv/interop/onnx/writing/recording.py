"""A recorded backward as an ONNX file: the forward's ops, and those that its rules apply on the way back.

The graph has no inputs: the leaves are its initializers, and what the recording knows is constant, as the
places that max-pooling chose. Run, it gives the recorded numbers again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ....dtypes import Array
from ....engine.differentiate import grad
from ....engine.modes import enable_grad
from ....engine.observed import LAYER
from ....engine.registry import OPS
from ....engine.tensor import Tensor
from ....errors import ExportError
from ....members import members_of
from ..library import library
from .convert import Converter
from .export import check_arguments
from .graph import Graph
from .model_file import model_of, write
from .program import common_program
from .trace import WRITTEN_TO, Trace


def export_recording(recording: Any, path: str | Path, opset_version: int = 17) -> None:
    """Write a recording, `rec.to_onnx`: the results that the backward began at, and the leaves' gradients.

    Raises ExportError for what cannot be written: a constant that the recording does not know, a gradient
    that a hook has changed, an op without words in ONNX.
    """
    check_arguments(opset_version, dynamic_batch=False)
    library()
    if recording.hooked:
        refuse(f"a hook has changed the gradient of {recording.hooked[0]}, and is no part of the recording")
    leaves = {
        name: Tensor(array.copy(), requires_grad=True, name=name) for name, array in recording.leaves.items()
    }
    trace = Trace([], leaves)
    with enable_grad(), trace:
        results = run_again(recording, leaves)
        gradients = gradients_of(recording, results, leaves)
    check_same_numbers(recording, gradients)
    outputs = {**named_results(recording, results), **named_gradients(gradients)}
    program = common_program([trace], [{name: trace.marked(y) for name, y in outputs.items()}], [1])
    graph = Graph(opset_version)
    graph.names.update({*leaves, *outputs})
    write(model_of(Converter(program, graph, [], ""), "backward"), path)


def refuse(reason: str) -> NoReturn:
    """A recording cannot be written."""
    raise ExportError(f"to_onnx: {reason}")


def run_again(recording: Any, leaves: dict[str, Tensor]) -> dict[Any, Any]:
    """The recorded forward once more, on the tape: its results by what steps call them."""
    results: dict[Any, Any] = {}
    for step in recording:
        if step.op not in OPS:
            refuse(f"op {step.op} of %{step.number} is not declared here; import the module that declares it")
        inputs = [
            results[source] if source in results else leaves[source] if source in leaves else given
            for source, given in inputs_of(step)
        ]
        around = LAYER.get()
        LAYER.set(step.where.layer)
        try:
            y = OPS[step.op](*inputs, **params_of(step))
        finally:
            LAYER.set(around)
        results.update({(step.number, slot): output for slot, output in enumerate(members_of(y))})
    return results


def params_of(step: Any) -> dict[str, Any]:
    """The params of a step, but for arrays that its op would write to."""
    return {name: value for name, value in step.params.items() if name not in WRITTEN_TO}


def inputs_of(step: Any) -> list[tuple[Any, Any]]:
    """(source, recorded value) of each input of a step, those of a variadic argument one by one.

    Raises ExportError for a constant that is not known.
    """
    op, pairs = OPS[step.op], []
    for name, sources in step.sources.items():
        values = step.inputs.get(name)
        each = values if step.variadic and values is not None else [values] * len(members_of(sources))
        for source, value in zip(members_of(sources), each):
            if source is None and value is None and name not in op.optional:
                refuse(
                    f"{name} of %{step.number} {step.op} is a constant that no rule reads, and the recording "
                    "does not know it; run the forward inside `with tg.debug.Observer():` before recording"
                )
            pairs.append((source, as_operand(value, step)))
    return pairs


def as_operand(value: Any, step: Any) -> Any:
    """A constant as the op was given it: one number does not decide the dtype."""
    dtype = step.shapes[0][1]
    if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind == dtype.kind == "f":
        return value.astype(dtype)
    return value


def gradients_of(
    recording: Any, results: dict[Any, Any], leaves: dict[str, Tensor]
) -> dict[str, Tensor | None]:
    """The gradients of the leaves, by ops on the tape, from the seeds of the recorded backward."""
    begun = {
        source: leaves[source] if isinstance(source, str) else results[source] for source in recording.seeds
    }
    seeds = [Tensor(seed) for seed in recording.seeds.values()]
    gradients = grad(list(begun.values()), list(leaves.values()), seeds, create_graph=True, allow_unused=True)
    return dict(zip(leaves, gradients))


def check_same_numbers(recording: Any, gradients: dict[str, Tensor | None]) -> None:
    """Refuse what does not give the recorded gradients again: something was not recorded."""
    for name, recorded in recording.grads.items():
        gradient = gradients[name]
        if gradient is None or not alike(gradient._data, recorded):
            refuse(
                f"the gradient of {name} does not come out as it was recorded: a rule reads what no op made"
            )


def alike(array: Array, recorded: Array) -> bool:
    """Whether two arrays are the same but for rounding."""
    scale = float(np.abs(recorded[np.isfinite(recorded)]).max(initial=0))
    tolerance = {2: 1e-2, 4: 1e-4, 8: 1e-9}[recorded.dtype.itemsize]
    return bool(np.allclose(array, recorded, tolerance, tolerance * scale, equal_nan=True))


def named_results(recording: Any, results: dict[Any, Any]) -> dict[str, Tensor]:
    """The results that the backward began at."""
    begun = [results[source] for source in recording.seeds if not isinstance(source, str)]
    names = ["output"] if len(begun) == 1 else [f"output_{place}" for place in range(len(begun))]
    return dict(zip(names, begun))


def named_gradients(gradients: dict[str, Tensor | None]) -> dict[str, Tensor]:
    """The gradients by the leaves' names: `conv1.weight.grad`."""
    return {f"{name}.grad": gradient for name, gradient in gradients.items() if gradient is not None}
