"""What a rule may say: its source is read, not run.

A rule runs on ndarrays in an ordinary backward and on Tensors under create_graph, and must mean the same. So
what it does to gradients, inputs, outputs and kept values is written in operators, indexing, `.shape`,
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

from ...engine.location import show_path, show_place
from ...engine.numpy_calls import LOOK_ON, OPERATORS
from ...engine.op import Op
from ...engine.registry import OPS
from ...engine.rule import Rule
from ..function import is_float_array

FACTS = {"shape", "ndim", "dtype"}  # what may be asked of an array, and is no array itself
BUILTINS = {"len", "zip", "enumerate", "tuple", "list", "abs", "reversed"}


class SourceFault(NamedTuple):
    """A place in a rule that does not mean the same in both modes."""

    place: str
    text: str
    kind: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def rule_faults(op: Op, rule: Rule, arrays: tuple[Any, ...] = ()) -> list[SourceFault]:
    """What a rule says that it may not, in itself and in the helpers it calls.

    arrays: what the op is called with, if that is known: integers have no gradient that could be lost.
    """
    names = frozenset(inspect.signature(rule.function).parameters)
    choices = set(op.keeps) - set(op.derivations)  # kept indices and masks are arrays in both modes
    facts = {f"{name}_shape" for name in op.inputs} | set(op.params) | choices
    if not op.variadic:
        facts |= {name for name, array in zip(op.inputs, arrays) if not is_float_array(array)}
    function: Any = rule.function
    return function_faults(function, names - facts)


def function_faults(
    function: FunctionType, arrays: frozenset[str], above: frozenset[FunctionType] = frozenset()
) -> list[SourceFault]:
    """What a function says that it may not, where the parameters named in `arrays` are arrays or Tensors.

    above: the functions that are being read already, which need no second look where it calls one of them.
    """
    if function in above:
        return []
    if function.__closure__:
        text = f"{function.__name__} is a closure; rules stand at module level"
        return [SourceFault(show_place(function), text, "closure")]
    try:
        lines, first_line = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return []  # typed at a prompt: there is nothing to read
    definition = parse_definition(function, lines)
    if definition is None:
        return [SourceFault(show_place(function), "a rule is a def at module level, not a lambda", "lambda")]
    return Reader(function, first_line, arrays, above).read(definition)


def parse_definition(function: FunctionType, lines: list[str]) -> ast.FunctionDef | None:
    """The syntax tree of a function's `def`; None where it is a lambda."""
    if function.__name__ == "<lambda>":  # its lines may be the middle of a call, and no statement
        return None
    statement = ast.parse(textwrap.dedent("".join(lines))).body[0]
    return statement if isinstance(statement, ast.FunctionDef) else None


