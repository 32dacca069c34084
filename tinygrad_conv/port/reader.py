"""Reads a script statement by statement: which names are bound to what, and what must be written otherwise.

The script is read a few times: what its functions are given, and return, is known from the time before.
"""

from __future__ import annotations

import ast
from typing import Any

from .expressions import Expressions
from .findings import Finding, source_of
from .imports import Imports
from .kinds import ARRAY, FALSE, TENSOR, TRUE, UNKNOWN, Kind, item_of, join
from .scope import Scope, Script, remember

READINGS = 4
NOTHING = "nothing: leave it out"
PLACES = (ast.Name, ast.Attribute, ast.Subscript)


def read(tree: ast.Module) -> list[Finding]:
    """What must be written otherwise in a script, in the order of its lines."""
    script = Script(tree)
    for _ in range(READINGS):
        script.begin()
        Reader(script, Scope()).module(tree)
    order = {"import": 0, "name": 1}
    return sorted(script.findings.values(), key=lambda finding: (finding.line, order.get(finding.kind, 2)))


class Reader(Imports, Expressions):
    """Reads statements: one method for each kind of them."""

    def __init__(self, script: Script, scope: Scope) -> None:
        super().__init__(script, scope)
        self.waiting: list[tuple[Any, Scope, Any]] = []  # functions, where they were met, and their classes

    def module(self, tree: ast.Module) -> None:
        """Read it all: its statements first, then the functions, which run when everything is there."""
        self.block(tree.body)
        while self.waiting:
            node, scope, owner = self.waiting.pop(0)
            with self.inside(Scope(scope, node)):
                self.bind_arguments(node, owner)
                self.block(node.body)

    def bind_arguments(self, node: Any, owner: Any) -> None:
        """The names of a function's arguments: what its calls give it, and what is said of them."""
        given = self.script.known.arguments.get(node, {})
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            self.scope.names[argument.arg] = given.get(argument.arg, UNKNOWN)
        for several in (node.args.vararg, node.args.kwarg):
            if several is not None:
                self.scope.names[several.arg] = UNKNOWN
        if owner is not None and arguments:
            self.scope.names[arguments[0].arg] = Kind("object", owner)

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements, one after the other."""
        for statement in statements:
            self.begin()
            getattr(self, f"read_{type(statement).__name__}", self.read_simple)(statement)

    def read_simple(self, statement: ast.stmt) -> None:
        """A statement of which nothing but its expressions matters."""
        anew = self.rebuilt(statement)
        self.close(statement, anew)

    def begin(self) -> None:
        """Nothing is known of the next expression."""
        self.looked, self.marks, self.before, self.done = {}, [], [], []

    def close(self, there: Any, anew: Any) -> None:
        """Note a statement, or the head of one, that must be written otherwise."""
        if self.marks:
            worst = min((kind for kind, _ in self.marks), key=("silent", "array", "device").index)
            lines = [*self.before, *([] if self.is_nothing(there, anew) else [anew])]
            instead = "; ".join(map(source_of, lines)) or NOTHING
            self.script.note(min(line for _, line in self.marks), worst, there, instead)
        self.begin()

    def is_nothing(self, there: Any, anew: Any) -> bool:
        """Whether nothing is left of a statement but a place: what was called on it is done, or left out."""
        if not isinstance(anew, ast.Expr):
            return False
        left_out = isinstance(anew.value, PLACES) and source_of(there).startswith(source_of(anew))
        return left_out or any(anew.value is place for place in self.done)

    def head(self, node: Any) -> Kind:
        """The expression in the head of a block."""
        kind, anew = self.look(node)
        self.close(node, anew)
        return kind

    def read_Expr(self, statement: ast.Expr) -> None:
        _, anew = self.look(statement.value)
        self.close(statement, ast.Expr(anew))

    def read_Assign(self, statement: ast.Assign) -> None:
        kind, value = self.look(statement.value)
        targets = [self.target(target) for target in statement.targets]
        if kind is TENSOR and any(
            isinstance(each, ast.Attribute) and each.attr == "grad" for each in targets
        ):
            self.mark("array", statement)
            value = ast.Attribute(value, "data")
        self.close(statement, ast.Assign(targets, value))
        for target in statement.targets:
            self.assign(target, kind)

    def read_AnnAssign(self, statement: ast.AnnAssign) -> None:
        self.look(statement.annotation)
        if statement.value is not None:
            kind, value = self.look(statement.value)
            self.close(
                statement, ast.AnnAssign(statement.target, statement.annotation, value, statement.simple)
            )
            self.assign(statement.target, kind)

    def read_AugAssign(self, statement: ast.AugAssign) -> None:
        target = self.target(statement.target)
        before = (
            self.look(statement.target)[0]
            if isinstance(statement.target, ast.Name)
            else self.kind_of_place(target)
        )
        kind, value = self.look(statement.value)
        if before is ARRAY and kind is TENSOR:
            self.mark("array", statement)
            value = ast.Attribute(value, "data")
        self.close(statement, ast.AugAssign(target, statement.op, value))
        if isinstance(statement.target, ast.Name) and before is not ARRAY:
            self.assign(statement.target, TENSOR if TENSOR in (before, kind) else join(before, kind))

    def kind_of_place(self, target: Any) -> Kind:
        """What stands at a place that is changed."""
        return self.look(
            ast.copy_location(type(target)(*[getattr(target, name) for name in target._fields]), target)
        )[0]

    def target(self, node: Any) -> Any:
        """A place that is assigned to, as it should be written."""
        if isinstance(node, (ast.Tuple, ast.List)):
            return type(node)([self.target(each) for each in node.elts], node.ctx)
        if isinstance(node, ast.Attribute):
            kind, base = self.look(node.value)
            if kind is ARRAY and node.attr in ("data", "grad"):
                self.mark("silent", node)
                return base
            return node if base is node.value else ast.Attribute(base, node.attr, node.ctx)
        return self.rebuilt(node) if isinstance(node, ast.Subscript) else node

    def assign(self, target: Any, kind: Kind) -> None:
        """Bind a name, the names of a tuple, or an attribute."""
        if isinstance(target, ast.Name):
            self.scope.names[target.id] = kind
        elif isinstance(target, (ast.Tuple, ast.List)):
            several = kind.detail if kind.name == "members" and len(kind.detail) == len(target.elts) else None
            for number, each in enumerate(target.elts):
                self.assign(each, several[number] if several else item_of(kind))
        elif isinstance(target, ast.Starred):
            self.assign(target.value, UNKNOWN)
        elif isinstance(target, ast.Attribute) and target.attr not in ("data", "grad"):
            remember(self.script.met.attributes, target.attr, kind)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            holder = self.scope.find(target.value.id)
            if holder.name == "items":
                self.scope.names[target.value.id] = Kind("items", join(holder.detail, kind))

    def read_Return(self, statement: ast.Return) -> None:
        if statement.value is not None:
            kind, anew = self.look(statement.value)
            self.close(statement, ast.Return(anew))
            if self.function() is not None:
                remember(self.script.met.returns, self.function(), kind)

    def function(self) -> Any:
        """The function whose body is being read."""
        return self.scope.owner

    def read_If(self, statement: ast.If) -> None:
        test = self.head(statement.test)
        if test in (TRUE, FALSE):
            self.block(statement.body if test is TRUE else statement.orelse)
            return
        before = dict(self.scope.names)
        self.block(statement.body)
        after = self.scope.names
        self.scope.names = before
        self.block(statement.orelse)
        for name, kind in after.items():
            self.scope.names[name] = join(kind, self.scope.names.get(name, kind))

    def read_For(self, statement: Any) -> None:
        item = item_of(self.head(statement.iter))
        for _ in range(2):  # the second time with what the first has bound
            with self.scope.maybe():
                self.assign(statement.target, item)
                self.block(statement.body)
        self.block(statement.orelse)

    read_AsyncFor = read_For

    def read_While(self, statement: ast.While) -> None:
        if self.head(statement.test) is FALSE:
            return
        for _ in range(2):
            with self.scope.maybe():
                self.block(statement.body)
        self.block(statement.orelse)

    def read_With(self, statement: Any) -> None:
        for item in statement.items:
            self.head(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, UNKNOWN)
        self.block(statement.body)

    read_AsyncWith = read_With

    def read_Try(self, statement: Any) -> None:
        with self.scope.maybe():
            self.block(statement.body)
        for handler in statement.handlers:
            if handler.type is not None:
                self.head(handler.type)
            with self.scope.maybe():
                self.block(handler.body)
        self.block([*statement.orelse, *statement.finalbody])

    read_TryStar = read_Try

    def read_Match(self, statement: Any) -> None:
        self.head(statement.subject)
        for case in statement.cases:
            with self.scope.maybe():
                self.block(case.body)

    def read_FunctionDef(self, statement: Any, owner: Any = None) -> None:
        arguments = statement.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for node in (
            *statement.decorator_list,
            *arguments.defaults,
            *arguments.kw_defaults,
            statement.returns,
        ):
            self.head(node) if node is not None else None
        for argument in every:
            self.head(argument.annotation) if argument.annotation is not None else None
        self.scope.names[statement.name] = Kind("function", statement)
        self.waiting.append((statement, self.scope, owner))

    read_AsyncFunctionDef = read_FunctionDef

    def read_ClassDef(self, statement: ast.ClassDef) -> None:
        for node in (*statement.decorator_list, *statement.bases):
            self.head(node)
        self.scope.names[statement.name] = Kind("class", statement)
        around = self.scope
        for inner in statement.body:
            if isinstance(inner, ast.FunctionDef):
                static = any(getattr(each, "id", "") == "staticmethod" for each in inner.decorator_list)
                self.read_FunctionDef(inner, None if static else statement)
                around.names.pop(inner.name, None)
            else:
                self.block([inner])

    def read_Global(self, statement: Any) -> None:
        """The names of a function that are its module's: as a rule read, and counted the same."""

    read_Nonlocal = read_Global
