"""`Step`: one op of a backward, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ..engine.location import Place, place_at
from ..engine.node import Node
from ..engine.registry import if_open
from ..errors import show_value
from ..members import members_of


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
    sources: dict[str, Any]  # where inputs came from: the `Source` of a result, a leaf's name, or None
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

    @property
    def several(self) -> bool:
        """Whether the op has several outputs: then its rules are given a tuple."""
        return type(self.grad_output) is tuple

    @property
    def variadic(self) -> bool:
        """Whether the op takes any number of inputs, under one name."""
        return type(next(iter(self.sources.values()), None)) is tuple

    def one_by_one(self, by_argument: dict[str, Any]) -> Iterator[tuple[str, int | None, Any]]:
        """(argument, place in it if it is variadic, value) for sources or gradients by argument."""
        for name, values in by_argument.items():
            for place, value in enumerate(members_of(values)):
                yield name, place if self.variadic else None, value

    def as_dy(self, gradients: Sequence[Any]) -> Any:
        """Gradients of the outputs, one for each, as the op's rules are given them."""
        return tuple(gradients) if self.several else gradients[0]

    def __repr__(self) -> str:
        lines = [f"%{self.number} {self.op}   {self.where}", f"grad_output: {show_value(self.grad_output)}"]
        for name, gradient in self.grad_inputs.items():
            lines.append(f"grad_inputs[{name!r}]: {show_value(gradient)}   {self.rule[name]}")
        return "\n    ".join(lines)

    def _repr_html_(self) -> str | None:
        return if_open("step_html", self)


def place_of(node: Node) -> Place:
    """Where the forward of a node was called."""
    return place_at(node.where, node.layer)


def rules_of(node: Node) -> dict[str, str]:
    """The rules that a backward through the node runs, by argument."""
    wanted = [(rule, edge) for rule, edge in zip(node.op.rules, node.edges) if edge is not None]
    return {rule.argument: show_rule(rule) for rule, _ in wanted}


def show_rule(rule: Any) -> str:
    """A rule by its name and place: `conv2d_dw (ops/conv.py:35)`; and by what it is the gradient of, if not
    of its op's forward.
    """
    code = rule.function.__code__
    place = Place(code.co_filename, code.co_firstlineno, "", "").at
    return f"{rule.function.__name__} ({place}{rule.stands_for})"
