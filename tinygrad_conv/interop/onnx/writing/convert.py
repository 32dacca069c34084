"""From a program to a graph: each op by its rule, and what rules return put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ....errors import show_array, show_shape
from .graph import Graph, Operand, Value
from .program import Number, Program, Spread, Steps
from .rules import RULES
from .sizes import OfBatch
from .table import NotWritable, refuse
from .trace import Constant, Event, Read


class Converter:
    """Writes the ops of a program into a graph, one after another."""

    def __init__(self, program: Program, graph: Graph, input_names: list[str], root: str) -> None:
        """root: the path of the outermost module, which no name in the graph has."""
        self.program, self.graph, self.root = program, graph, root
        self.origins: dict[str, Event] = {}  # by the name of a node: the op that it is part of
        names = dict(enumerate(input_names))
        self.values = {number: self.given_value(number, names) for number in range(self.given)}

    @property
    def given(self) -> int:
        """How many values there are before the first op."""
        return self.program.inputs + len(self.program.state)

    def given_value(self, number: int, names: dict[int, str]) -> Value:
        """An input, or a parameter or buffer with its numbers."""
        program = self.program
        name = names.get(number) or program.state[number]
        array = program.arrays[number] if number in program.state else None
        return Value(name, program.shapes[number], program.dtypes[number], array)

    def convert(self) -> None:
        """Write all ops."""
        for event in self.program.events:
            self.write(event)

    def write(self, event: Event) -> None:
        """Write one op."""
        graph, program = self.graph, self.program
        graph.prefix, before = prefix_of(event.layer, self.root), len(graph.nodes)
        rule = RULES.get(event.op)
        if rule is None:
            self.refuse(event, "is not written as ONNX; tg.onnx.exportable() lists the ops that are")
        graph.ys = tuple(
            Value("", program.shapes[number], program.dtypes[number]) for number in event.outputs
        )
        try:
            inputs = [self.operand(mark) for mark in event.inputs]
            options = {name: self.option(value) for name, value in event.options.items()}
            names = rule(graph, *inputs, **options)
        except NotWritable as error:
            self.refuse(event, f"cannot be written: {error}")
        except TypeError as error:
            if not follows_batch([*event.options.values(), *(y.shape for y in graph.ys)]):
                raise
            self.refuse(
                event, f"cannot be written for a batch of any size ({error}); pass dynamic_batch=False"
            )
        names = names if isinstance(names, tuple) else (names,)
        self.origins.update({node.name: event for node in graph.nodes[before:]})
        for number, name, y in zip(event.outputs, names, graph.ys):
            self.values[number] = Value(name, y.shape, y.dtype)

    def refuse(self, event: Event, reason: str) -> NoReturn:
        """This op cannot be written; say which, in which node, and where."""
        given = ", ".join(self.show(mark) for mark in event.inputs)
        node = f"{prefix_of(event.layer, self.root)}{event.op}"
        refuse(f"op {event.op} (node {node}, of {given}) {reason}", event.where, event.layer)

    def show(self, mark: Any) -> str:
        """An input of an op, by dtype and shape."""
        if isinstance(mark, Read):
            return f"{mark.dtype}{show_shape(self.program.shapes[mark.number])}"
        return show_array(mark.array) if isinstance(mark, Constant) else "None"

    def operand(self, mark: Any) -> Value | None:
        """An input of an op, in the dtype to which the op brings it."""
        if mark is None:
            return None
        if isinstance(mark, Constant):
            return self.constant(mark)
        value = self.values[mark.number]
        name = self.graph.cast(value, mark.dtype)
        return value if name is value else Value(str(name), value.shape, mark.dtype)

    def constant(self, mark: Constant) -> Value:
        """A constant, which may follow the batch."""
        array, graph = mark.array, self.graph
        if isinstance(mark, Spread):
            spread = graph.node("Expand", array, graph.ints(mark.shape))
            return Value(spread, mark.shape, array.dtype)
        if isinstance(mark, Steps):
            return self.steps(mark)
        if isinstance(mark, Number):
            number: Operand = graph.cast(graph.size(mark.size), array.dtype, np.dtype(np.int64))
            return Value(graph.reshape(number, array.shape), array.shape, array.dtype)
        return Value("", array.shape, array.dtype, array)

    def steps(self, mark: Steps) -> Value:
        """Numbers at one distance from each other, as many as follow from the batch."""
        graph, (start, step) = self.graph, mark.array
        zero, one = np.asarray(0, np.int64), np.asarray(1, np.int64)
        count = graph.node("Range", zero, graph.reshape(graph.size(mark.size), ()), one)
        distances = graph.node("Mul", graph.cast(count, step.dtype, np.dtype(np.int64)), np.asarray(step))
        return Value(graph.node("Add", distances, np.asarray(start)), (mark.size,), mark.array.dtype)

    def option(self, value: Any) -> Any:
        """A param, with values in the place of arrays."""
        if isinstance(value, (Constant, Read)):
            return self.operand(value)
        if isinstance(value, tuple):
            return tuple(map(self.option, value))
        if isinstance(value, slice):
            return slice(*map(self.option, (value.start, value.stop, value.step)))
        return value

    def outputs(self) -> dict[str, Value]:
        """The outputs of the graph under their names."""
        self.graph.prefix = "/"
        named: dict[str, Value] = {}
        renamed: dict[str, str] = {}
        made = {output for node in self.graph.nodes for output in node.output}
        for name, mark in self.program.outputs.items():
            value = self.operand(mark)
            assert value is not None
            if value.name not in made or value.name in renamed:
                value = Value(self.graph.node("Identity", value), value.shape, value.dtype)
            renamed[value.name] = name
            named[name] = Value(name, value.shape, value.dtype)
        self.rename(renamed)
        return named

    def inputs(self) -> list[Value]:
        """The inputs of the graph."""
        return [self.values[number] for number in range(self.program.inputs)]

    def between(self) -> list[Value]:
        """The results on the way, each once, whose shapes a viewer shows."""
        made = {output for node in self.graph.nodes for output in node.output}
        values = {value.name: value for value in self.values.values() if value.name in made}
        return list(values.values())

    def rename(self, renamed: dict[str, str]) -> None:
        """Call values otherwise."""
        for node in self.graph.nodes:
            node.input[:] = [renamed.get(name, name) for name in node.input]
            node.output[:] = [renamed.get(name, name) for name in node.output]
        for number, value in self.values.items():
            self.values[number] = Value(renamed.get(value.name, value.name), value.shape, value.dtype)


def follows_batch(values: Sequence[Any]) -> bool:
    """Whether there is a size among these that follows the batch's."""
    return any(
        isinstance(value, OfBatch) or (isinstance(value, (tuple, list)) and follows_batch(value))
        for value in values
    )


def prefix_of(layer: str, root: str) -> str:
    """The beginning of the names of a layer's nodes: `/features/0/` for `net.features.0` in `net`."""
    path = f"{layer}.".removeprefix(f"{root}.").removesuffix(".")
    return f"/{path.replace('.', '/')}/" if path else "/"
