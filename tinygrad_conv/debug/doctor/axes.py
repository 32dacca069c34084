"""What the source says of a reshape: `time, samples, channels = x.shape; x.reshape(samples, time * channels)`
takes the axes in the order 1, 0, 2, whatever their sizes are.
"""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TypeGuard

from ...engine.location import Place

RESHAPES = ("reshape", "view")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def order_in_source(place: Place, before: tuple[int, ...], after: tuple[int, ...]) -> list[int] | None:
    """The axes in the order in which the one reshape of a line asks for them; None where it does not say."""
    around = scope_of(tree_of("".join(linecache.getlines(place.file))), place.line)
    calls = [node for node in ast.walk(around) if is_reshape(node, place.line)]
    if len(calls) != 1:
        return None
    method, sizes = calls[0].func, calls[0].args
    if len(sizes) == 1 and isinstance(sizes[0], (ast.Tuple, ast.List)):
        sizes = sizes[0].elts
    tensor = ast.unparse(method.value) if isinstance(method, ast.Attribute) else ""
    names = Names(tensor, names_of_axes(around, tensor, place.line), len(before))
    groups = [names.axes_of(size) for size in sizes]
    if groups.count(None) > 1 or len(groups) != len(after):
        return None
    given = {axis for group in groups for axis in group or ()}
    rest = [axis for axis in range(len(before)) if axis not in given]  # those of the -1
    whole = [rest if group is None else group for group in groups]
    order = [axis for group in whole for axis in group]
    fits = [prod(before[axis] for axis in group) for group in whole] == list(after)
    return order if fits and sorted(order) == list(range(len(before))) else None


@dataclass(frozen=True)
class Names:
    """How a source names the axes of a tensor."""

    tensor: str
    known: dict[str, int]
    count: int

    def axes_of(self, size: ast.expr) -> list[int] | None:
        """The axes whose sizes an argument multiplies; None where it does not say so."""
        if isinstance(size, ast.BinOp) and isinstance(size.op, ast.Mult):
            left, right = self.axes_of(size.left), self.axes_of(size.right)
            return None if left is None or right is None else left + right
        axis = self.known.get(ast.unparse(size), axis_in(size, self.tensor))
        return None if axis is None else [axis % self.count]


@lru_cache(maxsize=8)
def tree_of(source: str) -> ast.Module:
    """A source, parsed; an empty one where it is none, as a cell with magics."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def scope_of(tree: ast.Module, line: int) -> ast.AST:
    """The innermost function that has a line; else the module."""
    inside: ast.AST = tree
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, Function) and node.lineno <= line <= (node.end_lineno or node.lineno):
            inside = node
    return inside


def is_reshape(node: ast.AST, line: int) -> TypeGuard[ast.Call]:
    """Whether a node is a call of x.reshape or x.view in a line."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr in RESHAPES and node.lineno <= line <= (node.end_lineno or node.lineno)


def names_of_axes(scope: ast.AST, tensor: str, line: int) -> dict[str, int]:
    """The names that hold the size of an axis of a tensor in a line: written once, and before it, and the
    tensor not since.
    """
    assignments = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    written = [(name, node.lineno) for node in assignments for name in names_written(node)]
    names: dict[str, int] = {}
    for node in assignments:
        if not any(name == tensor and node.lineno < at < line for name, at in written) and node.lineno < line:
            names.update(axes_named(node, tensor))
    times = Counter(name for name, _ in written)
    return {name: axis for name, axis in names.items() if times[name] == 1}


def names_written(node: ast.Assign) -> list[str]:
    """The names that an assignment gives a value."""
    return [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def axes_named(node: ast.Assign, tensor: str) -> dict[str, int]:
    """What `n, c, h, w = x.shape` and `n = x.size(0)` say."""
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and ast.unparse(node.value) in (f"{tensor}.shape", f"{tensor}.size()"):
        names = [part.id for part in target.elts if isinstance(part, ast.Name)]
        return {name: axis for axis, name in enumerate(names)} if len(names) == len(target.elts) else {}
    axis = axis_in(node.value, tensor)
    return {target.id: axis} if isinstance(target, ast.Name) and axis is not None else {}


def axis_in(size: ast.expr, tensor: str) -> int | None:
    """i of `x.shape[i]` and `x.size(i)`, 0 of `len(x)`."""
    written = ast.unparse(size)
    for begin in (f"{tensor}.shape[", f"{tensor}.size("):
        axis = written[len(begin) : -1]
        if written.startswith(begin) and axis.lstrip("-").isdigit():
            return int(axis)
    return 0 if written == f"len({tensor})" else None
