"""The tape as PyTorch's scripts walk it: `loss.grad_fn.next_functions`, down to the leaves, and `name()`."""

from __future__ import annotations

from typing import Any

WITHOUT_NUMBERS = ("pow", "clamp_min", "clamp_max")
"""Ops in which a number has no place of its own among PyTorch's."""


class NextFunctions:
    """What a node says of itself in PyTorch's words."""

    __slots__ = ()

    op: Any
    edges: list[Any]
    constants: dict[int, Any] | None

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input (the node that made it, which of its outputs it is); (AccumulateGrad, 0) for a leaf,
        (None, 0) where no gradient is wanted. A number stands behind the tensor that it is computed with, and
        in some ops nowhere, as in PyTorch. Empty once a backward has freed the node.
        """
        edges = self.edges[0] if self.op.variadic and self.edges else self.edges
        numbers = [
            place for place, value in (self.constants or {}).items() if isinstance(value, (int, float))
        ]
        others = [edge for place, edge in enumerate(edges) if place not in numbers]
        left_out = self.op.name in WITHOUT_NUMBERS or (self.op.name == "sub" and 0 in numbers)
        return tuple(map(next_function, others + [None] * (len(edges) - len(others)) * (not left_out)))

    def name(self) -> str:
        """`MulBackward0` for the op mul, and so on for all; PyTorch has other names for some."""
        return "".join(map(str.capitalize, self.op.name.split("_"))) + "Backward0"


class AccumulateGrad:
    """Where a gradient ends up: `variable`, a leaf, to whose `.grad` a backward adds it."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    next_functions: tuple[tuple[Any, int], ...] = ()

    def name(self) -> str:
        """As PyTorch calls it."""
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad of {self.variable!r}>"


def next_function(edge: Any) -> tuple[Any, int]:
    """Where the gradient of an input goes, and to which output of that."""
    if edge is None:
        return None, 0
    return (edge.node, edge.slot) if hasattr(edge, "slot") else (AccumulateGrad(edge), 0)
