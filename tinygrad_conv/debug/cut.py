"""Which line cut the tape: why a result requires no gradient though parameters stand behind it.

Off the tape nothing is noted of an op, so nothing can be asked of it. The line is found by reading: from the
user's line backwards through the assignments of its function, and into the functions called there. What the
names of that line are bound to is known; nothing is run.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from ..engine.location import PACKAGE_FOLDER, show_path
from ..engine.tensor import Tensor
from ..foreign import PACKAGE
from .syntax import block_line, definition, name_of, parts, targets

DEEPEST = 12  # calls within calls

METHODS = {
    *("detach", "detach_", "numpy", "item", "tolist", "argmax", "argmin", "long", "int", "bool", "nonzero"),
}
CONVERSIONS = {"float", "int", "bool", "round", "complex"}
MADE_OF_NUMBERS = {"tensor", "Tensor", "from_numpy", "as_tensor", "Parameter"}
OF_SHAPES = {
    *("shape", "ndim", "dtype", "device", "size", "dim", "numel", "len", "isinstance", "type", "range"),
    *("zeros_like", "ones_like", "rand_like", "randn_like", "full_like", "empty_like"),
}


class Cut(NamedTuple):
    """The line that cut the tape."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        source = linecache.getline(self.file, self.line).strip()
        return f"{show_path(self.file)}:{self.line} cut the tape ({self.what}): {source}"


class Dependence(NamedTuple):
    """Whether an expression depends on what is wanted, and if it would but for a cut, where that is."""

    reaches: bool
    cut: Cut | None = None


NOTHING = Dependence(False)


def cut_of(tensor: Tensor) -> str:
    """The line that cut a result off the tape, or a leaf from what was computed of it; "" for none."""
    frame = user_frame(sys._getframe(1))
    if frame is None:
        return ""
    wanted = (lambda leaf: leaf is tensor) if tensor.requires_grad else (lambda leaf: leaf.requires_grad)
    try:
        body = body_of_frame(frame, wanted)
        cut = first_cut(body, frame) if tensor.requires_grad else cut_behind(body, tensor, frame)
    except (SyntaxError, ValueError, RecursionError):  # the source is not what runs
        return ""
    return "" if cut is None else str(cut)


def user_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame outside this package, from one on; what decorates a function is none."""
    while frame is not None and is_passed(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def is_passed(file: str) -> bool:
    """Whether a file is this package's, or contextlib, whose decorators call functions."""
    return file.startswith(PACKAGE_FOLDER) or file == contextlib.__file__


def first_cut(body: TracedBody, frame: FrameType) -> Cut | None:
    """The first cut in what ran of a function before its line."""
    for statement in body.statements:
        if (
            isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr))
            and statement.lineno <= frame.f_lineno
        ):
            cut = body.run(statement).cut
            if cut is not None:
                return cut
    return None


def cut_behind(body: TracedBody, tensor: Tensor, frame: FrameType) -> Cut | None:
    """The cut behind a result that the user's line asks about."""
    for statement in body.at_line(frame.f_lineno):
        for asked in asked_about(statement, body, tensor):
            cut = body.trace(asked, statement.lineno).cut
            if cut is not None:
                return cut
    return None


def asked_about(statement: ast.stmt, body: TracedBody, tensor: Tensor) -> Iterator[ast.expr]:
    """What a line goes backward from, or asks of."""
    for node in ast.walk(statement):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "backward"
        ):
            yield node.func.value
        elif isinstance(node, ast.Call) and node.args and name_of(node.func) in ("why_no_grad", "grad"):
            yield node.args[0]
        elif isinstance(node, ast.Name) and body.values.get(node.id) is tensor:
            yield node


def body_of_frame(frame: FrameType, wanted: Callable[[Tensor], bool], depth: int = 0) -> TracedBody:
    """The function that a frame runs."""
    body = TracedBody(frame.f_code, {**frame.f_globals, **frame.f_locals}, {}, wanted, depth)
    body.frame = frame
    return body