class Reader(ast.NodeVisitor):
    """Walks a function's tree and keeps count of which names hold arrays."""

    def __init__(
        self, function: FunctionType, first_line: int, arrays: frozenset[str], above: frozenset[FunctionType]
    ) -> None:
        self.function, self.first_line = function, first_line
        self.arrays = set(arrays)
        self.above = above | {function}
        self.faults: dict[SourceFault, None] = {}  # a set that keeps their order
        self.imported: dict[str, Any] = {}  # by an import within the function

    def read(self, definition: ast.FunctionDef) -> list[SourceFault]:
        """What the function says that it may not."""
        for _ in range(2):  # twice: in a loop, a name may become an array below the place where it is used
            self.faults.clear()
            for statement in definition.body:
                self.visit(statement)
        return list(self.faults)

    def fault(self, node: Any, text: str, kind: str) -> None:
        """Note a fault at a place in the tree."""
        path = show_path(self.function.__code__.co_filename)
        place = f"{path}:{self.first_line + node.lineno - 1}"
        self.faults[SourceFault(place, text, kind)] = None

    def holds_array(self, node: ast.AST | None) -> bool:
        """Whether an expression is an array, or holds one."""
        if node is None or is_fact(node):
            return False
        if isinstance(node, ast.Name):
            return node.id in self.arrays
        if isinstance(node, ast.Subscript):
            return self.holds_array(node.value)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return self.holds_array(node.elt)
        if isinstance(node, ast.IfExp):
            return self.holds_array(node.body) or self.holds_array(node.orelse)
        return any(self.holds_array(child) for child in ast.iter_child_nodes(node))

    def assign(self, target: ast.AST, value: ast.AST | None) -> None:
        """The names in `target` hold arrays if `value` does."""
        if isinstance(value, ast.IfExp):
            self.assign(target, value.body)
            self.assign(target, value.orelse)
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for its_target, its_value in zip(target.elts, value.elts):
                self.assign(its_target, its_value)
        elif self.holds_array(value):
            self.arrays |= {name.id for name in ast.walk(target) if isinstance(name, ast.Name)}

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
        self.imported.update(
            {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}
        )

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.holds_array(node.value) and node.attr not in FACTS:
            text = f".{node.attr} may differ between ndarray and Tensor; call the registered op"
            self.fault(node, text, "method")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        is_method = isinstance(node.func, ast.Attribute) and self.holds_array(node.func.value)
        if any(map(self.holds_array, arguments)) and not is_method:
            self.note_callee(node, resolve({**self.function.__globals__, **self.imported}, node.func))
        self.generic_visit(node)

    def note_callee(self, node: ast.Call, callee: Any) -> None:
        """Note a function that is given an array, unless it is an op or a plain function made of ops."""
        name = ast.unparse(node.func)
        if isinstance(callee, Op) or is_allowed_builtin(callee, name) or is_on_the_tape(callee, node):
            return
        if is_of_numpy(callee):
            text = f"{name} is NumPy's: it leaves the tape under create_graph; call the registered op"
            self.fault(node, text, "numpy")
        elif isinstance(callee, FunctionType):
            arrays = frozenset(self.names_given(node, callee))
            self.faults.update(dict.fromkeys(function_faults(callee, arrays, self.above)))
        else:
            text = f"{name} is given an array, but is neither an op nor a module-level function"
            self.fault(node, text, "callee")

    def names_given(self, node: ast.Call, callee: FunctionType) -> Iterator[str]:
        """Those parameters of a helper that are given arrays."""
        names = list(inspect.signature(callee).parameters)
        for position, value in enumerate(node.args):
            if self.holds_array(value):
                yield names[min(position, len(names) - 1)]
        for keyword in node.keywords:
            if keyword.arg and self.holds_array(keyword.value):
                yield keyword.arg


def is_allowed_builtin(callee: Any, name: str) -> bool:
    """Whether a function is Python's own, and means the same for arrays and Tensors."""
    return getattr(callee, "__module__", None) == "builtins" and name in BUILTINS


def is_on_the_tape(callee: Any, call: ast.Call) -> bool:
    """Whether a function of NumPy's means the same for Tensors: what its operators call, and what looks at no
    numbers.
    """
    if isinstance(callee, np.ufunc):
        return callee.__name__ in OPERATORS and not call.keywords
    return is_of_numpy(callee) and getattr(callee, "__name__", "") in LOOK_ON


def is_of_numpy(callee: Any) -> bool:
    """Whether a function is NumPy's."""
    module = getattr(callee, "__module__", None) or ""
    return isinstance(callee, np.ufunc) or module.partition(".")[0] == "numpy"


def is_fact(node: ast.AST) -> bool:
    """Whether an expression says something about an array: `x.shape`, `len(x)`, `x is None`."""
    if isinstance(node, ast.Attribute):
        return node.attr in FACTS
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "len"
    return isinstance(node, ast.Compare) and all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops)


def resolve(known: dict[str, Any], expression: ast.expr) -> Any:
    """The object that an expression means by the names known where it stands.

    None where only running it would tell.
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
