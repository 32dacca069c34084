"""Every single edit of a rule: the slips at all its places first, then insertions, then steps of calculus."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...engine.location import show_path
from .expressions import WAYS
from .scope import Scope

LONGEST = 70  # characters of an expression that is shown whole, so that one sees where the edit is


class Edit(NamedTuple):
    """One place of the tree with something else in it, which `make` puts there and `undo` takes away."""

    size: int  # 1: a slip, 2: an insertion, 3: a step of calculus; one more where the rule must read more
    place: Place
    new: Any
    reads: tuple[str, ...] = ()  # names of what the rule does not read so far


class Place(NamedTuple):
    """Where a part of the tree hangs."""

    parent: ast.AST
    field: str
    position: int | None  # in a list of parts
    ancestors: tuple[ast.AST, ...]  # the outermost first

    @property
    def content(self) -> Any:
        """What is there."""
        held = getattr(self.parent, self.field)
        return held if self.position is None else held[self.position]

    def put(self, part: Any) -> None:
        """Put something else there."""
        if self.position is None:
            setattr(self.parent, self.field, part)
        else:
            getattr(self.parent, self.field)[self.position] = part


def edits_of(definition: ast.FunctionDef, scope: Scope) -> Iterator[Edit]:
    """The edits of a rule's body, by their size."""
    expressions = list(places_of(definition, ast.expr))
    statements = list(places_of(definition, ast.stmt))
    for size, way in enumerate(WAYS, 1):
        for place in expressions:
            missing = scope.extra - names_in(place.content)
            for new in way(place.content, scope):
                reads = tuple(sorted(missing & names_in(new)))
                yield Edit(size + bool(reads), place, new, reads)
        if size == 1:
            for place in statements:
                yield from (Edit(1, place, new) for new in other_statements(place.content))


def places_of(definition: ast.FunctionDef, kind: type[ast.AST]) -> Iterator[Place]:
    """Where the parts of a kind hang in a function's body, in the order of the source."""

    def walk(node: ast.AST, ancestors: tuple[ast.AST, ...]) -> Iterator[Place]:
        for field, value in ast.iter_fields(node):
            parts = enumerate(value) if isinstance(value, list) else [(None, value)]
            for position, part in parts:
                if not isinstance(part, ast.AST) or is_documentation(part) or field == "annotation":
                    continue
                place = Place(node, field, position, ancestors)
                if isinstance(part, kind) and is_value(part, field):
                    yield place
                yield from walk(part, (*ancestors, part))

    for position, statement in enumerate(definition.body):
        if is_documentation(statement):
            continue
        if isinstance(statement, kind):
            yield Place(definition, "body", position, ())
        yield from walk(statement, (statement,))


def is_value(part: ast.AST, field: str) -> bool:
    """Whether a part is read where it stands; a function that is called is exchanged with its call."""
    return field != "func" and not isinstance(getattr(part, "ctx", None), (ast.Store, ast.Del))


def is_documentation(node: ast.AST) -> bool:
    """Whether it is a text that stands by itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def other_statements(statement: ast.stmt) -> Iterator[ast.stmt]:
    """`+=` for `=` and the like; a condition turned round; a loop that runs the other way; or nothing."""
    if isinstance(statement, ast.AugAssign):
        for operator in (ast.Add, ast.Sub, ast.Mult, ast.Div):
            if not isinstance(statement.op, operator):
                yield ast.AugAssign(statement.target, operator(), statement.value)
        yield ast.Assign([statement.target], statement.value)
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Name, ast.Subscript)):
        yield ast.AugAssign(statement.targets[0], ast.Add(), statement.value)
    elif isinstance(statement, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), statement.test), statement.body, statement.orelse)
    if not isinstance(statement, (ast.Return, ast.FunctionDef)):
        yield ast.Pass()


def names_in(node: ast.AST) -> frozenset[str]:
    """All names in a part of a tree."""
    return frozenset([part.id for part in ast.walk(node) if isinstance(part, ast.Name)])


def place_of(edit: Edit, function: Any) -> str:
    """The file and line of an edit of a function."""
    line = inspect.getsourcelines(function)[1] + getattr(edit.place.content, "lineno", 1) - 1
    return f"{show_path(function.__code__.co_filename)}:{line}"


def described(edit: Edit) -> tuple[str, str]:
    """What stands in the place of an edit before and after: enough of it to see where it is."""
    around = [edit.place.content]
    for ancestor in reversed(edit.place.ancestors):
        if not isinstance(ancestor, ast.expr) or len(ast.unparse(ancestor)) > LONGEST:
            break
        around.append(ancestor)
    shown, old = around[-1], edit.place.content
    before = ast.unparse(shown)
    edit.place.put(edit.new)
    after = ast.unparse(edit.new if shown is old else shown)
    edit.place.put(old)
    return before, after
