"""Initialisers in a tree of modules, under keys that are their own names wherever a tree can have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

DEEPEST = 32  # parts of a key


def keys_of(names: Iterable[str], reserved: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The path in the tree of each name: `conv1.weight` is `weight` in `conv1`.

    reserved: what no part may be called. Where a name has an empty or a reserved part, too many of them, or
    one that is a tensor already, its dots become underscores, and more underscores follow until it is new.
    """
    tensors: set[tuple[str, ...]] = set()
    modules: set[tuple[str, ...]] = set()
    keys = {}
    for name in names:
        path = tuple(name.split("."))
        if len(path) > DEEPEST or any(not part or part in reserved for part in path):
            path = (name.replace(".", "_"),)
        while path[0] in reserved or is_taken(path, tensors, modules):
            path = ("_".join(path) + "_",)
        tensors.add(path)
        modules.update(path[:length] for length in range(1, len(path)))
        keys[name] = path
    return keys


def is_taken(path: tuple[str, ...], tensors: set[tuple[str, ...]], modules: set[tuple[str, ...]]) -> bool:
    """Whether something else is at the path, or a tensor on the way to it."""
    above = (path[:length] for length in range(1, len(path)))
    return path in tensors or path in modules or not tensors.isdisjoint(above)
