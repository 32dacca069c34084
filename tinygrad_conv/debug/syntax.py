"""A function's source as a syntax tree, and what statements and expressions are made of."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

BLOCKS = {"no_grad", "inference_mode"}


def name_of(func: ast.expr) -> str:
    """The last name of what is called."""
    return getattr(func, "attr", getattr(func, "id", ""))


def parts(node: Any) -> Iterator[ast.expr]:
    """The expressions that an expression is made of; of `a if b else c` not b."""
    for name, value in ast.iter_fields(node) if isinstance(node, ast.AST) else ():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.comprehension):
                yield each.iter
            elif isinstance(each, ast.expr) and name not in ("test", "slice"):
                yield each


def targets(statement: Any) -> set[str]:
    """The names that a statement binds."""
    places = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    nodes = [node for place in places if place is not None for node in ast.walk(place)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def block_line(expressions: list[ast.expr]) -> int:
    """The line of the first of these that is a `no_grad()`; 0 for none."""
    for node in expressions:
        if name_of(node.func if isinstance(node, ast.Call) else node) in BLOCKS:
            return node.lineno
    return 0


def definition(code: CodeType) -> Any:
    """Where a function, or a module, is written. Raises SyntaxError where that cannot be read."""
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    if code.co_name == "<module>":
        return tree
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            if code.co_firstlineno in (node.lineno, *(each.lineno for each in node.decorator_list)):
                return node
    raise ValueError(f"{code.co_name} is not where its lines are")
