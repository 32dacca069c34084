"""Which rule writes which op: a function of the graph, the op's inputs, and its params by keyword. And what
cannot be written, with the user's line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from ....engine.location import Where, place_at
from ....errors import ExportError

Rule = TypeVar("Rule", bound=Callable[..., Any])

RULES: dict[str, Callable[..., Any]] = {}


def writes(*ops: str) -> Callable[[Rule], Rule]:
    """Enter the decorated function as the rule of these ops.

    It returns what the outputs are called in the graph: a name, or a tuple of them.
    """

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, rule))
        return rule

    return enter


def one_node(op_type: str) -> Callable[..., Any]:
    """The rule of a function of x alone that ONNX has as it is."""

    def rule(graph: Any, x: Any) -> Any:
        return graph.node(op_type, x)

    rule.__doc__ = f"{op_type}."
    return rule


class NotWritable(Exception):
    """What a rule raises that cannot write its op with these inputs and params; it says why, and what to
    do.
    """


def refusal(reason: str, where: Where, layer: str) -> ExportError:
    """What to raise where a model cannot be written because of this line."""
    return ExportError(f"onnx.export: {reason}\n    at {place_at(where, layer)}")


def refuse(reason: str, where: Where, layer: str) -> NoReturn:
    """The model cannot be written, because of this line."""
    raise refusal(reason, where, layer)
