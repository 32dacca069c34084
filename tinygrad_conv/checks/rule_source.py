"""What a rule may say. It runs on ndarrays in an ordinary backward and on Tensors under create_graph, and
must mean the same.

So what it does to gradients, inputs, outputs and kept values is written in operators, indexing, `.shape`,
`.ndim`, `.dtype`, registered ops, and module-level functions made of the same. A method may mean two things
(`x.transpose(0, 1)`), a NumPy function takes a Tensor off the tape, a lambda or closure puts a frame without
a name into the debugger. Shapes and params are plain Python, and may be computed with anything.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..engine.op import Op, Rule
from ..engine.registry import OPS
from ..errors import show_place
from ..places import show_path

FACTS = {"shape", "ndim", "dtype"}  # what may be asked of an array, and is no array itself
BUILTINS = {"len", "zip", "enumerate", "tuple", "list", "abs", "reversed"}


class SourceFault(NamedTuple):
    """A place in a rule that does not mean the same in both modes."""

    place: str
    text: str
    kind: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def rule_faults(op: Op, rule: Rule) -> list[SourceFault]:
    """What a rule says that it may not, in itself and in the helpers it calls."""
    names = list(inspect.signature(rule.function).parameters)
    choices = set(op.keeps) - set(op.derivations)  # kept indices and masks are arrays in both modes
    facts = {f"{one}_shape" for one in op.inputs} | set(op.params) | choices
    function: Any = rule.function
    return function_faults(function, frozenset(name for name in names if name not in facts))


def function_faults(
    function: FunctionType, arrays: frozenset[str], above: frozenset[FunctionType] = frozenset()
) -> list[SourceFault]:
    """What a function says that it may not, where the parameters named in `arrays` are arrays or Tensors.

    above: the functions that are being read already, which need no second look where it calls one of them.
    """
    if function in above:
        return []
    if function.__closure__:
        return [
            SourceFault(
                show_place(function),
                f"{function.__name__} is a closure; rules stand at module level",
                "closure",
            )
        ]
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return []  # typed at a prompt: there is nothing to read
    # a lambda's lines may be the middle of a call, which is no statement to parse
    tree = None if is_lambda(function) else ast.parse(textwrap.dedent("".join(lines))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        return [SourceFault(show_place(function), "a rule is a def at module level, not a lambda", "lambda")]
    reader = Reader(function, first, set(arrays), above | {function})
    for _ in range(2):  # twice: in a loop, a name may become an array below the place where it is used
        reader.found.clear()
        for statement in tree.body:
            reader.visit(statement)
    return list(reader.found)


def is_lambda(function: FunctionType) -> bool:
    return function.__name__ == "<lambda>"


class Reader(ast.NodeVisitor):
    """Walks a function's tree and keeps count of which names hold arrays."""

    def __init__(
        self, function: FunctionType, first: int, arrays: set[str], above: frozenset[FunctionType]
    ) -> None:
        self.function, self.first, self.arrays, self.above = function, first, arrays, above
        self.found: dict[SourceFault, None] = {}
        self.imported: dict[str, Any] = {}  # by an import within the function

    def fault(self, node: Any, text: str, kind: str) -> None:
        place = f"{show_path(self.function.__code__.co_filename)}:{self.first + node.lineno - 1}"
        self.found[SourceFault(place, text, kind)] = None

    def holds_array(self, node: ast.AST | None) -> bool:
        """Whether an expression is an array, or holds one."""
        if node is None or (isinstance(node, ast.Attribute) and node.attr in FACTS):
            return False
        if isinstance(node, ast.Name):
            return node.id in self.arrays
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            return False
        if isinstance(node, ast.Subscript):
            return self.holds_array(node.value)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return self.holds_array(node.elt)
        if isinstance(node, ast.Compare) and all(isinstance(one, (ast.Is, ast.IsNot)) for one in node.ops):
            return False
        if isinstance(node, ast.IfExp):
            return self.holds_array(node.body) or self.holds_array(node.orelse)
        return any(self.holds_array(child) for child in ast.iter_child_nodes(node))

    def assign(self, target: ast.AST, value: ast.AST | None) -> None:
        """The names in `target` hold arrays if `value` does."""
        if isinstance(value, ast.IfExp):
            self.assign(target, value.body)
            self.assign(target, value.orelse)
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for one, its_value in zip(target.elts, value.elts):
                self.assign(one, its_value)
        elif self.holds_array(value):
            self.arrays |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and self.holds_array(target.value):
                self.fault(node, "sets elements of an array in place; use where, cat or put_add", "in place")
            self.assign(target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if self.holds_array(node.target):
            self.fault(node, "changes an array in place; write x = x + … instead of x += …", "in place")
        self.assign(node.target, node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self.assign(node.target, node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.assign(node.target, node.iter)
        self.generic_visit(node)

    def visit_ListComp(self, node: Any) -> None:
        for part in node.generators:  # before the element, which uses their names
            self.visit(part)
        self.generic_visit(node)

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.fault(node, "a lambda has no name in the debugger; write a def at module level", "lambda")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.fault(node, f"{node.name} is defined inside a rule; move it to module level", "closure")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        package = self.function.__module__.rsplit(".", max(node.level, 1))[0]
        module = import_module("." * node.level + (node.module or ""), package)
        self.imported.update({one.asname or one.name: getattr(module, one.name) for one in node.names})

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.holds_array(node.value) and node.attr not in FACTS:
            self.fault(
                node, f".{node.attr} may differ between ndarray and Tensor; call the registered op", "method"
            )
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        given = [*node.args, *(one.value for one in node.keywords)]
        is_method = isinstance(node.func, ast.Attribute) and self.holds_array(node.func.value)
        if any(map(self.holds_array, given)) and not is_method:
            self.check_callee(node, resolve({**self.function.__globals__, **self.imported}, node.func))
        self.generic_visit(node)

    def check_callee(self, node: ast.Call, callee: Any) -> None:
        """A function that is given an array must be an op, or a plain function of the same kind."""
        name = ast.unparse(node.func)
        if isinstance(callee, Op):
            return
        if getattr(callee, "__module__", None) == "builtins" and name in BUILTINS:
            return
        if (
            isinstance(callee, np.ufunc)
            or (getattr(callee, "__module__", None) or "").partition(".")[0] == "numpy"
        ):
            self.fault(
                node,
                f"{name} is NumPy's: it leaves the tape under create_graph; call the registered op",
                "numpy",
            )
        elif isinstance(callee, FunctionType):
            for one in function_faults(callee, frozenset(self.names_given(node, callee)), self.above):
                self.found[one] = None
        else:
            self.fault(
                node, f"{name} is given an array, but is neither an op nor a module-level function", "callee"
            )

    def names_given(self, node: ast.Call, callee: FunctionType) -> Iterator[str]:
        """Those parameters of a helper that are given arrays."""
        declared = list(inspect.signature(callee).parameters.values())
        for at, value in enumerate(node.args):
            if self.holds_array(value):
                yield declared[min(at, len(declared) - 1)].name
        yield from (one.arg for one in node.keywords if one.arg and self.holds_array(one.value))


def resolve(known: dict[str, Any], expression: ast.expr) -> Any:
    """What an expression means by the names known where it stands: the object, or None where only running it
    would tell.
    """
    if isinstance(expression, ast.Name):
        return known.get(expression.id, getattr(builtins, expression.id, None))
    if isinstance(expression, ast.Attribute):
        owner = resolve(known, expression.value)
        return getattr(owner, expression.attr, None) if isinstance(owner, ModuleType) else None
    if isinstance(expression, ast.Subscript) and isinstance(expression.slice, ast.Constant):  # OPS["add"]
        owner = resolve(known, expression.value)
        return OPS.get(str(expression.slice.value)) if owner is OPS else None
    return None


def all_rules() -> list[tuple[Op, Rule]]:
    """Every rule of every registered op, and every derivation of a kept value."""
    return [(op, rule) for op in OPS.values() for rule in [*op.rules, *op.derivations.values()] if rule]
