"""Every single edit of a rule: the slips at all its places first, then insertions, then steps of calculus."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any, NamedTuple

from ...engine.location import show_path
from .expressions import Way, slips
from .rule_names import RuleNames

LONGEST = 70  # characters of an expression that is shown whole, so that one sees where the edit is


class Edit(NamedTuple):
    """One place of the tree, or several, with something else in it."""

    size: int  # 1: a slip, 2: an insertion, 3: a step of calculus; one more where the rule must read more
    place: Place
    new: Any
    reads: tuple[str, ...] = ()  # names of what the rule does not read so far
    elsewhere: tuple[tuple[Place, Any], ...] = ()  # further places, with what is to stand there

    @contextmanager
    def made(self) -> Iterator[None]:
        """Inside the block the tree has the edit; afterwards it is as before."""
        changes = [(self.place, self.new), *self.elsewhere]
        old = [place.content for place, _ in changes]
        for (place, new), content in zip(changes, old):
            ast.fix_missing_locations(ast.copy_location(new, content))
            place.put(new)
        try:
            yield
        finally:
            for (place, _), content in zip(changes, old):
                place.put(content)


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


def edits_by(way: Way, size: int, definition: ast.FunctionDef, scope: RuleNames) -> Iterator[Edit]:
    """The edits of a rule's body that a way has; with slips of expressions come those of statements."""
    expressions = sorted(places_of(definition, ast.expr), key=is_above_the_return)
    for place in expressions:
        missing = scope.extra - names_in(place.content)
        for new in way(place.content, scope):
            reads = tuple(sorted(missing & names_in(new)))
            yield Edit(size + bool(reads), place, new, reads)
    if way is slips:
        for place in places_of(definition, ast.stmt):
            yield from (Edit(size, place, new) for new in other_statements(place.content))
        yield from other_names_throughout(expressions, scope)


def is_above_the_return(place: Place) -> bool:
    """Whether a place is in no return statement: there, an edit says the least about what it is for."""
    return not any(isinstance(node, ast.Return) for node in (place.parent, *place.ancestors))


def other_names_throughout(expressions: list[Place], scope: RuleNames) -> Iterator[Edit]:
    """A name that is another one wherever it stands, and two that are exchanged."""
    names = [place for place in expressions if isinstance(place.content, ast.Name)]
    places = {name: [place for place in names if place.content.id == name] for name in identifiers(names)}
    for of_a_kind in (list(scope.arrays), scope.numbers, scope.params):
        for name, other in permutations(of_a_kind, 2):
            if name not in places:
                continue
            first, *others = [(place, ast.Name(other, ast.Load())) for place in places[name]]
            reads = (other,) if other in scope.extra else ()
            if others:
                yield Edit(1 + bool(reads), *first, reads, tuple(others))
            back = tuple((place, ast.Name(name, ast.Load())) for place in places.get(other, ()))
            if back and name < other:
                yield Edit(1, *first, (), (*others, *back))


def identifiers(names: list[Place]) -> list[str]:
    """The names at these places, each once."""
    return list(dict.fromkeys(place.content.id for place in names))


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
    with edit.made():
        after = ast.unparse(edit.new if shown is old else shown)
    if edit.elsewhere:
        news = {ast.unparse(new) for _, new in ((edit.place, edit.new), *edit.elsewhere)}
        every = f" and the same at {len(edit.elsewhere)} more places" if len(edit.elsewhere) > 1 else ""
        every = every or " and the same at one more place"
        after += (
            f" ({' and '.join(sorted(news))} exchanged throughout)"
            if len(news) > 1
            else f" ({every.strip()})"
        )
    return before, after


def canonical(source: str) -> str:
    """A text without factors and exponents of 1 and terms of 0, by which edits are told apart."""
    try:
        return ast.unparse(Simplifier().visit(ast.parse(source)))
    except SyntaxError:  # a part of a statement, or with words beside it
        return source


class Simplifier(ast.NodeTransformer):
    """Takes away what changes no number."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = getattr(node.left, "value", None), getattr(node.right, "value", None)
        if isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)) and is_number(right, 1):
            return node.left
        if isinstance(node.op, ast.Mult) and is_number(left, 1):
            return node.right
        if isinstance(node.op, (ast.Add, ast.Sub)) and is_number(right, 0):
            return node.left
        return node.right if isinstance(node.op, ast.Add) and is_number(left, 0) else node


def is_number(value: Any, number: int) -> bool:
    """Whether a literal is this number."""
    return type(value) in (int, float) and value == number