class TracedBody:
    """The statements of a function or a module, and what its names are bound to as far as that is known."""

    def __init__(
        self,
        code: CodeType,
        values: dict[str, Any],
        arguments: dict[str, Dependence],
        wanted: Callable[[Tensor], bool],
        depth: int,
    ) -> None:
        self.file, self.values, self.arguments = code.co_filename, values, arguments
        self.wanted, self.depth = wanted, depth
        self.tree = definition(code)
        self.statements: list[ast.stmt] = []
        self.blocks: dict[ast.stmt, int] = {}  # statements under no_grad: the line of that
        self.collect(getattr(self.tree, "body", []), block_line(getattr(self.tree, "decorator_list", [])))
        self.pending: set[Any] = set()
        self.frame: FrameType | None = None  # where it still runs

    def collect(self, statements: Any, block: int) -> None:
        """All statements, those of inner blocks included, but not of inner functions."""
        for statement in statements if isinstance(statements, list) else ():
            self.statements.append(statement)
            if block:
                self.blocks[statement] = block
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            managers = [item.context_expr for item in getattr(statement, "items", [])]
            for inner in ("body", "orelse", "finalbody"):
                self.collect(getattr(statement, inner, []), block_line(managers) or block)

    def run(self, statement: Any) -> Dependence:
        """What a statement makes: cut, where it stands under no_grad."""
        traced = self.trace(statement.value, statement.lineno)
        if traced.reaches and statement in self.blocks:
            return Dependence(
                False,
                Cut(self.file, statement.lineno, f"under no_grad, from line {self.blocks[statement]} on"),
            )
        return traced

    def trace(self, node: Any, line: int) -> Dependence:
        """What an expression on a line depends on."""
        if (node, line) in self.pending:
            return NOTHING
        self.pending.add((node, line))
        traced = self.trace_new(node, line)
        self.pending.discard((node, line))
        return traced

    def trace_new(self, node: Any, line: int) -> Dependence:
        """The same of an expression that is not being traced already."""
        if isinstance(node, ast.Name):
            return self.trace_name(node.id, line)
        if isinstance(node, ast.Attribute):
            return self.trace_attribute(node, line)
        if isinstance(node, ast.Call):
            return self.trace_call(node, line)
        traced = combined(self.trace(child, line) for child in parts(node))
        return self.cut(node, traced, "a comparison") if isinstance(node, ast.Compare) else traced

    def cut(self, node: Any, traced: Dependence, what: str) -> Dependence:
        """What goes through this is off the tape."""
        return Dependence(False, Cut(self.file, node.lineno, what)) if traced.reaches else traced

    def trace_name(self, name: str, line: int) -> Dependence:
        """A name: what it is bound to, or what it was assigned last before a line."""
        if self.is_wanted(self.values.get(name)):
            return Dependence(True)
        made = [each for each in self.statements if name in targets(each) and each.lineno < line]
        if made:
            last = max(made, key=lambda each: each.lineno)
            if isinstance(last, ast.AugAssign):
                return combined([self.run(last), self.trace_name(name, last.lineno)])
            if isinstance(last, (ast.For, ast.AsyncFor)):
                return self.trace(last.iter, last.lineno)
            appended = [self.trace(value, at) for value, at in self.appended_to(name)]
            return combined([self.run(last), *appended])
        return self.arguments[name] if name in self.arguments else self.trace_in_caller(name)

    def trace_in_caller(self, name: str) -> Dependence:
        """An argument of a function that still runs: what its caller gave it."""
        frame, caller = self.frame, None if self.frame is None else user_frame(self.frame.f_back)
        names = [] if frame is None else list(frame.f_code.co_varnames[: frame.f_code.co_argcount])
        if frame is None or caller is None or name not in names or self.depth >= DEEPEST:
            return NOTHING
        body = body_of_frame(caller, self.wanted, self.depth + 1)
        for statement in body.at_line(caller.f_lineno):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and name_of(node.func) == frame.f_code.co_name:
                    bound = isinstance(node.func, ast.Attribute) and names[0] == "self"
                    given = dict(zip(names[bound:], node.args))
                    given.update((each.arg, each.value) for each in node.keywords if each.arg)
                    return body.trace(given[name], statement.lineno) if name in given else NOTHING
        return NOTHING

    def at_line(self, line: int) -> list[ast.stmt]:
        """The simple statements that stand on a line."""
        return [
            each
            for each in self.statements
            if each.lineno <= line <= (each.end_lineno or each.lineno) and not hasattr(each, "body")
        ]

    def appended_to(self, name: str) -> Iterator[tuple[ast.expr, int]]:
        """What is appended to a list of this name."""
        for statement in self.statements:
            call = statement.value if isinstance(statement, ast.Expr) else None
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "append"
            ):
                if isinstance(call.func.value, ast.Name) and call.func.value.id == name and call.args:
                    yield call.args[0], statement.lineno

    def is_wanted(self, value: Any) -> bool:
        """Whether a value is, or holds, what is wanted."""
        if isinstance(value, Tensor):
            return self.wanted(value)
        if isinstance(value, (list, tuple)):
            return any(self.is_wanted(each) for each in value[:100] if isinstance(each, Tensor))
        if callable(getattr(type(value), "named_parameters", None)):
            return any(map(self.wanted, value.parameters()))
        return False

    def value_of(self, node: Any) -> Any:
        """What `net.fc` is bound to; None where that is not known without running anything."""
        if isinstance(node, ast.Name):
            return self.values.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value_of(node.value)
            known = getattr(owner, "__dict__", {}) if owner is not None else {}
            return known.get(node.attr)
        return None

    def trace_attribute(self, node: ast.Attribute, line: int) -> Dependence:
        """An attribute: `.data` is off the tape, `net.fc` a part of what the net is."""
        if node.attr in ("data", "grad"):
            return self.cut(node, self.trace(node.value, line), f".{node.attr}")
        if node.attr in OF_SHAPES:
            return NOTHING
        value = self.value_of(node)
        if value is not None:
            return Dependence(self.is_wanted(value))
        return self.trace(node.value, line)

    def trace_call(self, node: ast.Call, line: int) -> Dependence:
        """A call: one that cuts, one of the user's functions, or any other."""
        name = name_of(node.func)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        module = self.value_of(owner)
        given = [self.trace(each, line) for each in (*node.args, *(each.value for each in node.keywords))]
        if name in OF_SHAPES:
            return NOTHING
        if isinstance(module, ModuleType):
            return self.trace_library_call(node, module, given, line)
        if owner is not None and name in METHODS:
            return self.cut(node, self.trace(owner, line), f".{name}()")
        if owner is None and name in CONVERSIONS:
            return self.cut(node, combined(given), f"{name}()")
        function = self.function_called(node, owner, name)
        if function is not None and self.depth < DEEPEST:
            return self.trace_function(function, node, given)
        if owner is None and name in MADE_OF_NUMBERS:
            return self.cut(node, combined(given), f"{name}(…) takes the numbers alone")
        called = node.func if owner is None or self.value_of(node.func) is not None else owner
        return combined([self.trace(called, line), *given])

    def trace_library_call(
        self, node: ast.Call, module: ModuleType, given: list[Dependence], line: int
    ) -> Dependence:
        """A function of a module: NumPy's know no tape, `tg.tensor` takes numbers, others are ops."""
        name, root = name_of(node.func), module.__name__.partition(".")[0]
        if root in ("numpy", "math"):
            return self.cut(node, combined(given), f"a function of {root}")
        if root == PACKAGE and name in MADE_OF_NUMBERS:
            return self.cut(node, combined(given), f"{name}(…) takes the numbers alone")
        if root == PACKAGE and name in METHODS:
            return self.cut(node, combined(given), f"{name}(…)")
        function = vars(module).get(name)
        foreign = root != PACKAGE and isinstance(function, FunctionType)
        if foreign and self.depth < DEEPEST:
            return self.trace_function(function, node, given)
        return combined(given)

    def function_called(self, node: ast.Call, owner: Any, name: str) -> Any:
        """The user's function that a call runs: a forward, a method, a function; None for others."""
        called = self.value_of(node.func)
        if called is None and owner is not None:
            called = inspect.getattr_static(type(self.value_of(owner)), name, None)
            called = MethodType(called, self.value_of(owner)) if isinstance(called, FunctionType) else None
        elif callable(getattr(type(called), "named_parameters", None)):
            called = MethodType(type(called).forward, called)
        function: Any = inspect.unwrap(getattr(called, "__func__", called)) if callable(called) else None
        code = getattr(function, "__code__", None)
        if code is None or code.co_filename.startswith(PACKAGE_FOLDER):
            return None
        return MethodType(function, called.__self__) if isinstance(called, MethodType) else function

    def trace_function(self, function: Any, node: ast.Call, given: list[Dependence]) -> Dependence:
        """What a function returns depends on."""
        code = function.__code__
        names = list(code.co_varnames[: code.co_argcount])
        values = dict(getattr(function, "__globals__", {}))
        closure = getattr(function, "__closure__", None) or ()
        values.update(zip(code.co_freevars, (cell.cell_contents for cell in closure)))
        if isinstance(function, MethodType):
            values[names.pop(0)] = function.__self__
        keywords = dict(zip([each.arg for each in node.keywords], given[len(node.args) :]))
        arguments = {**dict(zip(names, given)), **{name or "": traced for name, traced in keywords.items()}}
        values = {name: value for name, value in values.items() if name not in arguments}
        inner = TracedBody(code, values, arguments, self.wanted, self.depth + 1)
        returns = [each for each in inner.statements if isinstance(each, ast.Return) and each.value]
        return combined(map(inner.run, returns)) if returns else combined(given)


def combined(traces: Any) -> Dependence:
    """What depends on several: on the tape if one of them is, else cut where one was."""
    traces = list(traces)
    if any(traced.reaches for traced in traces):
        return Dependence(True, next((traced.cut for traced in traces if traced.cut is not None), None))
    return next((traced for traced in traces if traced.cut is not None), NOTHING)
