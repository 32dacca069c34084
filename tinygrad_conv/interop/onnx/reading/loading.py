"""`load`: a model of ONNX's as a Module."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ....archive import damage_of
from ....errors import SHORT, DamagedFileError, OnnxError
from ..library import library
from ..operators import OPERATORS
from .attributes import opset_of
from .external import ExternalData
from .graph import Graph, read_graph
from .initializers import CONSTANT, roles_of, with_parameters
from .module import GraphModule, Step
from .node import Node


def load(
    model: str | os.PathLike[str] | bytes | Any, *, parameters: Collection[str] | None = None
) -> GraphModule:
    """A model in ONNX's format as a Module that runs and trains.

        net = tg.onnx.load("lenet.onnx")
        optimizer = tg.optim.SGD(net.parameters(), lr=0.01)

    model: a path, the bytes of a file, or an `onnx.ModelProto`. The keys of the state dict are the names of
    the graph's initialisers. Which of them are parameters ONNX does not say. Without `parameters`, the names
    of those that are, they are all from which an operator learns (reading/initializers.py): a constant with
    dimensions, such as the mean of the data, too. Running statistics are buffers, and what is left is a
    constant, which the state dict has not.

    In training mode the module computes what the file says, so a model that was exported for inference keeps
    its batch norms' statistics while it trains; dropout before opset 12, of which a file says nothing, drops.
    In eval mode nothing trains, whatever the file says. An exporter that folds batch norms into convolutions
    leaves none to train.

    The file may be anybody's: nothing in it is run, sizes are believed after they were compared with the
    bytes, and tensors in other files are read from inside the model's folder alone. Needs the extra `onnx`.

    Raises OnnxError, which names the node or the tensor, for what is damaged, hostile or not supported;
    ValueError for parameters that are no floating initialisers; MissingExtraError without onnx.
    """
    prototype = library().ModelProto
    path = Path(model) if isinstance(model, (str, os.PathLike)) else None
    content = model if path is None else path.read_bytes()
    if not isinstance(content, (bytes, prototype)):
        raise TypeError(f"load: model must be a path, bytes or a ModelProto, not {type(model).__name__}")
    try:
        with damage_of("the model"):
            proto = prototype.FromString(content) if isinstance(content, bytes) else content
            check_model(proto)
            external = ExternalData(None if path is None else path.parent)
            graph = read_graph(proto.graph, opset_of(proto), external)
            steps = steps_of(graph)
    except OnnxError:
        raise
    except DamagedFileError as error:
        raise OnnxError(str(error)) from error
    return module_of(graph, steps, parameters)


def check_model(proto: Any) -> None:
    """Refuse what is no model, and parts of one that are not supported."""
    if not proto.HasField("graph"):
        raise OnnxError("there is no graph in it: it is not a model in ONNX's format")
    if proto.functions:
        names = SHORT.repr(sorted({function.name for function in proto.functions}))
        raise OnnxError(
            f"the model has functions of its own, {names}, which are not supported; onnx.inliner puts their "
            "nodes in their place"
        )
    if proto.training_info:
        raise OnnxError("the model has training_info, which is not supported; load its inference graph alone")


def module_of(graph: Graph, steps: list[Step], parameters: Collection[str] | None) -> GraphModule:
    """The module that runs a graph."""
    roles = roles_of(graph.initializers, graph.nodes)
    if parameters is not None:
        roles = with_parameters(roles, parameters, graph.initializers)
    roles.update(dict.fromkeys(graph.constants, CONSTANT))
    return GraphModule(graph.inputs, graph.outputs, steps, graph.initializers | graph.constants, roles)


def steps_of(graph: Graph) -> list[Step]:
    """The nodes in order. Raises OnnxError for what an operator does not support."""
    unused = last_uses(graph.nodes, graph.outputs)
    return [step_of(node, names) for node, names in zip(graph.nodes, unused)]


def step_of(node: Node, last_used: tuple[str, ...]) -> Step:
    """A node, prepared by its operator."""
    operator = OPERATORS[node.op_type]
    function = operator.prepare(node)
    statistics = operator.statistics.items() if node.flag("training_mode") else ()
    followed = [(result, node.inputs[place]) for place, result in statistics]
    layer = node.name or next(filter(None, node.outputs))
    return Step(
        str(node), layer, function, node.inputs, node.outputs, operator.trains, tuple(followed), last_used
    )


def last_uses(nodes: Sequence[Node], outputs: Sequence[str]) -> list[tuple[str, ...]]:
    """For each node, the names that are read, or made, for the last time there."""
    needed = {"", *outputs}
    unused = []
    for node in reversed(nodes):
        names = {*node.inputs, *node.outputs} - needed
        unused.append(tuple(sorted(names)))
        needed |= names
    return unused[::-1]
