"""Modules made of modules."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar, overload

from ..engine.commit import Changes
from ..options import INTEGER, checked
from .module import Module

Self = TypeVar("Self", bound="Listed")


class Listed(Module):
    """Children called '0', '1', …, used like a list; None has a place in it, too."""

    def _entries(self) -> dict[str, Any]:
        """What the list has, by name."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, Module) or (value is None and name.isdecimal())
        }

    def _become(self: Self, modules: Iterable[Any]) -> Self:
        """Have these children, numbered, and no others."""
        change_members(self, numbered(modules, 0), {})
        return self

    def append(self: Self, module: Any) -> Self:
        """Add a child at the end."""
        return self.extend([module])

    @checked()
    def extend(self: Self, modules: Iterable[Any]) -> Self:
        """Add children at the end."""
        children = self._entries()
        taken = [int(name) + 1 for name in children if name.isdecimal()]  # a slice keeps its numbers
        change_members(self, numbered(modules, max([len(self), *taken])), children)
        return self

    def __iadd__(self: Self, modules: Iterable[Any]) -> Self:
        return self.extend(modules)

    def __add__(self: Self, modules: Iterable[Any]) -> Self:
        return self[:].extend(modules)

    @checked(index=INTEGER)
    def insert(self: Self, index: int, module: Any) -> Self:
        """Put a child before the one at `index`; those after it are numbered anew."""
        children = list(self)
        children.insert(index, module)
        return self._become(children)

    def pop(self, index: int = -1) -> Any:
        """Take a child out; those after it are numbered anew."""
        children = list(self)
        taken = children.pop(index)
        self._become(children)
        return taken

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries().values())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self: Self, index: slice) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        children = list(self)
        return self._part(index) if isinstance(index, slice) else children[index]

    def _part(self: Self, index: slice) -> Self:
        """Some of the children, numbered from 0, in a list of their own."""
        return type(self)()._become(list(self)[index])

    def __setitem__(self, index: int, module: Any) -> None:
        self.add_module(list(self._entries())[index], module)

    def __delitem__(self, index: int | slice) -> None:
        children = list(self)
        del children[index]
        self._become(children)


class Sequential(Listed):
    """Layers, each called with what the one before returned.

    Takes layers, or one dict of them for names of their own. A slice of it has the same names.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            change_members(self, modules[0], {})
        else:
            self.extend(modules)

    def _part(self: Self, index: slice) -> Self:
        part = type(self)()
        change_members(part, dict(list(self._entries().items())[index]), {})
        return part

    def forward(self, x: Any) -> Any:
        # `for module in self`, without its dict: a list has no place for None here
        for value in [*vars(self).values()]:
            if isinstance(value, Module):
                x = value(x)
        return x

    def _check_members(self, owner: str, members: Mapping[str, Any]) -> None:
        for name, member in members.items():
            if member is None:
                raise TypeError(f"{owner}: layer {name} is None; leave it out, or write nn.Identity()")
        super()._check_members(owner, members)


class ModuleList(Listed):
    """A list of modules, or None, whose parameters are found; it has no forward of its own."""

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        change_members(self, numbered(() if modules is None else modules, 0), {})


class ModuleDict(Module):
    """A dict of modules, or None, whose parameters are found; it has no forward of its own."""

    def __init__(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        change_members(self, dict(() if modules is None else modules), {})

    def _entries(self) -> dict[str, Any]:
        """What the dict has, None included."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, Module) or (value is None and name not in self._persistent)
        }

    @checked()
    def update(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace children, from a dict or from pairs."""
        change_members(self, dict(modules), self._entries())

    def pop(self, key: str) -> Any:
        """Take a child out."""
        taken = self[key]
        delattr(self, key)
        return taken

    def clear(self) -> None:
        """Take all children out."""
        change_members(self, {}, {})

    def keys(self) -> KeysView[str]:
        """The children's names."""
        return self._entries().keys()

    def values(self) -> ValuesView[Any]:
        """The children."""
        return self._entries().values()

    def items(self) -> ItemsView[str, Any]:
        """(name, child)."""
        return self._entries().items()

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __contains__(self, key: object) -> bool:
        return key in self._entries()

    def __getitem__(self, key: str) -> Any:
        return self._entries()[key]

    def __setitem__(self, key: str, module: Any) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self.pop(key)


def numbered(modules: Iterable[Any], start: int) -> dict[str, Any]:
    """Modules by their numbers."""
    return {str(number): module for number, module in enumerate(modules, start)}


def change_members(owner: Module, members: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """Add members to those that are kept, and drop all others: everything at once, or nothing."""
    owner._check_members(type(owner).__name__, members)
    entries = owner._entries()
    others = {name: value for name, value in vars(owner).items() if name not in entries}
    changes = Changes()
    changes.refill(vars(owner), {**others, **kept, **members})
    changes.refill(
        owner._persistent, {name: kept for name, kept in owner._persistent.items() if name not in members}
    )
    changes.commit()
    owner._settle()
