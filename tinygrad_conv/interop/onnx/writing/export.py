"""`export`: a model as an ONNX file, from the ops that it applies; and `exportable`: which can be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....dtypes import Array
from ....engine.tensor import Tensor
from ....errors import ExportError
from ....nn.module import Module
from ....options import FLAG, INTEGER, check_option
from ..library import library
from .convert import Converter
from .examples import BATCHES, arrays_of, batched_inputs, of_batch, varied
from .forward import input_names_of, left_as_it_was, state_of, traced
from .graph import Graph
from .model_file import model_of, write
from .program import Program, common_program
from .rules import RULES
from .trace import Trace

OPSETS = range(17, 22)
"""Versions of ONNX's operators that are written: PyTorch's exporters write 17 and 18 by default."""


def export(
    model: Callable[..., Any],
    args: Any,
    f: str | Path,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int = 17,
    dynamic_batch: bool = True,
) -> None:
    """Write a model to an ONNX file, as it is in eval mode, from the ops that it applies to an example input.

    model: a Module, or a function of tensors. args: a tensor, or a tuple with one for each input. Parameters
    and buffers keep their names, nodes have the names of their layers: `/features/0/Conv`.
    dynamic_batch: dimension 0 of the inputs may have any size, that of every input with as many rows as the
    first; the model is called with 2, 3 and 5 samples to see which sizes follow. Without it all sizes are the
    example's. opset_version: from 17 to 21.

    What Python does with numbers is not recorded. So it is refused where it reads them; the model is called
    with other numbers, too, and what then differs is refused. ExportError names the op, the line and what to
    do; so it does for an op that ONNX has no words for (`exportable` lists those that it has). What Python
    decides by the batch's size (`if len(x) > 8:`) is written as for those sizes. What the extremes of numbers
    with a NaN among them are is the runtime's to say. The file is written wholly or not at all, and the
    model, its mode and the random numbers stay as they are.
    """
    check_arguments(opset_version, dynamic_batch)
    library()
    arrays, state = arrays_of(args), state_of(model)
    batched = batched_inputs(arrays) if dynamic_batch else [False] * len(arrays)
    names = names_for("input_names", input_names, input_names_of(model, len(arrays)))
    with left_as_it_was(model, state):
        traces, outputs = traces_of(model, arrays, batched, state)
    batches = list(BATCHES) if dynamic_batch else [1] * len(traces)
    program = named(common_program(traces, outputs, batches), output_names)
    write(written(model, program, opset_version, names, batched), f)


def check_arguments(opset_version: Any, dynamic_batch: Any) -> None:
    """Refuse versions that are not written, and what is no flag."""
    check_option("onnx.export", "opset_version", INTEGER, opset_version)
    check_option("onnx.export", "dynamic_batch", FLAG, dynamic_batch)
    if opset_version not in OPSETS:
        raise ExportError(
            f"onnx.export: opset_version={opset_version} is not written; take one from {OPSETS[0]} to "
            f"{OPSETS[-1]}"
        )


def traces_of(
    model: Any, arrays: list[Array], batched: list[bool], state: Any
) -> tuple[list[Trace], list[dict[str, Any]]]:
    """What several calls of the model apply: with the example's numbers, and with others."""
    examples = of_examples(arrays, batched)
    traces, outputs = [], []
    for place, example in enumerate(examples):
        try:
            with np.errstate(all="ignore"):
                trace, marks = traced(model, example, state)
        except ExportError:
            raise
        except Exception as error:
            if not place and any(batched):
                model(*map(Tensor, arrays))  # which says it in its own words where it does not run at all
            if place or any(batched):
                raise ExportError(not_running(error, example, batched)) from error
            raise
        traces.append(trace)
        outputs.append(marks)
    check_outputs(outputs)
    return traces, outputs


def of_examples(arrays: list[Array], batched: list[bool]) -> list[list[Array]]:
    """Inputs for each call."""
    if not any(batched):
        return [[array.copy() for array in arrays], varied(arrays, seed=1)]
    sized = [of_batch(arrays, batched, batch) for batch in BATCHES]
    return [sized[0], *(varied(each, seed) for seed, each in enumerate(sized[1:], 1))]


def not_running(error: Exception, example: list[Array], batched: list[bool]) -> str:
    """Why a model that runs on the example may not run on another batch, or on other numbers."""
    if any(batched):
        size = example[batched.index(True)].shape[0]
        return (
            f"onnx.export: the model does not run on {size} samples ({type(error).__name__}: {error}); with "
            "dynamic_batch=False it is written for the example's alone"
        )
    return (
        f"onnx.export: the model does not run on other numbers of the same shapes and kinds "
        f"({type(error).__name__}: {error}), and so what depends on them cannot be known"
    )


def check_outputs(outputs: list[dict[str, Any]]) -> None:
    """Refuse a model without outputs, and one whose outputs are other ones for other inputs."""
    if not outputs[0]:
        raise ExportError("onnx.export: the model returns no tensor")
    if any(other.keys() != outputs[0].keys() for other in outputs):
        counts = ", ".join(str(len(each)) for each in outputs)
        raise ExportError(
            f"onnx.export: for other inputs it returns another number of outputs ({counts}); "
            "always return as many"
        )


def named(program: Program, output_names: Sequence[str] | None) -> Program:
    """The program with the names that were asked for."""
    names = names_for("output_names", output_names, list(program.outputs))
    outputs = dict(zip(names, program.outputs.values()))
    return replace(program, outputs=outputs)


def names_for(owner: str, wanted: Sequence[str] | None, otherwise: list[str]) -> list[str]:
    """The names that were asked for, one for each; or the others."""
    names = otherwise if wanted is None else list(wanted)
    are_names = all(isinstance(name, str) and name for name in names)
    if not are_names or len(names) != len(otherwise) or len(set(names)) < len(names):
        raise ExportError(
            f"onnx.export: {owner} must give each of {otherwise} a name of its own, not {wanted}"
        )
    return names


def written(model: Any, program: Program, opset: int, names: list[str], batched: list[bool]) -> Any:
    """The model as ONNX has it."""
    taken = {*names, *program.state.values()}
    if len(taken) < len(names) + len(program.state) or taken & program.outputs.keys():
        raise ExportError(
            "onnx.export: inputs, outputs, parameters and buffers must have different names; pass "
            "input_names and output_names"
        )
    graph = Graph(opset)
    graph.names.update({*taken, *program.outputs})
    graph.batch_of = names[0] if any(batched) else ""
    root = model._path if isinstance(model, Module) else ""
    return model_of(Converter(program, graph, names, root), title_of(model))


def title_of(model: Any) -> str:
    """What the graph is called."""
    return type(model).__name__ if isinstance(model, Module) else getattr(model, "__name__", "model")


def exportable() -> dict[str, str]:
    """The ops that `export` writes, and how: `exportable()["conv2d"]` is 'Conv'.

    Options that cannot be written are refused with their reason.
    """
    return {op: summary_of(RULES[op].__doc__) for op in sorted(RULES)}


def summary_of(doc: str | None) -> str:
    """A rule's docstring as one sentence without its point."""
    return " ".join((doc or "").split()).removesuffix(".")
