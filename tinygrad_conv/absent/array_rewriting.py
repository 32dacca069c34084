"""What to write where a method of a tensor is called on an array: the table's line, filled in."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import Any

import numpy as np

from .array_methods import METHODS, OTHER_NAMES, OTHERWISE, Method, parsed

AS_IS = ("sum", "mean", "prod", "all", "any", "argmax", "argmin", "cumsum", "cumprod", "squeeze", "argsort")
"""Which arrays have as well, with the same meaning: only the names of arguments are others."""


def given_arguments(method: Method, call: ast.Call) -> dict[str, Any]:
    """The arguments of a call by PyTorch's names; `rest` is a list."""
    names = method.arguments.split()
    if names == ["rest"]:
        return {"rest": [*call.args, *(keyword.value for keyword in call.keywords)]}
    given: dict[str, Any] = dict(zip(names, call.args))
    for keyword in call.keywords:
        name = keyword.arg or ""
        given[name if name in names else OTHER_NAMES.get(name, name)] = keyword.value
    return {name: given[name] for name in names if name in given}


def means_the_same(name: str, call: ast.Call) -> bool:
    """Whether an array's own method of this name gives what the tensor's would, for these arguments."""
    keywords = {keyword.arg for keyword in call.keywords}
    if name in ("max", "min", "flatten"):
        return not call.args and not keywords & {"dim", "keepdim", "start_dim"}
    if name in AS_IS:
        return not keywords & {"dim", "keepdim", "descending"} and len(call.args) < 2
    if name in ("std", "var"):
        return "correction" in keywords and hasattr(np, "astype")  # NumPy 2 knows it
    if name == "transpose":
        return not call.args or positions(call) in ((1, 0), (-1, -2))
    return False


def positions(call: ast.Call) -> tuple[Any, ...]:
    """The arguments of a call by position, as far as they are numbers."""
    try:
        return tuple(ast.literal_eval(argument) for argument in call.args)
    except ValueError:
        return ()


def is_silent(name: str, call: ast.Call) -> bool:
    """Whether an array takes these arguments too, and gives other numbers."""
    keywords = {keyword.arg for keyword in call.keywords}
    if keywords & {"dim", "keepdim", "unbiased", "descending", "as_tuple", "dim0", "dim1"}:
        return False
    if name == "transpose":
        return positions(call) in ((), (0, 1), (-2, -1))
    return METHODS[name].silent and (name != "repeat" or len(call.args) < 3)


def instead_of(name: str, call: ast.Call, receiver: ast.expr, is_dtype: bool, is_operand: bool) -> ast.stmt:
    """What to write for a call of this method.

    is_dtype: of `to`, whether its argument is a dtype, not a device. is_operand: whether the first argument
    is an array, of which `max` takes the larger numbers.
    """
    method = METHODS[name]
    if name in ("max", "min") and is_operand:
        method, name = METHODS[f"{name}imum"], f"{name}imum"
    if name in ("add_", "sub_", "add", "sub") and len(call.args) == 2:  # (factor, other), as it once was
        method = Method("alpha other", method.instead)
    if name in ("addcmul_", "addcdiv_") and len(call.args) == 3:
        method = Method("value first second", method.instead)
    given = given_arguments(method, call)
    instead = OTHERWISE.get((name, frozenset(given)), method.instead)
    if name in ("std", "var"):
        instead = spread(name, given)
    if name in ("to", "type") and not is_dtype:
        instead = "A"
    if name == "nonzero" and call.keywords:
        instead = "A.nonzero()"
    return filled(instead, {**given, "A": receiver})


def spread(name: str, given: dict[str, Any]) -> str:
    """`std` and `var`, whose first argument may be `unbiased` as well."""
    if isinstance(given.get("dim"), ast.Constant) and isinstance(given["dim"].value, bool):
        given["unbiased"] = given.pop("dim")
    unbiased = given.get("unbiased")
    if isinstance(unbiased, ast.Constant):
        ddof = f"ddof={int(bool(unbiased.value))}, " if unbiased.value else ""
        return f"A.{name}(dim, {ddof}keepdims=keepdim)"
    return f"A.{name}(dim, ddof={'1' if unbiased is None else 'int(unbiased)'}, keepdims=keepdim)"


def filled(instead: str, values: dict[str, Any]) -> ast.stmt:
    """A line of the table with its arguments in their places."""
    names = {name for method in METHODS.values() for name in method.arguments.split()}
    return Filling(values, names).visit(deepcopy(parsed(instead)))


class Filling(ast.NodeTransformer):
    """Puts arguments in the places of their names, and leaves out those that were not given."""

    def __init__(self, values: dict[str, Any], names: set[str]) -> None:
        self.values, self.names = values, names

    def visit_Name(self, node: ast.Name) -> Any:
        value = self.values.get(node.id, node)
        return rest_of(value) if isinstance(value, list) else deepcopy(value)

    def visit_Call(self, node: ast.Call) -> Any:
        node.keywords = [keyword for keyword in node.keywords if not self.is_missing(keyword.value)]
        node.args = [argument for argument in node.args if not self.is_missing(argument)]
        if len(node.args) == 1 and isinstance(node.args[0], ast.Name) and node.args[0].id == "rest":
            node.func = self.visit(node.func)
            node.args = [deepcopy(value) for value in self.values["rest"]]
            return node
        return self.generic_visit(node)

    def is_missing(self, node: ast.expr) -> bool:
        """Whether it stands for an argument that was not given."""
        return isinstance(node, ast.Name) and node.id in self.names and node.id not in self.values


def rest_of(values: list[ast.expr]) -> ast.expr:
    """Several arguments as one: a tuple, or the one that there is."""
    return deepcopy(values[0]) if len(values) == 1 else ast.Tuple(deepcopy(values), ast.Load())
