"""Forward values: those that rules will read are on the tape; the others are computed again from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..dtypes import Array, promote
from ..engine.node import Node, Output, check_unconsumed, input_edges, nodes_behind
from ..engine.observe import Call
from ..engine.tensor import Tensor
from ..members import members_of
from .listing import saved_input

CONSTANTS: WeakKeyDictionary[Node, dict[int, Array]] = WeakKeyDictionary()
"""Of ops that somebody saw run: the inputs that no rule reads and no node made, by position. As copies."""


def keep_constants(call: Call) -> None:
    """Remember of an op that has just run what the tape will not know. It costs nothing unless observed."""
    node = call.node
    if node is None:
        return
    constants = {
        position: plain(value).copy(order="K")
        for position, (value, edge) in enumerate(zip(call.given, input_edges(node)))
        if edge is None and isinstance(value, (Tensor, np.ndarray)) and saved_input(node, position) is None
    }
    if constants:
        CONSTANTS[node] = constants


def plain(value: Any) -> Array:
    """An array, or a Tensor's."""
    array: Array = value.data if isinstance(value, Tensor) else value
    return array


class Values:
    """The values of the results on a tape.

    None is a value that is not known: a constant that no rule reads, of a forward that nobody observed, and
    whatever was computed from it and is read by no rule either; or a leaf that has changed since.
    """

    def __init__(self, roots: Iterable[Node]) -> None:
        self.roots = list(roots)

    @cached_property
    def known(self) -> dict[Any, Any]:
        """The arrays that nodes hold, by `(node, output slot)`."""
        known: dict[Any, Any] = {}
        for node in nodes_behind(self.roots):
            for position, edge in enumerate(input_edges(node)):
                value = saved_input(node, position)
                if type(edge) is not Output or value is None:
                    continue
                if (value.shape, value.dtype) == edge.node.outputs[edge.slot]:
                    known[edge] = value  # not one that was promoted to another's dtype
            y = node.saved.get("y")
            if y is not None:
                known.update({Output(node, slot): array for slot, array in enumerate(members_of(y))})
        return known

    def input(self, node: Node, position: int) -> Any:
        """The value of one input of a node."""
        value, edge = saved_input(node, position), input_edges(node)[position]
        if value is not None:
            return value
        if edge is None:
            if position in CONSTANTS.get(node, ()):
                return CONSTANTS[node][position]
            named = node.constants.get(position) if node.constants else None
            return None if named is None or isinstance(named, str) else np.asarray(named)
        if isinstance(edge, Tensor):
            return edge.data if edge._version < node.index else None
        return self.output(edge)

    def output(self, edge: tuple[Node, int]) -> Any:
        """The value of one output of a node: read from the tape, or computed again, older nodes first."""
        to_compute = [edge[0]]
        while edge not in self.known:
            node = to_compute[-1]
            inputs = [edge for edge in input_edges(node) if type(edge) is Output]
            producers = [edge.node for edge in inputs if edge not in self.known]
            if producers:
                to_compute.extend(producers)
                continue
            to_compute.pop()
            outputs = self.compute(node)
            self.known.update({Output(node, slot): output for slot, output in enumerate(outputs)})
        return self.known[edge]

    def compute(self, node: Node) -> Any:
        """Run a node's forward again: its outputs, or Nones if an input is not known."""
        op, edges, unknown = node.op, input_edges(node), [None] * len(node.outputs)
        inputs = [self.input(node, position) for position in range(len(edges))]
        missing = [value is None and is_given(node, position) for position, value in enumerate(inputs)]
        if node.consumed or any(missing):
            return unknown
        constants = [edge is None and value is not None for edge, value in zip(edges, inputs)]
        scalars = [constant and value.ndim == 0 for constant, value in zip(constants, inputs)]
        arrays = promote(inputs, scalars) if op.broadcasting else inputs
        y = op.forward(*arrays, **deepcopy(node.params))  # which it may write to
        y, kept = (y[0], y[1:]) if op.keeps else (y, ())
        again = {name: value for name, value in zip(op.keeps, kept) if name in node.saved}
        if not all(same_numbers(value, node.saved[name]) for name, value in again.items()):
            return unknown  # a forward that draws at random gives another result now
        return [np.asarray(output) for output in members_of(y)]


def is_given(node: Node, position: int) -> bool:
    """Whether the input was given at all: an optional one may have been left out."""
    return node.op.variadic or input_edges(node)[position] is not None or position in (node.constants or ())


def same_numbers(value: Array, saved: Array) -> bool:
    """Whether two arrays are the same numbers."""
    return np.array_equal(value, saved, equal_nan=value.dtype.kind == "f")


class NodeValues:
    """The forward values of one node, found when they are asked for."""

    def __init__(self, node: Node, values: Values) -> None:
        self._node, self._values = node, values

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """By argument, without optional ones that were left out; of a variadic one a tuple."""
        node, op = self._node, self._node.op
        check_unconsumed(node)
        given = [position for position in range(len(input_edges(node))) if is_given(node, position)]
        arrays = [self._values.input(node, position) for position in given]
        if op.variadic:
            return {op.variadic: tuple(arrays)}
        return {op.inputs[position]: array for position, array in zip(given, arrays)}

    @cached_property
    def output(self) -> Any:
        """An array, or a tuple of them."""
        node = self._node
        arrays = tuple(self._values.output(Output(node, slot)) for slot in range(len(node.outputs)))
        return arrays if node.several else arrays[0]


def saved_arrays(node: Node) -> Iterator[tuple[str, Array]]:
    """What the rules of a node will read, by name; the members of a tuple one by one."""
    for name, value in node.saved.items():
        members = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for position, member in members:
            if isinstance(member, np.ndarray):
                yield name if position is None else f"{name}[{position}]", member


def first_nonfinite(values: Iterable[Any]) -> Array | None:
    """The first of these arrays and Tensors (tuples are looked into) with a NaN or an infinity in it."""
    for member in (member for value in values for member in members_of(value)):
        array = member.data if isinstance(member, Tensor) else member
        if isinstance(array, np.ndarray) and array.dtype.kind == "f" and not np.isfinite(array).all():
            return array
    return None
