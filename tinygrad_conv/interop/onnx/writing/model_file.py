"""The model around a graph, looked at by ONNX's own checker, and written wholly or not at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ....atomic_write import replacing
from ....dtypes import Array
from ....errors import ExportError
from ..library import library
from .convert import Converter
from .graph import Value, code_of
from .table import refusal

NODE = re.compile(r"node name: ([^)]+)")

LARGEST = 2**31 - 1
"""What a file of protocol buffers can hold, in bytes."""


def model_of(converter: Converter, title: str) -> Any:
    """The model that a converter writes. Raises ExportError where it is too large, or ONNX finds it wrong."""
    onnx, graph = library(), converter.graph
    converter.convert()
    outputs = converter.outputs()
    used = {operand for node in graph.nodes for operand in node.input}
    arrays = {name: array for name, array in graph.initializers.items() if name in used}
    check_size(arrays)
    fixed = [name for name in graph.constants.values() if name in used and arrays[name].dtype.kind == "f"]
    initializers = {name: array for name, array in arrays.items() if name not in fixed}
    proto = onnx.helper.make_graph(
        [*(constant_node(name, arrays[name]) for name in fixed), *graph.nodes],
        title,
        [info_of(value) for value in converter.inputs()],
        [info_of(value) for value in outputs.values()],
        [tensor_of(name, array) for name, array in initializers.items()],
        value_info=[info_of(value) for value in converter.between() if value.name not in outputs],
    )
    opsets = [onnx.helper.make_opsetid("", graph.opset)]
    model = onnx.helper.make_model(
        proto,
        opset_imports=opsets,
        ir_version=onnx.helper.find_min_ir_version_for(opsets),
        producer_name="tinygrad_conv",
    )
    check(model, converter)
    return model


def constant_node(name: str, array: Array) -> Any:
    """A node for a constant: among the initializers a reader might take it for a parameter."""
    return library().helper.make_node("Constant", [], [name], name, value=tensor_of(name, array))


def check_size(initializers: dict[str, Array]) -> None:
    """Refuse what no file can hold."""
    total = sum(array.nbytes for array in initializers.values())
    if total > LARGEST:
        largest = max(initializers, key=lambda name: initializers[name].nbytes)
        gigabytes = f"{total / 2**30:.1f} GB ({initializers[largest].nbytes / 2**30:.1f} of {largest})"
        raise ExportError(
            f"onnx.export: parameters and constants have {gigabytes}, and an ONNX file holds 2; export parts "
            "of the model"
        )


def check(model: Any, converter: Converter) -> None:
    """Have ONNX look at the model, shapes and dtypes included."""
    onnx = library()
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        reason = f"ONNX refuses the model, and nothing was written: {str(error).strip()}"
        event = converter.origins.get(named_node(str(error)))
        if event is not None:
            raise refusal(reason, event.where, event.layer) from error
        raise ExportError(f"onnx.export: {reason}") from error


def named_node(message: str) -> str:
    """The node that ONNX complains of."""
    match = NODE.search(message)
    return match[1] if match else ""


def info_of(value: Value) -> Any:
    """What ONNX is told of a value: dtype and shape."""
    shape = [size if isinstance(size, int) else str(size) for size in value.shape]
    return library().helper.make_tensor_value_info(value.name, code_of(value.dtype), shape)


def tensor_of(name: str, array: Array) -> Any:
    """An initializer with these numbers, in the byte order that files have."""
    return library().numpy_helper.from_array(np.array(array, array.dtype.newbyteorder("="), order="C"), name)


def write(model: Any, path: str | Path) -> None:
    """Write the file."""
    with replacing(path) as file:
        file.write(model.SerializeToString())
