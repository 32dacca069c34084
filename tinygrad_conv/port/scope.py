"""What a script's names are bound to, and what is known of its own functions and attributes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from .findings import Finding, source_of
from .kinds import UNKNOWN, Kind, join


class Scope:
    """The names of a module, a function or a comprehension, and those around them."""

    def __init__(self, around: Scope | None = None, owner: Any = None) -> None:
        self.names: dict[str, Kind] = {}
        self.around = around
        self.owner = owner  # the function whose body it is

    def find(self, name: str) -> Kind:
        """What a name is bound to."""
        if name in self.names:
            return self.names[name]
        return self.around.find(name) if self.around is not None else Kind("builtin", name)

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """What runs inside may run or not: names are what they were, or what they become."""
        before = dict(self.names)
        yield
        self.names.update({name: join(kind, self.names.get(name, kind)) for name, kind in before.items()})


class Facts(NamedTuple):
    """What a reading finds out of attributes by their names, and of functions' arguments and returns."""

    attributes: dict[str, Kind]
    arguments: dict[Any, dict[str, Kind]]
    returns: dict[Any, Kind]


def remember(known: dict[Any, Kind], name: Any, kind: Kind) -> None:
    """Of an attribute, an argument or a return: it may be this too."""
    known[name] = join(known[name], kind) if name in known else kind


class Script:
    """What is known of a script as a whole; it grows from one reading to the next."""

    def __init__(self, tree: ast.Module) -> None:
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        self.methods = {
            method.name: method
            for owner in classes
            for method in owner.body
            if isinstance(method, ast.FunctionDef)
        }
        self.own_names = {*self.methods, *attributes_set_in(classes)}
        self.known = Facts({}, {}, {})  # from the reading before
        self.met = Facts({}, {}, {})  # in this one
        self.torch = "torch"  # the name that PyTorch goes by
        self.findings: dict[tuple[int, str], Finding] = {}

    def note(self, line: int, kind: str, there: ast.AST | str, instead: str) -> None:
        """One more line that must be written otherwise."""
        text = there if isinstance(there, str) else source_of(there)
        instead = re.sub(r"\btg\.", f"{self.torch}.", instead)
        self.findings.setdefault((line, text), Finding(line, kind, text, instead))

    def begin(self) -> None:
        """One more reading, with what the last has found out."""
        self.known, self.met = self.met, Facts({}, {}, {})
        self.findings.clear()

    def called(self, node: Any, kinds: list[Kind], keywords: dict[str, Kind]) -> Kind:
        """Note what a function of the script's own is given; what it returns."""
        arguments = self.met.arguments.setdefault(node, {})
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        names = names[1:] if names[:1] == ["self"] else names
        for name, kind in [*zip(names, kinds), *keywords.items()]:
            remember(arguments, name, kind)
        return self.known.returns.get(node, UNKNOWN)


def attributes_set_in(classes: list[ast.ClassDef]) -> Iterator[str]:
    """The attributes that classes of the script give to `self`."""
    for owner in classes:
        for node in ast.walk(owner):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id == "self":
                    yield node.attr
