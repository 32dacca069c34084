"""The Wengert list: the program that ran, one op a line, in the order in which it ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from .. import errors
from ..engine.location import place_at
from ..engine.node import Node, Output, input_edges, nodes_behind
from ..engine.registry import if_open
from ..engine.tensor import Tensor
from ..errors import SHORT

WIDEST = 80  # columns of a call, beyond which a line is longer than the others
SHOWN = 40  # lines in the repr of a tape


class Line(NamedTuple):
    """One op that ran, in words: nothing of it keeps an array alive."""

    number: int  # `%3` in the listing; the oldest op is 1
    op: str
    inputs: tuple[str, ...]  # `%2`, a result; `%2[1]`, one of several; otherwise a name, or dtype and shape
    params: tuple[str, ...]  # `stride=2`, for those that differ from their defaults
    outputs: tuple[str, ...]  # dtype and shape of each
    place: str  # the user's file and line
    layer: str  # the path of the layer whose call it was, or ""
    freed_by: str  # the line of the backward that freed it, or ""

    @property
    def call(self) -> str:
        """`%3 = conv2d(x, conv1.weight, stride=2)`."""
        given = "freed" if self.freed_by else ", ".join(self.inputs + self.params)
        return f"%{self.number} = {self.op}({given})"

    def columns(self) -> tuple[str, ...]:
        """Call, outputs, place and layer."""
        return self.call, ", ".join(self.outputs), self.place, self.layer

    def __str__(self) -> str:
        return "    ".join(self.columns()).rstrip()


class Tape(Sequence[Line]):
    """The ops that `tensors` were computed by, oldest first: print it, index it, iterate over it.

    It is a list of what had run when it was made: a later backward takes nothing from it, and it keeps no
    array alive. Made after the backward, it can only say which line freed the ops.

    A leaf shows its name, or dtype and shape; a constant what is still known of it: its name, its number, or
    its shape.
    """

    def __init__(self, *tensors: Tensor) -> None:
        nodes = nodes_behind(tensor._edge.node for tensor in tensors if tensor._edge is not None)
        numbers = {node: number for number, node in enumerate(nodes, 1)}
        self._lines = [describe(node, numbers) for node in nodes]
        self._roots = ", ".join(errors.show_tensor(tensor) for tensor in tensors)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    @overload
    def __getitem__(self, position: int) -> Line: ...
    @overload
    def __getitem__(self, position: slice) -> list[Line]: ...
    def __getitem__(self, position: int | slice) -> Line | list[Line]:
        return self._lines[position]

    def __str__(self) -> str:
        return self._show(self._lines)

    def __repr__(self) -> str:
        if len(self) <= SHOWN:
            return str(self)
        half = SHOWN // 2
        listing = self._show([*self._lines[:half], *self._lines[-half:]]).split("\n")
        middle = f"… {errors.show_count(len(self) - 2 * half, 'more op')}: print(tape) lists them all …"
        return "\n".join([*listing[:half], middle, *listing[half:]])

    def _repr_html_(self) -> str | None:
        return if_open("tape_html", self)

    def _show(self, lines: list[Line]) -> str:
        """The lines in aligned columns, and below them what can no longer be listed."""
        if not lines:
            made = f"{self._roots or 'nothing'} was made by no op on it"
            return f"The tape is empty: {made} (a leaf, detached, or under no_grad)."
        table = [line.columns() for line in lines]
        widths = [min(max(map(len, column)), WIDEST) for column in zip(*table)]
        listing = [
            "    ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table
        ]
        freed = dict.fromkeys(line.freed_by for line in lines if line.freed_by)
        return "\n".join([*listing, *(FREED.format(place) for place in freed)])


FREED = (
    "What stands behind a freed op was let go of by the backward at {}: "
    "make the tape before it, or pass retain_graph=True there."
)


def describe(node: Node, numbers: dict[Node, int]) -> Line:
    """A node in words."""
    inputs = [show_input(node, position, edge, numbers) for position, edge in enumerate(input_edges(node))]
    while inputs and not inputs[-1] and not node.op.variadic:  # optional inputs that were left out
        inputs.pop()
    return Line(
        number=numbers[node],
        op=node.op.name,
        inputs=(f"[{', '.join(inputs)}]",) if node.op.variadic else tuple(text or "None" for text in inputs),
        params=tuple(show_params(node)),
        outputs=tuple(f"{dtype}{errors.show_shape(shape)}" for shape, dtype in node.outputs),
        place=place_at(node.where, node.layer).at,
        layer=node.layer,
        freed_by=place_at(node.consumed).at if node.consumed else "",
    )


def show_input(node: Node, position: int, edge: Any, numbers: dict[Node, int]) -> str:
    """An input: a result by its number, a leaf or a constant by its name, or by what else is known of it."""
    if edge is None:
        return show_constant(node, position)
    if type(edge) is not Output:
        return errors.show_tensor(edge)
    number = numbers[edge.node]
    return f"%{number}[{edge.slot}]" if edge.node.several else f"%{number}"


def show_constant(node: Node, position: int) -> str:
    """An input that no gradient goes to: the node has its name, and its value or shape if a rule reads it."""
    if not node.op.variadic and position not in (node.constants or ()):
        return ""  # left out
    if node.constants and node.constants[position] is not None:
        return str(node.constants[position])  # or the number itself
    value, shape = saved_input(node, position), saved_input(node, position, "_shape")
    if value is not None:
        return SHORT.repr(value)
    return "constant" if shape is None else errors.show_shape(shape)


def saved_input(node: Node, position: int, suffix: str = "") -> Any:
    """What the node keeps of an input, or (with suffix `_shape`) of its shape; None if nothing."""
    value = node.saved.get(node.op.inputs[0 if node.op.variadic else position] + suffix)
    return value if value is None or not node.op.variadic else value[position]


def show_params(node: Node) -> Iterator[str]:
    """The params that differ from their defaults, shortened."""
    for name, value in node.params.items():
        default = node.op.defaults.get(name, node)  # a node is nobody's param
        if type(default) is int and type(value) is tuple and len(set(map(repr, value))) == 1:
            value = value[0]  # stride=(2, 2) is stride=2
        if isinstance(value, np.ndarray) or type(value) is not type(default) or value != default:
            yield f"{name}={SHORT.repr(value)}"
