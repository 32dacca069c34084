"""How rules and kernels are broken: each function in standard ways, one at a time, and by what such a mutant
is known.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import inspect
import os
import pkgutil
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import tinygrad_conv
from tests.helpers import all_rules
from tinygrad_conv import kernels

from .speed import speed_alone

PACKAGE = os.path.dirname(os.path.abspath(tinygrad_conv.__file__))
SYMMETRIC = ("add", "max", "min", "maximum", "minimum", "swapaxes", "gcd", "result_type")
COUNTERPARTS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


class Mutant(NamedTuple):
    """A function, broken in one place: "before → after"."""

    function: FunctionType
    line: int
    change: str
    code: CodeType
    speed: str = ""  # why it may change nothing but the speed

    def __str__(self) -> str:
        path = os.path.relpath(self.function.__code__.co_filename)
        return f"{path}:{self.line} {self.function.__name__}: {self.change}"


def place_of(function: FunctionType) -> str:
    """The function's file, from the package on, and its name."""
    path = os.path.relpath(function.__code__.co_filename, PACKAGE)
    return f"{path.replace(os.sep, '/')} {function.__qualname__}"


def mutants(function: FunctionType) -> Iterator[Mutant]:
    """A function, broken in each way once."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    for path in list(mutable(tree.body[:1])):
        for variant in variants(path[-1]):
            if is_left_over(path, variant):
                continue
            with contextlib.suppress(SyntaxError, ValueError):
                yield mutated(function, tree, first, path, variant)


def mutated(
    function: FunctionType, tree: ast.Module, first: int, path: list[ast.AST], variant: ast.AST
) -> Mutant:
    """The function of a tree that begins in line `first`, with the last node of a path replaced."""
    node, copies = path[-1], dict[int, Any]()
    broken = copy.deepcopy(tree, copies)
    replace(broken, copies[id(node)], variant)
    ast.fix_missing_locations(broken)
    told = told_by(path)
    after = variant if told is node else copies[id(told)]
    return Mutant(
        function,
        line=first + getattr(node, "lineno", 1) - 1,
        change=f"{ast.unparse(told)} → {ast.unparse(after)}",
        code=compiled(broken, function),
        speed=reason_of_speed(function, path, variant),
    )


def reason_of_speed(function: FunctionType, path: list[ast.AST], variant: ast.AST) -> str:
    """Why the change may change nothing but the speed, if it is one of a kernel; else ""."""
    if not function.__module__.startswith(kernels.__name__):
        return ""
    left = getattr(variant, "keywords", [])
    dropped = [keyword for keyword in getattr(path[-1], "keywords", []) if keyword not in left]
    return speed_alone(function, [*path, *dropped])


def told_by(path: list[ast.AST]) -> ast.AST:
    """The node to show for the last of a path: a number alone says nothing, so it is shown within the
    smallest expression that names something.
    """
    node = path[-1]
    if not isinstance(node, ast.Constant):
        return node
    return next((outer for outer in reversed(path) if names_something(outer)), node)


def names_something(node: ast.AST) -> bool:
    """Whether a node is an expression that can stand alone, and has a name in it."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    is_sliced = any(isinstance(part, ast.Slice) for part in parts)
    has_name = any(isinstance(part, ast.Name) for part in ast.walk(node))
    return isinstance(node, ast.expr) and has_name and not is_sliced


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may be replaced by."""
    if isinstance(node, ast.BinOp):
        yield node.left
        if type(node.op) in COUNTERPARTS:
            yield ast.BinOp(node.left, COUNTERPARTS[type(node.op)](), node.right)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            yield node.right
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COUNTERPARTS:
        yield ast.Compare(node.left, [COUNTERPARTS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Call):
        for at in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, node.keywords[:at] + node.keywords[at + 1 :])
        if len(node.args) == 2 and ast.unparse(node.func).rpartition(".")[2] not in SYMMETRIC:
            yield ast.Call(node.func, node.args[::-1], node.keywords)
    elif isinstance(node, ast.Return) and isinstance(node.value, (ast.Call, ast.BinOp, ast.Name)):
        if ast.unparse(node.value).startswith("np.zeros("):
            return  # -0 and 2 · 0 are 0
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
        yield ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), node.value))


def is_left_over(path: list[ast.AST], variant: ast.AST) -> bool:
    """Whether it makes -2 of the -1 in `array.reshape(-1, …)`: NumPy takes any negative number for the size
    that is left.
    """
    calls = [node.func for node in path if isinstance(node, ast.Call)]
    methods = [function.attr for function in calls if isinstance(function, ast.Attribute)]
    negative = isinstance(path[-2], ast.UnaryOp) and isinstance(variant, ast.Constant) and variant.value == 2
    return negative and methods[-1:] == ["reshape"]


def mutable(path: list[ast.AST]) -> Iterator[list[ast.AST]]:
    """The paths to the nodes below the last of these that are worth changing: no messages, annotations or
    defaults.
    """
    node = path[-1]
    for name, value in ast.iter_fields(node):
        if name in ("args", "annotation", "returns", "decorator_list") and isinstance(
            node, (ast.FunctionDef, ast.AnnAssign)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.Raise, ast.JoinedStr, ast.Assert)):
                continue
            yield [*path, child]
            yield from mutable([*path, child])


def replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put one node in the place of another."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(child is old for child in value):
                setattr(parent, name, [new if child is old else child for child in value])


def compiled(tree: ast.Module, function: FunctionType) -> CodeType:
    """The code of the function that a tree defines."""
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    module = compile(tree, function.__code__.co_filename, "exec", dont_inherit=True)
    codes = [constant for constant in module.co_consts if isinstance(constant, CodeType)]
    return next(code for code in codes if code.co_name == function.__name__)


def rule_functions() -> dict[FunctionType, list[str]]:
    """Every rule, and every helper that a rule calls, with the ops that use it."""
    users: dict[FunctionType, list[str]] = {}
    for op, rule in all_rules():
        pending, seen = [rule.function], set()
        while pending:
            function = pending.pop()
            seen.add(function)
            if op.name not in users.setdefault(function, []):
                users[function].append(op.name)
            pending.extend(helper for helper in helpers_of(function) if helper not in seen)
    return users


def helpers_of(function: FunctionType) -> list[FunctionType]:
    """The ops' own functions that a function calls, but for those that check and show."""
    functions = [uncached(function.__globals__.get(name)) for name in function.__code__.co_names]
    own = [value for value in functions if isinstance(value, FunctionType) and ".ops." in value.__module__]
    return [helper for helper in own if not helper.__name__.startswith(("check", "show"))]


def uncached(value: Any) -> Any:
    """The function within an lru_cache; anything else as it is."""
    return value.__wrapped__ if hasattr(value, "cache_info") else value


def kernel_functions() -> dict[FunctionType, list[str]]:
    """Every function of the kernels; no op is known to use it."""
    functions: dict[FunctionType, list[str]] = {}
    for entry in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}."):
        module = importlib.import_module(entry.name)
        for value in vars(module).values():
            value = inspect.unwrap(value) if callable(value) else value
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                functions[value] = []
    return functions
