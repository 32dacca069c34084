"""What is known of a value without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import reduce
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """What a value is, as far as it can be told."""

    name: str
    detail: Any = None


UNKNOWN = Kind("unknown")
OTHER = Kind("other")  # a number, a NumPy array of the script's own: nothing that PyTorch has a say in
ARRAY = Kind("array")  # `.data`, `.grad`, and what is computed from them: a tensor there, an ndarray here
TENSOR = Kind("tensor")
FALSE, TRUE = Kind("truth", False), Kind("truth", True)


def items(kind: Kind) -> Kind:
    """A container whose items are of a kind."""
    return Kind("items", kind)


def members(kinds: Iterable[Kind]) -> Kind:
    """A tuple, member by member."""
    return Kind("members", tuple(kinds))


def part(path: str, value: Any) -> Kind:
    """A part of PyTorch, by its dotted name, and what it is here; None: it is not."""
    return Kind("part", (path, value))


def text(value: str) -> Kind:
    """A string."""
    return Kind("text", value)


def function(node: ast.AST) -> Kind:
    """A function of the script's own."""
    return Kind("function", node)


def net(node: ast.ClassDef | None = None) -> Kind:
    """An nn.Module, of a class of the script's own or not."""
    return Kind("net", node)


def join(first: Kind, second: Kind) -> Kind:
    """A value that is either: an array, if it may be one, for that is what goes wrong."""
    if first == second or second is OTHER and first.name in ("items", "net"):
        return first
    if first is OTHER and second.name in ("items", "net"):
        return second
    if ARRAY in (first, second):
        return ARRAY
    if first.name == second.name == "items":
        return items(join(first.detail, second.detail))
    if first.name == second.name == "members" and len(first.detail) == len(second.detail):
        return members(map(join, first.detail, second.detail))
    return UNKNOWN


def join_all(kinds: Iterable[Kind], empty: Kind = UNKNOWN) -> Kind:
    """A value that is one of several."""
    kinds = list(kinds)
    return reduce(join, kinds) if kinds else empty


def item_of(kind: Kind) -> Kind:
    """What iterating, or an index, gives."""
    if kind in (ARRAY, TENSOR, OTHER):
        return kind
    if kind.name == "items":
        return kind.detail
    return join_all(kind.detail) if kind.name == "members" else UNKNOWN
