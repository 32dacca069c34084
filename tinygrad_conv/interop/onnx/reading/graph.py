"""A graph as its nodes in order: every name is made once, and before it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ....allocation import shortened
from ....dtypes import Array
from ....errors import SHORT, OnnxError
from ..operators.table import OPERATORS
from .attributes import DOMAINS, attributes_of, schema_of
from .external import ExternalData
from .node import Node, called
from .tensors import DTYPES, array_of, no_dtype


class Input(NamedTuple):
    """What a graph is called with. shape: a size, or None for any, of each dimension; None for any shape."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...] | None


class Graph(NamedTuple):
    """The parts of a graph. constants: what nodes of the graph say, and not its initialisers."""

    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    initializers: dict[str, Array]
    constants: dict[str, Array]
    nodes: tuple[Node, ...]


def read_graph(graph: Any, opset: int, external: ExternalData) -> Graph:
    """The parts of a model's graph, all of them looked at. Raises OnnxError."""
    if graph.sparse_initializer:
        raise OnnxError("the graph has sparse initialisers, which are not supported; make them dense")
    initializers = read_initializers(graph.initializer, external)
    inputs = tuple(read_input(value) for value in graph.input if value.name not in initializers)
    check_unique("input", [value.name for value in graph.input])
    known = {*initializers, *(value.name for value in inputs)}
    makers = makers_of(graph.node)
    constants: dict[str, Array] = {}
    nodes = []
    for proto in graph.node:
        node = read_node(proto, opset, external)
        check_names(node, known, makers)
        known.update(filter(None, node.outputs))
        if node.op_type == "Constant":
            constants[node.outputs[0]] = constant_of(node)
        else:
            nodes.append(node)
    outputs = tuple(value.name for value in graph.output)
    check_outputs(outputs, known)
    return Graph(inputs, outputs, initializers, constants, tuple(nodes))


def check_unique(role: str, names: Iterable[str]) -> None:
    """Refuse a name that is there twice, or empty."""
    seen = set()
    for name in names:
        if name in seen or not name:
            raise OnnxError(f"{role} {SHORT.repr(name)} is there twice, or has no name")
        seen.add(name)


def read_initializers(tensors: Any, external: ExternalData) -> dict[str, Array]:
    """The initialisers of a graph by name."""
    check_unique("initialiser", [tensor.name for tensor in tensors])
    return {tensor.name: array_of(tensor, external) for tensor in tensors}


def read_input(value: Any) -> Input:
    """What a graph says of one of its inputs."""
    if value.type.WhichOneof("value") != "tensor_type":
        raise OnnxError(f"input {SHORT.repr(value.name)} is no dense tensor; others are not supported")
    tensor = value.type.tensor_type
    dtype = DTYPES.get(tensor.elem_type)
    if dtype is None:
        raise OnnxError(f"input {SHORT.repr(value.name)} is {no_dtype(tensor.elem_type)}")
    if not tensor.HasField("shape"):
        return Input(value.name, dtype, None)
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    if any(size is not None and size < 0 for size in sizes):
        raise OnnxError(f"input {SHORT.repr(value.name)} has a negative size in its shape {sizes}")
    return Input(value.name, dtype, tuple(sizes))


def makers_of(nodes: Any) -> dict[str, str]:
    """Which node makes a name, in words, for all nodes."""
    return {name: called(node.op_type, node.name) for node in nodes for name in node.output if name}


def read_node(proto: Any, opset: int, external: ExternalData) -> Node:
    """A node of a supported operator, checked against the operator's schema."""
    owner = called(proto.op_type, proto.name)
    if proto.domain not in DOMAINS or (proto.op_type not in OPERATORS and proto.op_type != "Constant"):
        where = f" of the domain {SHORT.repr(proto.domain)}" if proto.domain not in DOMAINS else ""
        raise OnnxError(
            f"{owner}: the operator {shortened(proto.op_type)}{where} is not supported; "
            f"supported are {', '.join(sorted(OPERATORS))}"
        )
    schema = schema_of(proto.op_type, opset)
    if schema is None:
        raise OnnxError(f"{owner}: opset {opset} has no operator {proto.op_type}")
    check_version(owner, proto.op_type, schema.since_version)
    check_counts(owner, proto, schema)
    attributes = attributes_of(proto, schema, owner, external)
    return Node(
        proto.op_type, proto.name, schema.since_version, tuple(proto.input), tuple(proto.output), attributes
    )


def check_version(owner: str, op_type: str, version: int) -> None:
    """Refuse a version of an operator that came after those that are known."""
    if op_type in OPERATORS and version not in OPERATORS[op_type].versions:
        supported = ", ".join(map(str, OPERATORS[op_type].versions))
        raise OnnxError(
            f"{owner}: {op_type} as of opset {version} is not supported; supported: as of {supported}"
        )


def check_counts(owner: str, proto: Any, schema: Any) -> None:
    """Refuse more or fewer inputs and outputs than an operator has."""
    inputs, outputs = list(proto.input), list(proto.output)
    if not schema.min_input <= len(inputs) <= schema.max_input:
        raise OnnxError(
            f"{owner} has {len(inputs)} inputs; it takes {schema.min_input} to {schema.max_input}"
        )
    if not schema.min_output <= len(outputs) <= schema.max_output or not any(outputs):
        raise OnnxError(
            f"{owner} has {len(outputs)} outputs; it makes {schema.min_output} to {schema.max_output}"
        )
    for place, name in enumerate(inputs[: schema.min_input]):
        if not name:
            raise OnnxError(f"{owner}: input {place} is left out, and must not be")


def check_names(node: Node, known: set[str], makers: dict[str, str]) -> None:
    """Refuse a node that reads what is not there yet, or makes what is there already."""
    for name in node.inputs:
        if name and name not in known:
            later = f"{makers.get(name)} makes it later: a loop, or nodes that are not in order"
            raise OnnxError(
                f"{node} reads {SHORT.repr(name)}, but {later if name in makers else 'nothing makes it'}"
            )
    made: set[str] = set()
    for name in filter(None, node.outputs):
        if name in known or name in made:
            raise OnnxError(f"{node} makes {SHORT.repr(name)}, which is there already")
        made.add(name)


def check_outputs(outputs: tuple[str, ...], known: set[str]) -> None:
    """Refuse a graph without outputs, and an output that nothing makes."""
    if not outputs:
        raise OnnxError("the graph has no outputs")
    check_unique("output", outputs)
    for name in outputs:
        if name not in known:
            raise OnnxError(f"nothing makes the output {SHORT.repr(name)} of the graph")


def constant_of(node: Node) -> Array:
    """What a node says that only holds numbers."""
    given = {name: value for name, value in node.attributes.items() if value is not None}
    if len(given) != 1:
        raise OnnxError(f"{node} must have one attribute, its value, not {sorted(given)}")
    ((name, value),) = given.items()
    if name == "value":
        return np.asarray(value)
    if name in ("value_float", "value_floats"):
        return np.array(value, np.float32)
    if name in ("value_int", "value_ints"):
        return np.array(value, np.int64)
    node.refuse(name, value, "value, value_float, value_floats, value_int, value_ints")
