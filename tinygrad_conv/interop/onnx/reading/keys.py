"""Initialisers in a tree of modules, under keys that are their own names wherever a tree can have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import count

DEEPEST = 32  # parts of a key

Path = tuple[str, ...]


def keys_of(names: Iterable[str], reserved: Collection[str]) -> dict[str, Path]:
    """The path in the tree of each name: `conv1.weight` is `weight` in `conv1`.

    reserved: what no part may be called. Where a name has an empty or a reserved part, or too many of them,
    or something is there already, its dots become underscores, and if need be a number follows.
    """
    places = Places(reserved)
    return {name: places.take(name) for name in names}


class Places:
    """Which paths of a tree are taken."""

    def __init__(self, reserved: Collection[str]) -> None:
        self.reserved = reserved
        self.tensors: set[Path] = set()
        self.modules: set[Path] = set()
        self.numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(2))

    def take(self, name: str) -> Path:
        """The path for a name, which nothing else gets from now on."""
        path = tuple(name.split("."))
        if not self.is_free(path):
            path = (name.replace(".", "_"),)
        flat = path[0]
        while not self.is_free(path):
            path = (f"{flat}_{next(self.numbers[flat])}",)
        self.tensors.add(path)
        self.modules.update(path[:length] for length in range(1, len(path)))
        return path

    def is_free(self, path: Path) -> bool:
        """Whether a tree can have a tensor there, and has none, nor anything in its way."""
        if len(path) > DEEPEST or any(not part or part in self.reserved for part in path):
            return False
        above = (path[:length] for length in range(1, len(path)))
        return path not in self.tensors and path not in self.modules and self.tensors.isdisjoint(above)
