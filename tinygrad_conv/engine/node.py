"""What one op leaves behind: a `Node`. All of them together are the tape.

A node points backwards only, at what made its inputs. Nothing points forward, so no cycle exists, and a graph
that nobody holds is freed by reference counting alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..dtypes import Array
from ..errors import MutationError, TapeConsumedError, show_shape
from . import registry
from .hooks import Listeners
from .location import Where, show_where
from .memory import WHOLE, Contents, sample
from .next_functions import NextFunctions

tick = itertools.count(1).__next__
"""The creation counter. Inputs have smaller numbers than outputs, so newest first is a topological order."""


class LatestVersion:
    """When anything was last changed in place. Each memory has its own version beside it (memory.py).

    Versions are numbers of the creation counter, so a change can be compared with a node: the larger one is
    the later.
    """

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest = 0  # a node made after it need not be looked at


VERSIONS = LatestVersion()


class Output(NamedTuple):
    """One output of a node."""

    node: Node
    slot: int


output_of: Callable[[tuple[Node, int]], Output] = partial(tuple.__new__, Output)
"""An Output of (node, slot), in half the time: each op makes one."""


class Leaf(Protocol):
    """A tensor that no op made, where gradients end up."""

    _data: Array
    _listeners: Listeners | None


Edge = Output | Leaf
"""Where the gradient of an input goes: to the output of the older node that made it, or to a leaf."""


def shape_and_dtype(edge: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Of what an edge leads to, and so of its gradient."""
    if type(edge) is Output:
        shape, dtype = edge.node.outputs[edge.slot]
        return shape, dtype
    return edge._data.shape, edge._data.dtype


class Node(NextFunctions):
    """One op that ran: what its rules will read (saved for backward), where the gradients of its inputs go,
    and the user's line. It keeps no other arrays.

    NextFunctions has PyTorch's names for walking the tape: `grad_fn.next_functions`.
    """

    __slots__ = (
        "__weakref__",
        "_listeners",
        "constants",
        "consumed",
        "contents",
        "edges",
        "index",
        "layer",
        "op",
        "outputs",
        "params",
        "saved",
        "several",
        "where",
    )

    def __init__(
        self,
        op: Any,
        edges: list[Any],
        saved: dict[str, Any],
        params: dict[str, Any],
        several: bool,
        contents: list[Contents],
        constants: dict[int, Any] | None,
        layer: str,
        where: Where,
    ) -> None:
        self.op = op
        self.edges = edges  # by input: an Edge, or None for no gradient; of a variadic op a list of them
        self.saved = saved  # what the rules read, by the names they use
        self.params = params
        self.outputs: list[tuple[tuple[int, ...], np.dtype[Any]]] = []  # shape and dtype of each
        self.several = several  # the op returned a tuple, so dy is one
        self.contents = contents  # what was in the leaves' memory that `saved` shows, to notice a change
        self.constants = constants  # inputs that want no gradient: the name or the number, by position
        self.layer = layer  # the path of the layer that called the op, or ""
        self.where = where
        self.index: int = tick()
        self.consumed: Where | None = None  # the line of the backward that freed it
        self._listeners: Listeners | None = None

    @property
    def place(self) -> str:
        """The user's file and line."""
        return show_where(self.where)

    def listeners(self) -> Listeners:
        """The hooks on its gradients."""
        if self._listeners is None:
            self._listeners = Listeners()
        return self._listeners

    def free(self, where: Where) -> None:
        """Let go of what a backward needs, once one has passed; what messages and printing need stays."""
        self.saved, self.edges, self.contents, self.params, self.consumed = {}, [], [], {}, where

    def __repr__(self) -> str:
        outputs = ", ".join(f"{dtype}{show_shape(shape)}" for shape, dtype in self.outputs)
        in_layer = f" in {self.layer}" if self.layer else ""
        return f"<{self.op.name} → {outputs}, {self.place}{in_layer}>"

    def _repr_html_(self) -> str | None:
        return registry.if_open("node_html", self)


def input_edges(node: Node) -> list[Any]:
    """The edges of a node's inputs one by one, those of a variadic op too; None: no gradient is wanted."""
    return list(node.edges[0]) if node.op.variadic and node.edges else list(node.edges)


def nodes_behind(nodes: Iterable[Node]) -> list[Node]:
    """These nodes and every one that is reached from them, oldest first."""
    reached: set[Node] = set()
    to_visit = list(nodes)
    while to_visit:
        node = to_visit.pop()
        if node not in reached:
            reached.add(node)
            to_visit.extend(edge.node for edge in input_edges(node) if type(edge) is Output)
    return sorted(reached, key=lambda node: node.index)


def check_unconsumed(node: Node) -> None:
    """Refuse a node that a backward has freed."""
    if node.consumed is not None:
        raise TapeConsumedError(
            f"{node.op.name} ({node.place}) was already consumed by the backward at "
            f"{show_where(node.consumed)}; pass retain_graph=True there to go through it twice"
        )


def check_versions(node: Node) -> None:
    """Refuse a node whose rules would read what was changed in place since."""
    for memory, _, _ in node.contents:
        if memory.version > node.index:
            name = memory.show()
            raise MutationError(
                f"{node.op.name}: {name} was changed in place after the forward at {node.place} read it; its "
                "rules would no longer fit the numbers in it. Call backward before the change"
            )


def check_contents(node: Node) -> None:
    """Refuse a node whose rules would read what was changed without the tape being told."""
    for memory, array, numbers in node.contents:
        # noted in the same way by save_input in saved.py; written out: one call less for each array
        if numbers != (array.tobytes() if array.nbytes <= WHOLE else sample(array)):
            name = memory.show()
            raise MutationError(
                f"{node.op.name}: the numbers in {name} were changed after the forward at {node.place} read "
                "them, through .data or an array that shares its memory; its rules would no longer fit them. "
                "Call backward before the change, or give the op a copy (.clone())"
            )
