"""`Step`: one op of a backward, as data."""

from __future__ import annotations

import linecache
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from .. import errors
from ..engine.tape import Node
from ..places import line_of
from .html import show_step
from .listing import SHORT


class Place(NamedTuple):
    """The user's line that called an op."""

    file: str
    line: int
    source: str  # the text of the line, or "" where the file cannot be read
    layer: str  # the path of the layer whose call it was, or ""

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}{self.layer and ' in '}{self.layer}{self.source and '   '}{self.source}"
        )


class Source(NamedTuple):
    """A result of an op, as steps call it: `%3[1]` is Source(3, 1)."""

    number: int
    slot: int


class Accumulated(NamedTuple):
    """A gradient before an op added its contribution (None: it was the first), and after."""

    before: Any
    after: Any


class Forward(Protocol):
    """What an op read and made; None stands for what the tape does not know any more."""

    @property
    def inputs(self) -> dict[str, Any]: ...
    @property
    def output(self) -> Any: ...


class Kept(NamedTuple):
    """Forward values that are at hand."""

    inputs: dict[str, Any]
    output: Any


@dataclass(repr=False, eq=False)
class Step:
    """One op of a backward. The arrays are the engine's own: look at them, and copy what you want to change.

    number: the op's place on the tape, `%3` in its listing. grad_output: the gradient of the output, after
    hooks. rule: the rule for each argument that a gradient is wanted for, with its file and line.
    grad_inputs: what this op contributes to each argument's gradient, and accumulated: that gradient before
    and after; both are empty until the rules have run. inputs, output: the forward values (an optional input
    that was left out is not among them); what no rule reads is computed again from what is known, and None
    where that cannot be done. read: what the rules read.

    Of an op with several outputs `output` and `grad_output` are tuples, of a variadic argument the gradients
    are.
    """

    number: int
    op: str
    params: dict[str, Any]
    where: Place
    rule: dict[str, str]
    read: dict[str, Any]
    shapes: tuple[Any, ...]  # shape and dtype of each output
    sources: dict[
        str, Any
    ]  # where each input came from: the `Source` of a result, the name of a leaf, or None
    grad_output: Any
    forward: Forward
    grad_inputs: dict[str, Any] = field(default_factory=dict)
    accumulated: dict[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        return self.forward.inputs

    @property
    def output(self) -> Any:
        return self.forward.output

    def __repr__(self) -> str:
        lines = [f"%{self.number} {self.op}   {self.where}", f"grad_output: {show(self.grad_output)}"]
        for name, gradient in self.grad_inputs.items():
            lines.append(f"grad_inputs[{name!r}]: {show(gradient)}   {self.rule[name]}")
        return "\n    ".join(lines)

    def _repr_html_(self) -> str:
        return show_step(self)


def place_of(node: Node) -> Place:
    """Where the forward of a node was called."""
    file, line = node.where[0].co_filename, line_of(node.where)
    return Place(file, line, linecache.getline(file, line).strip(), node.layer)


def rules_of(node: Node) -> dict[str, str]:
    """The rules that a backward through the node runs, by argument."""
    wanted = [(rule, edge) for rule, edge in zip(node.op.rules, node.edges) if edge is not None]
    return {
        rule.argument: f"{rule.function.__name__} ({errors.show_place(rule.function)})" for rule, _ in wanted
    }


def show(value: Any) -> str:
    """A value in a few words: a small array by its numbers, a large one by its range."""
    value = getattr(value, "data", value) if type(value).__module__ != "numpy" else value
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ")"
    if not isinstance(value, np.ndarray):
        return SHORT.repr(value)
    if value.size <= 8:
        return " ".join(np.array2string(value, precision=4, separator=", ").split())
    finite = value[np.isfinite(value)]
    span = f" from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
    return f"{errors.show_array(value)}{span}{describe_nonfinite(value)}"


def describe_nonfinite(value: np.ndarray[Any, Any]) -> str:
    """`, 3 NaN, 1 inf, the first at [0, 2]`, or nothing."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return ""
    nans, infinities = int(np.isnan(value).sum()), int(np.isinf(value).sum())
    first = ", ".join(map(str, np.argwhere(~np.isfinite(value))[0])) if value.ndim else ""
    counts = [f"{count:,} {name}" for count, name in ((nans, "NaN"), (infinities, "inf")) if count]
    return f", {', '.join(counts)}, the first at [{first}]"
